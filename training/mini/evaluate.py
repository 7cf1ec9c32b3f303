"""Figures of the card on held-out subjects and scenes. usage: python -m mini.evaluate --out FILE.json [--export DIR] [--n 96]

pairs   PSNR inside the mask against the synthetic ground truth, subject alone at beta 1: fill only, naive paste, model at several strengths
colour  the text names another colour than the subject has: share of results whose cut-out region is nearer in hue to the named colour than to the subject's,
        measured in plain RGB means (no network takes part), at beta 0, 0.3, 0.6, 1
refine  the text names the subject but no colour, beta 0.3: PSNR inside the mask and chroma error on the cut-out (no network takes part) without RefineNet, with it, and
        with it on another subject
seed    how far eight seeds lie apart: difference of brightness between the right and the left half of the cut-out, in grey levels, standard deviation over seeds
seam    mean gradient jump across the mask's border, in units of the same picture's gradient just outside of it
"""
import argparse, json
import cv2
import numpy as np
import torch
from . import guide as G
from .cases import insertions, pairs
from .colour import TINTS
from .pipeline import Pipeline


def psnr(a, b, mask):
    m = mask > 0
    return float(-10 * np.log10(max(((a[m].astype(np.float32) - b[m]) ** 2).mean(), 1e-3) / 255 ** 2))


def seam(picture, mask):
    """Gradient on the mask's border divided by the gradient in a ring of 3 px outside of it."""
    grey = picture.astype(np.float32).mean(-1)
    g = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1))
    k = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(mask, k) - cv2.erode(mask, k)
    ring = cv2.dilate(mask, np.ones((11, 11), np.uint8)) - cv2.dilate(mask, np.ones((5, 5), np.uint8))
    return float(g[edge > 0].mean() / max(g[ring > 0].mean(), 1.0))


def chroma(rgb):
    """Direction of colour: opponent axes of a mean RGB."""
    r, g, b = rgb
    return np.array([(r - g), (r + g - 2 * b) / np.sqrt(3)])


def chroma_error(a, b, on):
    """Mean distance of the opponent colours of two pictures where `on`, in grey levels."""
    axes = lambda x: np.stack([x[..., 0] - x[..., 1], (x[..., 0] + x[..., 1] - 2 * x[..., 2]) / np.sqrt(3)], -1)[on]
    return float(np.linalg.norm(axes(a.astype(np.float32)) - axes(b.astype(np.float32)), axis=-1).mean()) if on.any() else 0.0


def sideways(picture, cover):
    """Mean brightness of the right half of the cut-out less that of the left half."""
    grey, xs = picture.astype(np.float32).mean(-1), np.where(cover > 0.5)[1]
    right = np.arange(picture.shape[1])[None] > (xs.min() + xs.max()) / 2
    mean = lambda on: float(grey[on].mean()) if on.any() else 0.0
    return mean((cover > 0.5) & right) - mean((cover > 0.5) & ~right)


def follows(picture, cutout_cover, word, own_rgb):
    mean = picture[cutout_cover > 0.8].astype(np.float32).mean(0)
    got, wanted, own = chroma(mean), chroma(np.array(TINTS[word], np.float32)), chroma(own_rgb)
    cos = lambda a, b: float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-6))
    return cos(got, wanted) > cos(got, own), float(np.linalg.norm(got))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--export", default="")
    ap.add_argument("--ckpt", default="")
    ap.add_argument("--n", type=int, default=96)
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--steps", type=int, default=2)
    ap.add_argument("--guidance", type=float, default=1.0)
    ap.add_argument("--strengths", default="1.0")
    ap.add_argument("--strength", type=float, default=1.0)
    ap.add_argument("--refine", action="store_true")
    ap.add_argument("--parts", default="pairs,colour")
    args = ap.parse_args()
    torch.set_num_threads(1)
    pipe, rows = Pipeline(args.ckpt or None, args.export or None), {}
    note = lambda name, key, value: rows.setdefault(name, {}).setdefault(key, []).append(value)
    options = dict(steps=args.steps, guidance=args.guidance, refine=args.refine)
    cases = pairs(args.n, args.size) if "pairs" in args.parts else []
    for i in range(0, len(cases), 8):
        part = cases[i:i + 8]
        mask, target = (np.stack([c[k] for c in part]) for k in ("mask", "target"))
        scene = target  # what lies under the mask is never looked at
        cut = [c["cutout"] for c in part]
        filled = np.stack([pipe.fill(a, b) for a, b in zip(scene, mask)])
        placed = [c["placed"] for c in part]  # nearly the pose of the truth, as when a user has moved the cut-out into place
        paste = pipe.guides_and_cover(filled, mask, cut, [1.0] * len(cut), [""] * len(cut), placed)[0].clip(0, 255).astype(np.uint8)
        outs = {"fill only": filled, "naive paste": paste}
        for s in [float(x) for x in args.strengths.split(",")]:
            outs[f"model, strength {s}"] = pipe(scene, mask, cut, [""] * len(cut), beta=1.0, strength=s, filled=filled, seed=i, placed=placed, **options)
        for name, pictures in outs.items():
            for p, t, m in zip(pictures, target, mask):
                note(name, "psnr", psnr(p, t, m))
                note(name, "seam", seam(p, m))
        print(i + len(part), flush=True)
    cases = [c for c in pairs(2 * args.n, args.size, 23) if c["kind"] == "pair"][:args.n] if "refine" in args.parts else []
    for i in range(0, len(cases), 8):
        part = cases[i:i + 8]
        if len(part) < 2:
            continue  # a wrong subject needs another one
        mask, target = (np.stack([c[k] for c in part]) for k in ("mask", "target"))
        cut, placed = [c["cutout"] for c in part], [c["placed"] for c in part]
        texts, filled = ["a " + c["info"]["name"] for c in part], np.stack([pipe.fill(c["target"], c["mask"]) for c in part])
        for name, more in (("without", {}), ("with", dict(refine=True)), ("wrong subject", dict(refine=True, references=cut[1:] + cut[:1]))):
            out = pipe(target, mask, cut, texts, beta=0.3, filled=filled, seed=i, placed=placed, **dict(options, refine=False) | more)
            for o, t, m, p in zip(out, target, mask, placed):
                on = p[..., 3] > 0.8
                note(f"RefineNet {name}", "psnr", psnr(o, t, m))
                note(f"RefineNet {name}", "chroma error", chroma_error(o, t, on))
        print("refine", i + len(part), flush=True)
    cases = insertions(max(4, args.n // 4), args.size, 9) if "seed" in args.parts else []
    for c in cases:
        cover = G.fit(c["cutout"], c["mask"])[1]
        filled, lean = pipe.fill(c["scene"], c["mask"]), []
        for seed in range(8):
            out = pipe(c["scene"][None], c["mask"][None], [c["cutout"]], [""], beta=1.0, filled=filled[None], seed=seed, **options)[0]
            lean.append(sideways(out, cover))
        note("eight seeds", "spread of right - left", float(np.std(lean)))
    cases = [c for c in insertions(args.n, args.size, 9) if c["info"]["hue"] is not None] if "colour" in args.parts else []
    rng = np.random.default_rng(4)
    words = []
    for c in cases:
        own = np.array(c["cutout"][c["cutout"][..., 3] > 128][:, :3].mean(0), np.float32)
        cos = lambda w: float(chroma(np.array(TINTS[w], np.float32)) @ chroma(own) / (np.linalg.norm(chroma(np.array(TINTS[w], np.float32))) * np.linalg.norm(chroma(own)) + 1e-6))
        words.append((str(rng.choice([w for w in ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink") if cos(w) < 0.5])), own))
    for i in range(0, len(cases), 8):
        part = cases[i:i + 8]
        scene, mask, cut = np.stack([c["scene"] for c in part]), np.stack([c["mask"] for c in part]), [c["cutout"] for c in part]
        filled = np.stack([pipe.fill(a, b) for a, b in zip(scene, mask)])
        texts = [f"a {w} {c['info']['name']}" for (w, _), c in zip(words[i:i + 8], part)]
        for beta in (0.0, 0.3, 0.6, 1.0):
            out = pipe(scene, mask, cut, texts, beta=beta, strength=args.strength, filled=filled, seed=i, **options)
            for p, m, c, (w, own) in zip(out, mask, cut, words[i:i + 8]):
                ok, strength = follows(p, G.fit(c, m)[1], w, own)
                note(f"beta {beta}", "follows the text's colour", float(ok))
                note(f"beta {beta}", "chroma", strength)
        print("colour", i + len(part), flush=True)
    table = {name: {k: dict(mean=round(float(np.mean(v)), 3), standard_error=round(float(np.std(v) / np.sqrt(len(v))), 3), n=len(v)) for k, v in values.items()} for name, values in rows.items()}
    with open(args.out, "w") as file:
        json.dump(dict(settings=vars(args), table=table), file, indent=1)
    for name, values in table.items():
        print(name, {k: (v["mean"], v["standard_error"], v["n"]) for k, v in values.items()})


if __name__ == "__main__":
    main()
