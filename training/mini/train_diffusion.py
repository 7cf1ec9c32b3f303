"""Train LAR-Gen on quadruplets made on the fly, data-parallel over single-threaded processes.
stage 1: U-Net and resampler (Locate + Assign); stage 2: RefineNet, a copy of the U-Net, joins.
usage: python -m mini.train_diffusion --stage 1 --minutes 60 --size 128 [--from-export DIR]. Goes on from its own checkpoint when there is one."""
import argparse, os, time
import numpy as np
import torch, torch.nn.functional as F
from .encoders import Encoders, latent_mask, to_tensor
from .model import LarGen, schedule
from .parallel import Average, average_gradients, join, launch, rate, same, save
from .paths import work
from .synth import Synth
from .vae import encode

KEYS = ("z", "zm", "zg", "m", "v2", "text", "beta", "guided")


def encode_samples(enc, samples, refine):
    """Latents and encoder states of a list of samples, all (B, ...) float32."""
    target = to_tensor(np.stack([s["target"] for s in samples]))
    mask = torch.from_numpy(np.stack([s["mask"] for s in samples]))[:, None].float()
    guided = torch.tensor([s["guide"] is not None for s in samples]).float()
    guide = to_tensor(np.stack([s["guide"] if s["guide"] is not None else s["target"] for s in samples]))
    seen = torch.tensor([s["clip"] is not None for s in samples])
    clip = torch.from_numpy(np.stack([s["clip"] if s["clip"] is not None else np.zeros((128, 128, 3), np.uint8) for s in samples])).permute(0, 3, 1, 2)
    v2, v1 = enc.vision(clip)
    v2 = torch.where(seen[:, None, None], v2, enc.null_image)
    out = dict(z=encode(target), zm=encode(target * (1 - mask)), zg=encode(guide) * guided[:, None, None, None], m=latent_mask(mask), v2=v2,
               text=enc.text([s["text"] for s in samples]), beta=torch.tensor([s["beta"] for s in samples]).float(), guided=guided)
    if refine:
        out["v1"], out["zr"] = v1, encode(to_tensor(np.stack([s["reference"] for s in samples])))
    return out


class Stream:
    """Fresh samples mixed with recent ones: making and encoding a sample costs about a fifth of training on it."""
    def __init__(self, synth, enc, refine, keep=6000, fresh=0.34):
        self.synth, self.enc, self.refine, self.keep, self.fresh = synth, enc, refine, keep, fresh
        self.store, self.next, self.filled, self.rng = None, 0, 0, np.random.default_rng(synth.rng.integers(1 << 30))

    def batch(self, n):
        k = n if self.filled < 4 * n else max(1, int(round(n * self.fresh)))
        new = encode_samples(self.enc, [self.synth.sample(reference=self.refine) for _ in range(k)], self.refine)
        if self.store is None:
            self.store = {key: torch.zeros((self.keep,) + v.shape[1:], dtype=torch.float16) for key, v in new.items()}
        slots = (self.next + np.arange(k)) % self.keep
        for key, v in new.items():
            self.store[key][slots] = v.half()
        self.next, self.filled = int((self.next + k) % self.keep), min(self.keep, self.filled + k)
        if k == n:
            return new
        old = torch.from_numpy(self.rng.integers(0, self.filled, n - k))
        return {key: torch.cat([v, self.store[key][old].float()]) for key, v in new.items()}


def draw_times(n):
    """Timesteps: few steps from pure noise gave the best pictures (lab book 3), so the noisy end is drawn more often."""
    u = torch.rand(n)
    return torch.where(u < 0.12, torch.full((n,), 999), torch.where(u < 0.45, torch.randint(800, 1000, (n,)), torch.randint(0, 1000, (n,))))


def loss_of(model, acp, b, enc, rng, refine, fixed_t=None):
    """v-prediction loss inside the mask (0.1 outside). Training drops conditions and starts some samples from the noised guide,
    as the application can: there z_t = noise on a mix of target and guide, and v still leads to the target. Validation (fixed_t) does neither."""
    n, train = len(b["z"]), fixed_t is None
    t = draw_times(n) if train else torch.full((n,), fixed_t)
    z, zg, text, v2 = b["z"], b["zg"], b["text"], b["v2"]
    start = z
    if train:
        bridge = (torch.rand(n) < 0.15) & (b["guided"] > 0)
        t = torch.where(bridge, torch.randint(150, 1000, (n,)), t)
        w = torch.where(bridge, 0.3 + 0.7 * torch.rand(n), torch.zeros(n)).view(-1, 1, 1, 1) * b["m"]
        start = z + w * (zg - z)
        zg = zg * (torch.rand(n) > 0.10).view(-1, 1, 1, 1)
        drop = torch.rand(n).view(-1, 1, 1)
        text = torch.where(drop < 0.08, enc.null_text, text)
        v2 = torch.where((drop < 0.06) | (drop > 0.93), enc.null_image, v2)
    a = acp[t].view(-1, 1, 1, 1)
    noisy = a.sqrt() * start + (1 - a).sqrt() * torch.randn_like(z)
    v = (a.sqrt() * noisy - z) / (1 - a).sqrt()
    with torch.autocast("cpu", torch.bfloat16):
        bank = model.reference_features(a.sqrt() * b["zr"] + (1 - a).sqrt() * torch.randn_like(z), t, b["v1"]) if refine else None
        x = torch.cat([noisy, b["m"], b["zm"], zg], 1).contiguous(memory_format=torch.channels_last)
        out = model(x, t, text, model.resampler(v2), b["beta"].view(-1, 1, 1), bank)
    w = F.max_pool2d(b["m"], 3, 1, 1)
    w = (w + 0.1 * (1 - w)) * ((1 - a) * 6).clamp(max=1)  # v weighs x0 by 1/(1-a); capped at 6, or low noise would rule
    return ((out.float() - v).pow(2).mean(1, keepdim=True) * w).sum() / w.sum()


@torch.no_grad()
def validate(model, acp, val, enc, refine):
    """Loss at fixed timesteps and noise on held-out concepts and scenes."""
    state = torch.get_rng_state()
    model.eval()
    out = {}
    for name, on in (("plain", False),) + ((("refine", True),) if refine else ()):
        vals = []
        for t in (100, 400, 700, 950):
            torch.manual_seed(t)
            vals.append(round(float(np.mean([loss_of(model, acp, {k: v[i:i + 16] for k, v in val.items()}, enc, None, on, t).item() for i in range(0, len(val["z"]), 16)])), 4))
        out[name] = vals
    model.train()
    torch.set_rng_state(state)
    return out


def carry_over(opt, old, old_names, names):
    """Optimiser state by parameter name, so that a stage takes over what the one before knows; parameters without state start anew."""
    state = {n: old["state"][i] for i, n in enumerate(old_names) if i in old["state"]}
    fresh = opt.state_dict()
    opt.load_state_dict(dict(param_groups=fresh["param_groups"], state={i: state[n] for i, n in enumerate(names) if n in state}))


def work_one(rank, args):
    join(rank, args)
    torch.manual_seed(args.seed)
    model, path, step, refine = LarGen().to(memory_format=torch.channels_last), args.out or work("checkpoints", "diffusion.pt"), 0, args.stage == 2
    saved = torch.load(path, weights_only=False) if os.path.exists(path) else None
    if saved:
        model.load_state_dict(saved["raw"])
        step = saved["step"]
        if refine and saved["stage"] == 1:
            model.start_refine()
    elif args.from_export:
        from .export import read_export
        model.load_state_dict(read_export(args.from_export)[2].state_dict())
        model.requires_grad_(True)
    named = [(n, p) for n, p in model.named_parameters() if refine or not n.startswith(("refine.", "detail."))]
    params = [p for _, p in named]
    opt = torch.optim.AdamW(params, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.01)
    average = Average(model.state_dict(), args.ema)
    if saved:
        carry_over(opt, saved["optimiser"], [n for n, _ in model.named_parameters() if saved["stage"] == 2 or not n.startswith(("refine.", "detail."))], [n for n, _ in named])
        average.state = {k: v if not (refine and saved["stage"] == 1 and k.startswith("refine.")) else model.state_dict()[k].clone() for k, v in saved["ema"].items()}
        average.steps = step
    torch.manual_seed(args.seed * 1000 + rank + step)
    enc, acp = Encoders(), schedule()
    stream = Stream(Synth("train", args.size, [args.seed, rank, step]), enc, refine)
    val = None
    if rank == 0:
        held = Synth("test", args.size, 11)
        val = encode_samples(enc, [held.sample(("composite", "photo")[i % 3 == 2]) for i in range(args.validation)], True)
    start, first, log, budget = time.time(), step, [], args.minutes * 60
    last, spent = time.time(), dict(data=0.0, compute=0.0, reduce=0.0, update=0.0)
    while True:
        elapsed = same(time.time() - start, args.world)
        done = elapsed > budget
        if rank == 0 and (done or time.time() - last > args.every):
            last = time.time()
            raw = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average.state)
            figures = validate(model, acp, val, enc, refine)
            model.load_state_dict(raw)
            save(path, ema=average.state, raw=raw, optimiser=opt.state_dict(), step=step, stage=args.stage, size=args.size)
            total = sum(spent.values()) + 1e-9
            print(f"t={elapsed / 60:.1f}m step={step} samples/s={(step - first) * args.batch * args.world / max(elapsed, 1):.1f} loss={np.mean(log[-80:] or [0]):.4f} held out={figures} "
                  f"share={({k: round(x / total, 2) for k, x in spent.items()})}", flush=True)
        if done:
            break
        for g in opt.param_groups:
            g["lr"] = rate(args.lr, elapsed, budget, step - first, tail=args.tail)
        t0 = time.time()
        b = stream.batch(args.batch)
        t1 = time.time()
        loss = loss_of(model, acp, b, enc, stream.rng, refine and np.random.default_rng(step).random() < args.refine_share)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        t2 = time.time()
        average_gradients([p for p in params if p.grad is not None], args.world)  # the choice of RefineNet is the same in all processes
        t3 = time.time()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        step += 1
        log.append(loss.item())
        if rank == 0:
            average.update(model.state_dict())
        t4 = time.time()
        for key, d in zip(spent, (t1 - t0, t2 - t1, t3 - t2, t4 - t3)):
            spent[key] += d


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--stage", type=int, default=1, choices=(1, 2))
    ap.add_argument("--minutes", type=float, default=60)
    ap.add_argument("--world", type=int, default=2)
    ap.add_argument("--batch", type=int, default=16, help="samples per process")
    ap.add_argument("--size", type=int, default=128)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--tail", type=float, default=0.2, help="share of the time in which the learning rate falls")
    ap.add_argument("--ema", type=float, default=0.995)
    ap.add_argument("--every", type=float, default=240)
    ap.add_argument("--refine-share", type=float, default=0.85, help="stage 2: share of the steps with RefineNet")
    ap.add_argument("--validation", type=int, default=48)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--port", type=int, default=29511)
    ap.add_argument("--out", default="")
    ap.add_argument("--from-export", default="")
    launch(work_one, ap.parse_args())
