"""Contact sheets to look at. usage: python -m mini.grid OUT.png [--mode strength|steps|beta|colour|fill|train] [--export DIR] [--size 256] [--rows 8]"""
import argparse
import cv2
import numpy as np
import torch
from .cases import insertions, pairs
from .colour import HUES
from .pipeline import Pipeline


def holes(scene, mask):
    return np.where(mask[..., None] > 0, 128, scene).astype(np.uint8)


def columns(pipe, args):
    """Yield (title, pictures u8 (n,S,S,3))."""
    if args.mode == "train":
        cases = pairs(args.rows, args.size, args.seed)
        scene, mask = np.stack([c["target"] for c in cases]), np.stack([c["mask"] for c in cases])
        yield "target", np.stack([c["target"] for c in cases])
    else:
        cases = insertions(args.rows, args.size, args.seed)
        scene, mask = np.stack([c["scene"] for c in cases]), np.stack([c["mask"] for c in cases])
    cut, texts = [c["cutout"] for c in cases], [c["text"] for c in cases]
    print(texts)
    filled = np.stack([pipe.fill(s, m) for s, m in zip(scene, mask)])
    yield "hole", holes(scene, mask)
    yield "fill", filled
    run = lambda t=texts, c=cut, **o: pipe(scene, mask, c, t, filled=filled, seed=args.seed, **dict(dict(steps=args.steps, guidance=args.guidance), **o))
    paste = pipe.guides(filled, mask, cut, [1.0] * len(cut), [""] * len(cut)).clip(0, 255).astype(np.uint8)
    yield "paste", paste
    if args.mode in ("strength", "train"):
        for s in (0.3, 0.5, 0.7, 1.0):
            final, raw, _ = run(t=[""] * len(cut), beta=1.0, strength=s, parts=True)
            yield f"s {s} raw", raw
            yield f"s {s}", final
    elif args.mode == "steps":
        for k in (1, 2, 4, 8):
            yield f"{k} steps", run(t=[""] * len(cut), beta=1.0, strength=1.0, steps=k)
    elif args.mode == "beta":
        for b in (0.0, 0.25, 0.5, 0.75, 1.0):
            yield f"beta {b}", run(beta=b, strength=args.strength)
    elif args.mode == "colour":
        words = list(HUES)
        t = [f"a {words[(i * 3) % len(words)]} {c['info']['name']}" for i, c in enumerate(cases)]
        print(t)
        for b in (0.0, 0.3, 0.6, 1.0):
            yield f"beta {b}", run(t=t, beta=b, strength=args.strength)
        yield "beta 0 raw", run(t=t, beta=0.0, strength=args.strength, detail=0)
        yield "beta 0, guidance 2", run(t=t, beta=0.0, strength=args.strength, guidance=2.0)
    elif args.mode == "fill":
        yield "text only", run(c=None, beta=0.0, guidance=3.0)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("--mode", default="strength")
    ap.add_argument("--export", default="")
    ap.add_argument("--ckpt", default="")
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--rows", type=int, default=8)
    ap.add_argument("--steps", type=int, default=2)
    ap.add_argument("--guidance", type=float, default=1.0)
    ap.add_argument("--strength", type=float, default=1.0)
    ap.add_argument("--seed", type=int, default=5)
    ap.add_argument("--shrink", type=float, default=1.0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    titles, cols = [], []
    for title, col in columns(Pipeline(args.ckpt or None, args.export or None), args):
        titles.append(title)
        cols.append(np.concatenate(list(col), 0))
    sheet = np.concatenate(cols, 1)
    if args.shrink != 1:
        sheet = cv2.resize(sheet, None, fx=args.shrink, fy=args.shrink, interpolation=cv2.INTER_AREA)
    cv2.imwrite(args.out, sheet[..., ::-1])
    print(titles)


if __name__ == "__main__":
    main()
