"""The data engine's offline tagger: hand-made features of a crop and a small network over them.

usage: python -m mini.tagger features && python -m mini.tagger train --out ../resources/data-engine/tagger.safetensors

The features (colour histograms in Lab, gradient directions, local binary patterns) are those of src-main/data-engine/offline/features.ts, to the bin; a fixture that both sides test keeps
them so. Trained on the train and validation splits of groceries and garments, with general photos as "other"; test photos are never read. Labels are the packs' own."""
import argparse, json, os
import numpy as np
from PIL import Image
from .held_out import unit_hash
from .paths import PHOTOS, work

SIDE = 128
GARMENTS = {"longsleeve": "long-sleeve top", "outwear": "jacket", "pants": "trousers"}
OTHER = "other"


def lab_of(rgb):
    """u8 (H,W,3) sRGB -> float64 CIE Lab under D65."""
    v = rgb.astype(np.float64) / 255
    r, g, b = np.moveaxis(np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4), -1, 0)
    f = lambda t: np.where(t > 216 / 24389, np.cbrt(t), (t * (24389 / 27) + 16) / 116)
    x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
    y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b)
    z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def colours(lab, lights, chromas):
    """Square root of the shares of lights x chromas x chromas bins; L 0 .. 100, a and b -60 .. 60."""
    light = np.clip(np.floor(lab[..., 0] / 100 * lights).astype(int), 0, lights - 1)
    a = np.clip(np.floor((lab[..., 1] + 60) / 120 * chromas).astype(int), 0, chromas - 1)
    b = np.clip(np.floor((lab[..., 2] + 60) / 120 * chromas).astype(int), 0, chromas - 1)
    counts = np.bincount(((light * chromas + a) * chromas + b).ravel(), minlength=lights * chromas * chromas)
    return np.sqrt(counts / counts.sum())


def directions(light, cells, bins):
    """Gradient directions (0 .. 180 degrees) of cells x cells parts, weighted by strength, square root of shares of the whole."""
    gx, gy = np.zeros_like(light), np.zeros_like(light)
    gx[:, 1:-1] = light[:, 2:] - light[:, :-2]
    gy[1:-1] = light[2:] - light[:-2]
    which = np.minimum(np.floor(np.mod(np.arctan2(gy, gx), np.pi) / np.pi * bins).astype(int), bins - 1)
    cell = np.arange(len(light)) // (len(light) // cells)
    sums = np.bincount((((cell[:, None] * cells + cell[None]) * bins) + which).ravel(), weights=np.hypot(gx, gy).ravel(), minlength=cells * cells * bins)
    return np.sqrt(sums / (sums.sum() + 1e-3))


def patterns(light):
    """Local binary patterns: which of the eight neighbours are lighter by more than one step of L."""
    n = len(light) - 2
    middle = light[1:-1, 1:-1] + 1
    code = np.zeros((n, n), int)
    for bit, (dy, dx) in enumerate([(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]):
        code |= (light[dy:dy + n, dx:dx + n] > middle).astype(int) << bit
    counts = np.bincount(code.ravel(), minlength=256)
    return np.sqrt(counts / counts.sum())


def features(crop):
    """u8 (128,128,3) -> float32 features."""
    lab = lab_of(crop)
    light = lab[..., 0]
    half = light.reshape(64, 2, 64, 2).mean((1, 3))
    quarters = [colours(lab[y:y + 64, x:x + 64], 3, 5) for y in (0, 64) for x in (0, 64)]
    return np.concatenate([colours(lab, 6, 12), colours(lab[32:96, 32:96], 4, 8), *quarters, directions(light, 4, 8), directions(half, 1, 16),
                           patterns(light), patterns(half)]).astype(np.float32)


def crop_of(image, box):
    return np.array(image.crop(box).resize((SIDE, SIDE), Image.BILINEAR))


def crops(image, rng, count):
    """The whole picture, two crops about its middle, and some anywhere."""
    w, h = image.size
    s = min(w, h)
    x, y = (w - s) // 2, (h - s) // 2
    q = s * 2 // 3
    boxes = [(0, 0, w, h), (x, y, x + s, y + s), (x + (s - q) // 2, y + (s - q) // 2, x + (s - q) // 2 + q, y + (s - q) // 2 + q)]
    while len(boxes) < count:
        cw, ch = int(w * rng.uniform(0.45, 0.9)), int(h * rng.uniform(0.45, 0.9))
        u, v = int(rng.integers(0, w - cw + 1)), int(rng.integers(0, h - ch + 1))
        boxes.append((u, v, u + cw, v + ch))
    return [crop_of(image, box) for box in boxes]


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def samples():
    """(file, tag, group, crops) of everything that may be trained on."""
    for item in lines(f"{PHOTOS}/groceries/index.jsonl"):
        if item["split"] != "test" and not item["file"].startswith("iconic/"):
            yield f"{PHOTOS}/groceries/{item['file']}", item["coarse"].replace("-", " ").lower(), item["group"].lower(), 6
    garments = [i for i in lines(f"{PHOTOS}/garments/index.jsonl") if i["split"] == "train"]
    for item in sorted(garments, key=lambda i: unit_hash(i["file"]))[:1200]:
        yield f"{PHOTOS}/garments/{item['file']}", GARMENTS.get(item["class"], item["class"]), "garment", 3
    for item in lines(f"{PHOTOS}/scenes/index.jsonl"):
        if "SA" not in item["license"] and not item["file"].startswith("kodak/"):
            yield f"{PHOTOS}/scenes/{item['file']}", OTHER, None, 24


def make_features(limit):
    rng = np.random.default_rng(7)
    rows, labels, groups = [], [], {}
    for at, (path, tag, group, count) in enumerate(samples()):
        if limit is not None and at >= limit:
            break
        if not os.path.exists(path):
            continue
        rows += [features(crop).astype(np.float16) for crop in crops(Image.open(path).convert("RGB"), rng, count)]
        labels += [tag] * count
        groups[tag] = group
        if at % 500 == 0:
            print(at, flush=True)
    np.savez(work("tagger", "features.npz"), rows=np.stack(rows), labels=np.array(labels))
    with open(work("tagger", "groups.json"), "w") as file:
        json.dump(groups, file)
    print(len(rows), "crops of", len(groups), "words")


def train(out, hidden, epochs):
    import torch
    from safetensors.torch import save_file
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = np.load(work("tagger", "features.npz"))
    with open(work("tagger", "groups.json")) as file:
        groups = json.load(file)
    words = sorted(set(data["labels"]))
    x = torch.from_numpy(data["rows"].astype(np.float32))
    y = torch.tensor([words.index(w) for w in data["labels"]])
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    x = (x - mean) / deviation
    # groceries' photos are half of all; a word's weight evens out what the packs have more of
    weight = (len(y) / len(words) / torch.bincount(y, minlength=len(words)).clamp(min=1)).sqrt()
    net = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Linear(x.shape[1], hidden), torch.nn.GELU(), torch.nn.Dropout(0.5), torch.nn.Linear(hidden, len(words)))
    steps = epochs * len(x) // 256
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        batch = torch.randint(len(x), (256,))
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch], weight=weight, label_smoothing=0.05)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 500 == 0:
            print(step, steps, round(loss.item(), 3), flush=True)
    # (x - mean) / deviation goes into the first layer, so that the application multiplies once
    first, last = net[1], net[4]
    weights = first.weight.detach() / deviation
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    tensors = {"first.weight": weights, "first.bias": first.bias.detach() - weights @ mean, "last.weight": last.weight.detach(), "last.bias": last.bias.detach()}
    save_file({name: tensor.to(torch.float16).contiguous() if name.endswith("weight") else tensor.float().contiguous() for name, tensor in tensors.items()}, out,
              metadata={"words": json.dumps([{"tag": w, "group": groups[w]} for w in words])})
    print(out, os.path.getsize(out), "bytes")


def write_fixture(out):
    """A made-up picture and its features, for the tests of both sides."""
    ys, xs = np.mgrid[0:SIDE, 0:SIDE]
    crop = np.stack([(xs * 2 + ys * 3) % 256, (xs * ys // 16) % 256, (np.hypot(xs - 64, ys - 64) * 5).astype(int) % 256], -1).astype(np.uint8)
    vector = features(crop)
    top = np.argsort(-vector, kind="stable")[:200]
    with open(out, "w") as file:
        json.dump({"picture": "r = 2x + 3y, g = xy div 16, b = floor(5 hypot(x - 64, y - 64)), each modulo 256", "length": len(vector), "sum": float(vector.sum()),
                   "largest": [[int(i), round(float(vector[i]), 5)] for i in sorted(top)]}, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["features", "train", "fixture"])
    parser.add_argument("--out")
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--limit", type=int, default=None, help="at most N photos (a quick look)")
    args = parser.parse_args()
    if args.what == "features":
        return make_features(args.limit)
    if args.out is None:
        parser.error("--out FILE is needed")
    train(args.out, args.hidden, args.epochs) if args.what == "train" else write_fixture(args.out)


if __name__ == "__main__":
    main()
