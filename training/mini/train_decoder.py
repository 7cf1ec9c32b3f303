"""Train the decoder of the autoencoder on random crops (the encoder is fixed, see vae.py).
usage: python -m mini.train_decoder --minutes 20 [--crop 64] [--from-export DIR]. Goes on from its own checkpoint when there is one."""
import argparse, os, time
import cv2
import numpy as np
import torch, torch.nn.functional as F
from .colour import shift_hue
from .parallel import Average, average_gradients, join, launch, rate, same, save
from .paths import work
from .pictures import Pictures
from . import vae as V
from .precision import autocast


def crop(data, rng, size):
    """Photos, things over photos, things over flat colours (white first)."""
    kind = rng.random()
    if kind < 0.55:
        img = data.background(rng, size, 0.9).astype(np.float32)
    elif kind < 0.68:
        photo = data.photos[data.photo_ids[int(rng.integers(len(data.photo_ids)))]]
        side = int(rng.integers(min(size, 200), 257))
        y, x = rng.integers(0, 256 - side + 1, 2)
        img = cv2.resize(np.ascontiguousarray(photo[y:y + side, x:x + side, :3]), (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    else:
        rgba = np.ascontiguousarray(data.cutouts[data.cutout_ids[int(rng.integers(len(data.cutout_ids)))]])
        if rng.random() < 0.4:
            rgba = np.concatenate([shift_hue(rgba[..., :3], rng.integers(0, 360)), rgba[..., 3:]], -1)
        m = cv2.getRotationMatrix2D((128, 128), rng.uniform(-25, 25), rng.uniform(0.35, 1.0))
        m[:, 2] += size / 2 - 128 + rng.uniform(-size / 2, size / 2, 2)
        pre = rgba.astype(np.float32)
        pre[..., :3] *= pre[..., 3:] / 255
        pre = cv2.warpAffine(pre, m, (size, size), flags=cv2.INTER_AREA)
        bg = data.background(rng, size).astype(np.float32) if kind < 0.85 else np.full((size, size, 3), 255.0 if rng.random() < 0.5 else rng.uniform(0, 255, 3), np.float32)
        img = pre[..., :3] + bg * (1 - pre[..., 3:] / 255)
    if rng.random() < 0.12:
        img = img[..., rng.permutation(3)]
    return img.clip(0, 255).astype(np.uint8)


def batch(data, rng, n, size):
    x = torch.from_numpy(np.stack([crop(data, rng, size) for _ in range(n)])).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    return x.contiguous(memory_format=torch.channels_last)


def pyramid_loss(x, y):
    """L1 and gradient L1 on three scales: sharper than plain L1, with no extra network."""
    total = 0.0
    for level in range(3):
        d = x - y
        gx, gy = d[..., 1:] - d[..., :-1], d[..., 1:, :] - d[..., :-1, :]
        total = total + d.abs().mean() * (1.0 if level == 0 else 0.5) + 0.7 * (gx.abs().mean() + gy.abs().mean())
        if level < 2:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    return total


def fresh_decoder():
    model = V.build()
    for name, module in model.decoder.named_modules():  # residual branches start at zero
        if name.endswith("conv2"):
            torch.nn.init.zeros_(module.weight)
            torch.nn.init.zeros_(module.bias)
    cut = model.decoder.up_blocks[3].resnets[0].conv_shortcut
    with torch.no_grad():  # two constant channels, so that the last group norm keeps the picture's own contrast
        cut.bias[0], cut.bias[1] = 8.0, -8.0
        model.post_quant_conv.weight.copy_(torch.eye(V.CHANNELS)[:, :, None, None])
        model.post_quant_conv.bias.zero_()
    return model.to(memory_format=torch.channels_last)


def psnr(a, b):
    return (-10 * ((a - b) / 2).pow(2).mean((1, 2, 3)).log10()).mean().item()


@torch.no_grad()
def validate(model, pictures, n=12, size=256):
    """PSNR at 256 px on held-out scenes and on held-out things on white; the plain inverse transform for comparison."""
    rng, out = np.random.default_rng(7), {}
    for name in ("photo", "thing"):
        imgs = []
        for _ in range(n):
            if name == "photo":
                imgs.append(pictures.background(rng, size, 1.4))
            else:
                c = pictures.cutouts[pictures.cutout_ids[int(rng.integers(len(pictures.cutout_ids)))]].astype(np.float32)
                imgs.append((c[..., :3] * (c[..., 3:] / 255) + 255 - c[..., 3:]).clip(0, 255).astype(np.uint8))
        x = torch.from_numpy(np.stack(imgs)).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        z = V.encode(x)
        with autocast():
            y = torch.cat([model.decode(p).sample.float() for p in z.contiguous(memory_format=torch.channels_last).split(4)])
        out[name] = round(psnr(y.clamp(-1, 1), x), 2)
        out[name + " linear"] = round(psnr(V.linear_decode(z).clamp(-1, 1), x), 2)
    return out


def work_one(rank, args):
    join(rank, args)
    torch.manual_seed(args.seed)
    model, path = fresh_decoder(), args.out or work("checkpoints", "decoder.pt")
    step = 0
    opt = torch.optim.AdamW([p for n, p in model.named_parameters() if n.startswith(("decoder", "post_quant"))], lr=args.lr, betas=(0.9, 0.98), weight_decay=1e-4)
    average = None
    if os.path.exists(path):
        saved = torch.load(path, weights_only=False)
        model.load_state_dict(saved["raw"])
        opt.load_state_dict(saved["optimiser"])
        step = saved["step"]
        average = Average(saved["ema"], args.ema)
        average.steps = step
    elif args.from_export:
        from safetensors.torch import load_file
        model.load_state_dict({k: v.float() for k, v in load_file(f"{args.from_export}/vae/diffusion_pytorch_model.safetensors").items()})
        V.set_encoder(model)
    params = [p for g in opt.param_groups for p in g["params"]]
    average = average or Average(model.state_dict(), args.ema)
    rng, data, held = np.random.default_rng([args.seed, rank, step]), Pictures("train"), Pictures("test")
    start, last, budget, log = time.time(), time.time(), args.minutes * 60, []
    first = step
    while True:
        elapsed = same(time.time() - start, args.world)
        done = elapsed > budget
        if rank == 0 and (done or time.time() - last > args.every):
            last = time.time()
            raw = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average.state)
            figures = validate(model, held)
            model.load_state_dict(raw)
            save(path, ema=average.state, raw=raw, optimiser=opt.state_dict(), step=step, config=V.CONFIG)
            print(f"t={elapsed / 60:.1f}m step={step} crops/s={(step - first) * args.batch * args.world / max(elapsed, 1):.1f} loss={np.mean(log[-80:] or [0]):.4f} psnr={figures}", flush=True)
        if done:
            break
        for g in opt.param_groups:
            g["lr"] = rate(args.lr, elapsed, budget, step)
        x = batch(data, rng, args.batch, args.crop)
        z = V.encode(x)
        noisy = torch.rand(len(z), 1, 1, 1) * 0.1 * (torch.rand(len(z), 1, 1, 1) < 0.4)  # sampled latents are never quite clean
        z = (z + noisy * torch.randn_like(z)).contiguous(memory_format=torch.channels_last)
        with autocast():
            y = model.decode(z).sample
        loss = pyramid_loss(y.float(), x)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(params, args.world)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        step += 1
        log.append(loss.item())
        if rank == 0:
            average.update(model.state_dict())


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=20)
    ap.add_argument("--world", type=int, default=2)
    ap.add_argument("--batch", type=int, default=12, help="crops per process")
    ap.add_argument("--crop", type=int, default=64)
    ap.add_argument("--lr", type=float, default=1.5e-3)
    ap.add_argument("--ema", type=float, default=0.995)
    ap.add_argument("--every", type=float, default=120)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--port", type=int, default=29510)
    ap.add_argument("--out", default="")
    ap.add_argument("--from-export", default="")
    launch(work_one, ap.parse_args())
