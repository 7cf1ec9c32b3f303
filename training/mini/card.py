"""The picture sheets of the model's card. usage: python -m mini.card --export DIR --out DIR. Writes subjects.webp and limits.webp."""
import argparse
import cv2
import numpy as np
import torch
from PIL import Image
from .cases import insertions
from .pipeline import Pipeline

CELL = 176
COLOURS = ["red", "blue", "purple", "green", "orange", "pink", "teal", "yellow"]


def boxed(scene, mask):
    out = scene.copy()
    ys, xs = np.where(mask)
    cv2.rectangle(out, (int(xs.min()), int(ys.min())), (int(xs.max()), int(ys.max())), (255, 255, 255), 2)
    return out


def on_white(rgba, size):
    a = rgba[..., 3:].astype(np.float32) / 255
    return cv2.resize((rgba[..., :3] * a + 255 * (1 - a)).astype(np.uint8), (size, size), interpolation=cv2.INTER_AREA)


def sheet(columns, path, quality=82):
    """columns: (title, pictures). Titles stand in a strip above."""
    strips = []
    for title, pictures in columns:
        head = np.full((22, CELL, 3), 255, np.uint8)
        cv2.putText(head, title, (5, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
        strips.append(np.concatenate([head] + [cv2.resize(p, (CELL, CELL), interpolation=cv2.INTER_AREA) for p in pictures], 0))
    Image.fromarray(np.concatenate(strips, 1)).save(path, quality=quality)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--export", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--rows", type=int, default=8)
    ap.add_argument("--seed", type=int, default=40)
    ap.add_argument("--steps", type=int, default=2)
    args = ap.parse_args()
    torch.set_num_threads(1)
    pipe = Pipeline(export=args.export)

    def run(cases, texts, cut=True, **options):
        scene, mask = np.stack([c["scene"] for c in cases]), np.stack([c["mask"] for c in cases])
        return pipe(scene, mask, [c["cutout"] for c in cases] if cut else None, texts, filled=np.stack([c["filled"] for c in cases]), **dict(dict(steps=args.steps, strength=1.0, guidance=1.0), **options))

    cases = insertions(args.rows, 256, args.seed, published=True)
    for c in cases:
        c["filled"] = pipe.fill(c["scene"], c["mask"])
    texts = [f"a {COLOURS[i % 8]} {c['info']['name']}" for i, c in enumerate(cases)]
    none = [""] * len(cases)
    paste = pipe.guides(*(np.stack([c[k] for c in cases]) for k in ("filled", "mask")), [c["cutout"] for c in cases], [1.0] * len(cases), none).clip(0, 255).astype(np.uint8)
    columns = [("scene, region", [boxed(c["scene"], c["mask"]) for c in cases]), ("subject", [on_white(c["cutout"], 256) for c in cases]), ("fill + paste", paste), ("mini, no text", run(cases, none, beta=1.0))]
    columns += [(f"colour, beta {b}", run(cases, texts, beta=b)) for b in (0.0, 0.3, 0.6, 1.0)]
    sheet(columns, f"{args.out}/subjects.webp")
    print(texts)
    few = cases[:3]
    said = [f"a {c} {n}" for c, n in (("red", "apple"), ("blue", "car"), ("green", "teapot"))]
    black = [f"a {w} {c['info']['name']}" for w, c in zip(("white", "black", "white"), few)]
    columns = [("scene, region", [boxed(c["scene"], c["mask"]) for c in few]), ("fill (MI-GAN)", [c["filled"] for c in few]), ("text alone, 2 steps", run(few, said, cut=False, beta=0.0)),
               ("text alone, 20 steps", run(few, said, cut=False, beta=0.0, steps=20, guidance=3.0)), ("white/black, beta 0", run(few, black, beta=0.0)), ("20 steps", run(few, none[:3], beta=1.0, steps=20)), ("no detail transfer", run(few, none[:3], beta=1.0, detail=0.0))]
    sheet(columns, f"{args.out}/limits.webp")
    print(said, black)


if __name__ == "__main__":
    main()
