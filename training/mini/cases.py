"""Held-out test cases as the application would see them: a scene, a mask box, a subject's cut-out, a text; and pairs with a ground truth."""
import numpy as np
from .synth import Synth


def pairs(n, size, seed=21, kinds=("composite", "composite", "photo")):
    """Synthetic pairs of the test split that keep the subject's colours: target, mask, scene, cut-out and how it is placed in the guide."""
    synth, out = Synth("test", size, seed), []
    while len(out) < n:
        d = synth.sample(kinds[len(out) % len(kinds)], reference=False)
        if d["kind"] not in ("pair", "subject", "keep"):  # the subject keeps its colours, so the target is the truth for it
            continue
        d["cutout"] = d["subject"][:, ::-1].copy() if d["flip"] else d["subject"]
        out.append(d)
    return out


PUBLISHED_SCENES, PUBLISHED_SUBJECTS = ("interior", "skimage"), ("fluent3d", "modern", "noto")


def insertions(n, size, seed=5, published=False):
    """A held-out subject for a box in a held-out scene, as a user would draw it; no ground truth. published: only pictures that may be shown in the project,
    which come out of packages; the photographs of the data pack may be trained and tested on, but not copied."""
    synth, rng, out = Synth("test", size, seed), np.random.default_rng(seed), []
    if published:
        data = synth.data
        data.scene_ids = [i for i in data.scene_ids if data.scene_info[i]["source"] in PUBLISHED_SCENES]
        data.scene_p = np.full(len(data.scene_ids), 1 / len(data.scene_ids))
    while len(out) < n:
        rgba, info = synth.subject()
        if published and info.get("source") not in PUBLISHED_SUBJECTS:
            continue
        scene = synth.data.background(rng, size, 1.2)
        ys, xs = np.where(rgba[..., 3] > 16)
        aspect = (np.ptp(xs) + 1) / (np.ptp(ys) + 1)
        h = size * 0.7 * min(1, 1 / aspect)
        w = min(size * 0.76, h * aspect * rng.uniform(1.0, 1.25))
        mask = np.zeros((size, size), np.uint8)
        y, x = int(size / 2 - h / 2), int(size / 2 - w / 2)
        mask[y:y + int(h), x:x + int(w)] = 1
        out.append(dict(scene=scene, mask=mask, cutout=rgba, info=info, text="a " + info["name"]))
    return out
