"""Guides that show less than the whole subject, so that its colour, its detail or all of it can come only through RefineNet.

Latents are DCT coefficients of 8x8 blocks (vae.py), so leaving out chroma or detail is leaving out channels; nothing is decoded."""
import torch
import torch.nn.functional as F

LUMINANCE, CHROMA, MEANS = slice(0, 10), slice(10, 16), (0, 10, 13)
KINDS = ("whole", "grey", "soft", "softgrey", "none")
# shares of KINDS in a step with RefineNet and in one without
WITH, WITHOUT = (0.30, 0.20, 0.18, 0.12, 0.20), (0.72, 0.08, 0.07, 0.03, 0.10)


def weaken(zg, kind):
    """Guide latents (B,16,h,w) of one kind. grey: no chroma; soft: block means alone, over 2x2 blocks (the shape stays, the drawing goes)."""
    if kind == "whole":
        return zg
    if kind == "none":
        return torch.zeros_like(zg)
    out = zg.clone()
    if kind.endswith("grey"):
        out[:, CHROMA] = 0
    if kind.startswith("soft"):
        means = F.interpolate(F.avg_pool2d(out[:, MEANS], 2), scale_factor=2, mode="bilinear")
        out.zero_()
        out[:, MEANS] = means
    return out


def mixed(zg, mask, shares):
    """Each sample of a batch gets a kind by chance, inside its mask; `none` takes the whole guide away, as the application does without a subject."""
    kinds = torch.multinomial(torch.tensor(shares), len(zg), replacement=True)
    out = zg.clone()
    for i, kind in enumerate(KINDS):
        rows = kinds == i
        if kind == "whole" or not rows.any():
            continue
        weak = weaken(zg[rows], kind)
        out[rows] = weak if kind == "none" else zg[rows] + mask[rows] * (weak - zg[rows])
    return out
