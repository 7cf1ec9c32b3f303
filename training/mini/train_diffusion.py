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
from .precision import autocast
from .synth import Synth
from .vae import encode
from .weaken import WITH, WITHOUT, mixed, weaken

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
               text=enc.text([s["text"] for s in samples]), beta=torch.tensor([s["beta"] for s in samples]).float(), guided=guided,
               side=torch.tensor([s["side"] for s in samples]).float())
    if refine:
        out["v1"], out["zr"] = v1, encode(to_tensor(np.stack([s["reference"] for s in samples])))
    return out


class Stream:
    """Fresh samples mixed with recent ones: making and encoding a sample costs about a fifth of training on it."""
    def __init__(self, synth, enc, refine, keep=8000, fresh=0.25):
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
    """Timesteps: two steps from pure noise gave the best pictures (lab book 3), so 999, the surroundings of 499 and the noisy end are drawn more often."""
    u, flat = torch.rand(n), torch.randint(0, 1000, (n,))
    return torch.where(u < 0.18, torch.full((n,), 999), torch.where(u < 0.33, torch.randint(440, 560, (n,)), torch.where(u < 0.55, torch.randint(800, 1000, (n,)), flat)))


def slope(h, w):
    """Direction of unit length in noise (16,h,w): luminance rising from left to right."""
    r = torch.zeros(16, h, w)
    r[0] = torch.linspace(-1, 1, w)
    return r / r.norm()


def draw_noise(z, side):
    """Gaussian noise (B,16,h,w) whose left-right slope of luminance is the light's side, itself a standard normal number drawn with the sample: so the noise of a seed
    decides where the light comes from, at no cost to its distribution. Without this the model learns the mean of all lights, and seeds look alike."""
    noise, r = torch.randn_like(z), slope(*z.shape[2:])
    return noise + (side - (noise * r).sum((1, 2, 3))).view(-1, 1, 1, 1) * r


def loss_of(model, acp, b, enc, refine, fixed_t=None):
    """v-prediction loss inside the mask (0.1 outside). Training drops conditions, weakens guides and starts some samples from the noised guide,
    as the application can: there z_t = noise on a mix of target and guide, and v still leads to the target. Validation (fixed_t) does none of it."""
    n, train = len(b["z"]), fixed_t is None
    t = draw_times(n) if train else torch.full((n,), fixed_t)
    z, zg, text, v2 = b["z"], b["zg"], b["text"], b["v2"]
    start = z
    if train:
        bridge = (torch.rand(n) < 0.15) & (b["guided"] > 0)
        t = torch.where(bridge, torch.randint(150, 1000, (n,)), t)
        w = torch.where(bridge, 0.3 + 0.7 * torch.rand(n), torch.zeros(n)).view(-1, 1, 1, 1) * b["m"]
        start = z + w * (zg - z)
        zg = mixed(zg, b["m"], WITH if refine else WITHOUT)
        drop = torch.rand(n).view(-1, 1, 1)
        text = torch.where(drop < 0.08, enc.null_text, text)
        v2 = torch.where((drop < 0.06) | (drop > 0.93), enc.null_image, v2)
    a = acp[t].view(-1, 1, 1, 1)
    noisy = a.sqrt() * start + (1 - a).sqrt() * draw_noise(z, b["side"])
    v = (a.sqrt() * noisy - z) / (1 - a).sqrt()
    with autocast():
        bank = model.reference_features(b["zr"], b["v1"]) if refine else None
        x = torch.cat([noisy, b["m"], b["zm"], zg], 1).contiguous(memory_format=torch.channels_last)
        out = model(x, t, text, model.resampler(v2), b["beta"].view(-1, 1, 1), bank)
    w = F.max_pool2d(b["m"], 3, 1, 1)
    w = (w + 0.1 * (1 - w)) * ((1 - a) * 6).clamp(max=1)  # v weighs x0 by 1/(1-a); capped at 6, or low noise would rule
    return ((out.float() - v).pow(2).mean(1, keepdim=True) * w).sum() / w.sum()


@torch.no_grad()
def validate(model, acp, val, enc, refine):
    """Loss at fixed timesteps and noise on held-out concepts and scenes; with RefineNet also what a wrong subject costs against the right one, guide soft and grey, and none."""
    state = torch.get_rng_state()
    model.eval()

    def mean(b, times, on=False):
        vals = []
        for t in times:
            torch.manual_seed(t)
            vals.append(round(float(np.mean([loss_of(model, acp, {k: v[i:i + 16] for k, v in b.items()}, enc, on, t).item() for i in range(0, len(b["z"]), 16)])), 4))
        return vals
    out = dict(plain=mean(val, (100, 400, 700, 950)))
    if refine:
        few = {k: v[:32] for k, v in val.items()}
        for kind in ("softgrey", "none"):
            right = dict(few, zg=few["zg"] + few["m"] * (weaken(few["zg"], kind) - few["zg"]))
            wrong = dict(right, **{k: right[k].roll(1, 0) for k in ("zr", "v1")})
            on, off = mean(right, (500, 999), True), mean(wrong, (500, 999), True)
            out[kind] = [*on, "wrong", *(f"{b / a - 1:+.1%}" for a, b in zip(on, off))]
    model.train()
    torch.set_rng_state(state)
    return out


def cpu_seconds(world):
    """Of this process times their number: what the run has cost, whoever else used the cores."""
    return time.process_time() * world


def carry_over(opt, old, old_names, names):
    """Optimiser state by parameter name, so that a stage takes over what the one before knows; parameters without state start anew."""
    state = {n: old["state"][i] for i, n in enumerate(old_names) if i in old["state"]}
    fresh = opt.state_dict()
    opt.load_state_dict(dict(param_groups=fresh["param_groups"], state={i: state[n] for i, n in enumerate(names) if n in state}))


def grouped(model, refine, frozen, decoder=False):
    """(factor of the learning rate, named parameters): what RefineNet and the attention that reads it must learn anew learns faster. frozen: RefineNet stays what it is;
    decoder: the U-Net's decoder alone learns, so that nothing runs back through the rest."""
    reads = lambda n: n.startswith("unet.up_blocks") and ".attn1." in n
    named = [(n, p) for n, p in model.named_parameters() if not decoder or n.startswith(("refine.", "detail.", "unet.up_blocks", "unet.conv_out"))]
    plain = [(n, p) for n, p in named if not n.startswith(("refine.", "detail.")) and not (refine and reads(n))]
    return [(1.0, plain)] + ([(2.0, [(n, p) for n, p in named if (n.startswith(("refine.", "detail.")) and not frozen) or reads(n)])] if refine else [])


def work_one(rank, args):
    join(rank, args)
    torch.manual_seed(args.seed)
    seen, used = 0, 0.0
    model, path, step, refine = LarGen().to(memory_format=torch.channels_last), args.out or work("checkpoints", "diffusion.pt"), 0, args.stage == 2
    saved = torch.load(path, weights_only=False) if os.path.exists(path) else None
    if saved:
        model.load_state_dict(saved["raw"])
        step, seen, used = saved["step"], saved.get("seen", 0), saved.get("seconds", 0.0)
        if refine and saved["stage"] == 1:
            model.start_refine()
    elif args.from_export:
        from .export import read_export
        model.load_state_dict(read_export(args.from_export)[2].state_dict())
        model.requires_grad_(True)
    groups = grouped(model, refine, args.freeze_refine, args.decoder_only)
    learned = {n for _, g in groups for n, _ in g}
    for n, p in model.named_parameters():
        p.requires_grad_(n in learned)
    names, params = ([x[i] for g in groups for x in g[1]] for i in (0, 1))
    opt = torch.optim.AdamW([dict(params=[p for _, p in g], factor=f) for f, g in groups], lr=args.lr, betas=(0.9, 0.98), weight_decay=0.01)
    average = Average(model.state_dict(), args.ema)
    if saved:
        carry_over(opt, saved["optimiser"], saved.get("names") or [n for n, _ in model.named_parameters() if saved["stage"] == 2 or not n.startswith(("refine.", "detail."))], names)
        average.state = {k: v if not (refine and saved["stage"] == 1 and k.startswith("refine.")) else model.state_dict()[k].clone() for k, v in saved["ema"].items()}
        average.steps = step
    torch.manual_seed(args.seed * 1000 + rank + step)
    enc, acp = Encoders(), schedule()
    stream = Stream(Synth("train", args.size, [args.seed, rank, step], args.aligned), enc, refine)
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
            save(path, ema=average.state, raw=raw, optimiser=opt.state_dict(), names=names, step=step, stage=args.stage, size=args.size,
                 seen=seen + (step - first) * args.batch * args.world, seconds=used + cpu_seconds(args.world))
            total = sum(spent.values()) + 1e-9
            print(f"t={elapsed / 60:.1f}m cpu={cpu_seconds(args.world) / 60:.1f}m step={step} seen={seen + (step - first) * args.batch * args.world} samples/s={(step - first) * args.batch * args.world / max(elapsed, 1):.1f} loss={np.mean(log[-80:] or [0]):.4f} held out={figures} "
                  f"share={({k: round(x / total, 2) for k, x in spent.items()})}", flush=True)
        if done:
            break
        for g in opt.param_groups:
            g["lr"] = g["factor"] * rate(args.lr, elapsed, budget, step - first, tail=args.tail)
        t0 = time.time()
        b = stream.batch(args.batch)
        t1 = time.time()
        loss = loss_of(model, acp, b, enc, refine and np.random.default_rng(step).random() < args.refine_share)
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
    ap.add_argument("--freeze-refine", action="store_true", help="stage 2: RefineNet stays the copy it began as, only the U-Net learns to read it; a third cheaper")
    ap.add_argument("--decoder-only", action="store_true", help="only the U-Net's decoder learns (and RefineNet, unless frozen)")
    ap.add_argument("--aligned", type=float, default=0.3, help="stage 2: share of the references that stand in the frame as the guide does")
    ap.add_argument("--validation", type=int, default=48)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--port", type=int, default=29511)
    ap.add_argument("--out", default="")
    ap.add_argument("--from-export", default="")
    launch(work_one, ap.parse_args())
