"""Is RefineNet used? Loss inside the mask with RefineNet off, on, and on with another sample's subject, at equal noise on held-out samples.
usage: python -m mini.refine_check [--ckpt FILE] [--size 256] [--n 64] [--no-guide]"""
import argparse
import numpy as np
import torch
from .encoders import Encoders
from .model import load, schedule
from .paths import work
from .synth import Synth
from .train_diffusion import encode_samples


@torch.no_grad()
def check(model, b, acp, t, beta, mode, guided):
    n, a = len(b["z"]), acp[t]
    torch.manual_seed(t)
    eps, ref_eps = torch.randn_like(b["z"]), torch.randn_like(b["z"])
    noisy, v = a.sqrt() * b["z"] + (1 - a).sqrt() * eps, a.sqrt() * eps - (1 - a).sqrt() * b["z"]
    tt, order = torch.full((n,), t), torch.roll(torch.arange(n), 1) if mode == "wrong" else torch.arange(n)
    with torch.autocast("cpu", torch.bfloat16):
        bank = None if mode == "off" else model.reference_features((a.sqrt() * b["zr"] + (1 - a).sqrt() * ref_eps)[order], tt, b["v1"][order])
        x = torch.cat([noisy, b["m"], b["zm"], b["zg"] * guided], 1).contiguous(memory_format=torch.channels_last)
        out = model(x, tt, b["text"], model.resampler(b["v2"]), torch.full((n, 1, 1), beta), bank).float()
    return ((((out - v) ** 2).mean(1, keepdim=True) * b["m"]).sum((1, 2, 3)) / b["m"].sum((1, 2, 3)).clamp(min=1)).numpy()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--ckpt", default=work("checkpoints", "diffusion.pt"))
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--n", type=int, default=64)
    ap.add_argument("--beta", type=float, default=0.3)
    args = ap.parse_args()
    torch.set_num_threads(1)
    enc, acp, model, synth = Encoders(), schedule(), load(args.ckpt), Synth("test", args.size, 31)
    if torch.load(args.ckpt, weights_only=False)["stage"] == 1:
        model.start_refine()  # what an export of stage 1 carries: a copy of the U-Net
    samples = []
    while len(samples) < args.n:
        d = synth.sample("composite")
        if d["kind"] == "pair":
            samples.append(d)
    b = encode_samples(enc, samples, True)
    parts = [{k: v[i:i + 16] for k, v in b.items()} for i in range(0, args.n, 16)]
    for guided in (1.0, 0.0):
        for t in (100, 500, 999):
            rows = {mode: np.concatenate([check(model, p, acp, t, args.beta, mode, guided) for p in parts]) for mode in ("off", "on", "wrong")}
            gap = rows["wrong"] - rows["on"]
            print(f"guide {'on' if guided else 'off'} t={t}: " + ", ".join(f"{k} {v.mean():.4f}" for k, v in rows.items()) + f"; wrong - right {gap.mean():+.4f} +- {gap.std() / len(gap) ** 0.5:.4f}", flush=True)


if __name__ == "__main__":
    main()
