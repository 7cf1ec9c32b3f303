"""A tiny set of arrays in the form that assets.py writes, so that the tests need no downloads."""
import json, os, sys, tempfile
import numpy as np
import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["MINI_WORK"] = tempfile.mkdtemp(prefix="mini-test-")
os.environ["OMP_NUM_THREADS"] = "1"


def disc(rng, colour):
    y, x = np.mgrid[:256, :256]
    inside = np.hypot(y - 128, x - 128) < rng.uniform(80, 118)
    out = np.zeros((256, 256, 4), np.uint8)
    out[..., :3] = np.array(colour) * (0.7 + 0.3 * y[..., None] / 255)
    out[..., 3] = inside * 255
    return out


@pytest.fixture(scope="session")
def assets():
    from mini.colour import dominant_colour
    from mini.paths import work
    from mini import tokenizer
    rng = np.random.default_rng(0)
    names = ["apple", "boat", "cup", "drum"]
    colours = [(200, 40, 40), (40, 80, 210), (230, 210, 60), (40, 160, 70)]
    cutouts = [disc(rng, c) for c in colours for _ in range(2)]
    info = [dict(kind="emoji", name=names[i // 2], source=("fluent3d", "noto")[i % 2], keywords=[], held_out=i >= 6) for i in range(8)]
    photos = [disc(rng, c) for c in colours]
    photo_info = [dict(kind="garment", name="t-shirt", source="garment", keywords=[], caption="a t-shirt", held_out=i == 3) for i in range(4)]
    for arrays, infos in ((cutouts, info), (photos, photo_info)):
        for a, i in zip(arrays, infos):
            i["colour"], i["hue"] = dominant_colour(a)
    for name, arrays, infos in (("cutouts", cutouts, info), ("photos", photos, photo_info)):
        np.save(work("assets", f"{name}.npy"), np.stack(arrays))
        json.dump(infos, open(work("assets", f"{name}.json"), "w"))
    scenes = rng.integers(0, 255, (3, 300, 400, 3)).astype(np.uint8)
    scenes.tofile(work("assets", "scenes.npy"))
    size = 300 * 400 * 3
    json.dump([dict(offset=i * size, h=300, w=400, source="coco", split="test" if i == 2 else "train", file=str(i)) for i in range(3)], open(work("assets", "scenes.json"), "w"))
    tokenizer.train(work("tokenizer", "x")[:-2], tokenizer.corpus(), 700)
    return work
