"""Is RefineNet used? Loss inside the mask with RefineNet off, on, and on with another sample's subject, at equal noise on held-out samples.
usage: python -m mini.refine_check [--ckpt FILE] [--size 256] [--n 64] [--beta 0.3] [--aligned 0] [--kinds whole,grey,soft,softgrey,none]

kinds: how much of the subject the guide shows (weaken.py); `whole` is gated by beta as in the application."""
import argparse
import numpy as np
import torch
from .encoders import Encoders
from .model import load, schedule
from .paths import work
from .precision import autocast
from .synth import Synth
from .train_diffusion import encode_samples
from .weaken import weaken


@torch.no_grad()
def check(model, b, acp, t, beta, mode, kind):
    n, a = len(b["z"]), acp[t]
    torch.manual_seed(t)
    eps = torch.randn_like(b["z"])
    noisy, v = a.sqrt() * b["z"] + (1 - a).sqrt() * eps, a.sqrt() * eps - (1 - a).sqrt() * b["z"]
    tt, order = torch.full((n,), t), torch.roll(torch.arange(n), 1) if mode == "wrong" else torch.arange(n)
    weak = weaken(b["zg"], kind)
    guide = weak if kind == "none" else b["zg"] + b["m"] * (weak - b["zg"])
    with autocast():
        bank = None if mode == "off" else model.reference_features(b["zr"][order], b["v1"][order])
        x = torch.cat([noisy, b["m"], b["zm"], guide], 1).contiguous(memory_format=torch.channels_last)
        out = model(x, tt, b["text"], model.resampler(b["v2"]), torch.full((n, 1, 1), beta), bank).float()
    return ((((out - v) ** 2).mean(1, keepdim=True) * b["m"]).sum((1, 2, 3)) / b["m"].sum((1, 2, 3)).clamp(min=1)).numpy()


def held_out_pairs(n, size, aligned=0.0, seed=31):
    """Composites that keep the subject's colours."""
    synth, samples = Synth("test", size, seed, aligned), []
    while len(samples) < n:
        d = synth.sample("composite")
        if d["kind"] == "pair":
            samples.append(d)
    return samples


def table(model, enc, samples, beta, kinds, times):
    """Yield (kind, t, losses by mode); losses are one number a sample."""
    acp, b = schedule(), encode_samples(enc, samples, True)
    parts = [{k: v[i:i + 16] for k, v in b.items()} for i in range(0, len(samples), 16)]
    for kind in kinds:
        for t in times:
            yield kind, t, {mode: np.concatenate([check(model, p, acp, t, beta, mode, kind) for p in parts]) for mode in ("off", "on", "wrong")}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--ckpt", default=work("checkpoints", "diffusion.pt"))
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--n", type=int, default=64)
    ap.add_argument("--beta", type=float, default=0.3)
    ap.add_argument("--aligned", type=float, default=0.0)
    ap.add_argument("--kinds", default="whole,grey,soft,softgrey,none")
    ap.add_argument("--times", default="100,500,999")
    ap.add_argument("--restart", action="store_true", help="with RefineNet as a new copy of the U-Net")
    args = ap.parse_args()
    torch.set_num_threads(1)
    enc, model = Encoders(), load(args.ckpt)
    if args.restart or torch.load(args.ckpt, weights_only=False)["stage"] == 1:
        model.start_refine()  # what an export of stage 1 carries: a copy of the U-Net
    for kind, t, rows in table(model, enc, held_out_pairs(args.n, args.size, args.aligned), args.beta, args.kinds.split(","), [int(t) for t in args.times.split(",")]):
        gap = rows["wrong"] - rows["on"]
        print(f"guide {kind} t={t}: " + ", ".join(f"{k} {v.mean():.4f}" for k, v in rows.items()) + f"; wrong - right {gap.mean():+.4f} +- {gap.std() / len(gap) ** 0.5:.4f} ({gap.mean() / rows['on'].mean():+.1%})", flush=True)


if __name__ == "__main__":
    main()
