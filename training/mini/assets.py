"""Collect training pictures as arrays: cut-outs, photos with an object mask, scenes. usage: python -m mini.assets [--limit N]

cutouts.npy  u8 (N,256,256,4)  things without their ground: emoji renderings, shop pictures
photos.npy   u8 (N,256,256,4)  whole photos, alpha = mask of the object: garments, cartons
scenes.npy   u8 flat           pictures of any size one after the other, see scenes.json
Only sources whose licence lets weights be shipped; see README.md for the list."""
import argparse, glob, io, json, os, re, zipfile
from collections import Counter
import cv2
import numpy as np
from PIL import Image
from .colour import dominant_colour, strip_colours
from .held_out import load as load_held_out, unit_hash
from .paths import PHOTOS, SOURCES, work

SIZE = 256
SCENE_SHORT = 900  # shorter side of a stored scene at most
cv2.setNumThreads(1)


def fit_rgba(rgba, size=SIZE, margin=0.02):
    """Crop to the alpha box and fit into a transparent square (premultiplied resize)."""
    ys, xs = np.where(rgba[..., 3] > 16)
    if len(ys) < 30:
        return None
    rgba = rgba[ys.min():ys.max() + 1, xs.min():xs.max() + 1]
    h, w = rgba.shape[:2]
    scale = size * (1 - 2 * margin) / max(h, w)
    nw, nh = max(1, round(w * scale)), max(1, round(h * scale))
    pre = rgba.astype(np.float32)
    pre[..., :3] *= pre[..., 3:] / 255
    pre = cv2.resize(pre, (nw, nh), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    alpha = np.clip(pre[..., 3:], 0, 255)
    rgb = np.clip(pre[..., :3] * 255 / np.maximum(alpha, 1), 0, 255)
    out = np.zeros((size, size, 4), np.uint8)
    y, x = (size - nh) // 2, (size - nw) // 2
    out[y:y + nh, x:x + nw] = np.concatenate([rgb, alpha], -1).astype(np.uint8)
    return out


def emoji():
    import resvg_py
    npm = f"{SOURCES}/npm"
    groups = json.load(open(f"{npm}/unicode-emoji-json-0.9.0/data-by-emoji.json"))
    keywords = json.load(open(f"{npm}/emojilib-4.0.3/dist/emoji-en-US.json"))
    keep = {"Food & Drink", "Objects", "Animals & Nature", "Travel & Places", "Activities"}
    drop = re.compile(r"o'clock|thirty|moon face|with face|sign|suit|joker|red dragon|flower playing|paw prints|cityscape|sunrise|sunset|night|milky|bridge at|foggy|fog|wave$|trend|chart")
    for symbol, info in groups.items():
        name = info["name"].lower().replace("’", "'")
        if info["group"] not in keep or drop.search(name):
            continue
        codes = [f"{ord(c):04x}" for c in symbol]
        plain = [c for c in codes if c != "fe0f"]
        paths = []
        for key in ("-".join(codes), "-".join(plain), "-".join(plain + ["fe0f"])):
            paths += [("fluent3d", f"{npm}/lobehub-fluent-emoji-3d-1.1.0/assets/{key}.webp"), ("modern", f"{npm}/lobehub-fluent-emoji-modern-1.0.0/assets/{key}.svg")]
        paths.append(("noto", f"{npm}/asturur-noto-emoji-3.0.3/svg/emoji_u{'_'.join(plain)}.svg"))
        words, done = [w.replace("_", " ") for w in keywords.get(symbol, [])[:5]], set()
        for source, path in paths:
            if source in done or not os.path.exists(path):
                continue
            try:
                data = bytes(resvg_py.svg_to_bytes(svg_path=path, width=SIZE, height=SIZE)) if path.endswith(".svg") else open(path, "rb").read()
                rgba = np.array(Image.open(io.BytesIO(data)).convert("RGBA"))
            except Exception as error:  # a few vector files use features that the renderer lacks
                print("left out:", path, error)
                continue
            done.add(source)
            yield dict(kind="emoji", name=strip_colours(name), source=source, keywords=words), rgba


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def read_mask(archive, name, size):
    mask = np.array(Image.open(io.BytesIO(archive.read(name))).convert("L"))
    return cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)


def shop_pictures():
    base = f"{PHOTOS}/groceries"
    captions = {c["file"]: c["caption"] for c in lines(f"{base}/captions.jsonl") if c["file"].startswith("iconic/")}
    with zipfile.ZipFile(f"{base}/masks.zip") as archive:
        for item in lines(f"{base}/iconic.jsonl"):
            rgb = np.array(Image.open(f"{base}/{item['iconic']}").convert("RGB"))
            mask = read_mask(archive, item["mask"], (rgb.shape[1], rgb.shape[0]))
            words = [item["coarse"].replace("-", " ").lower()]
            yield dict(kind="product", name=item["fine"].replace("-", " ").lower(), source="shop", keywords=words,
                       caption=captions.get(item["iconic"])), np.concatenate([rgb, mask[..., None]], -1)


def square(rgba, size=SIZE):
    """Pad to a square by repeating the rim (alpha 0 there), then resize."""
    h, w = rgba.shape[:2]
    side = max(h, w)
    top, left = (side - h) // 2, (side - w) // 2
    out = cv2.copyMakeBorder(rgba, top, side - h - top, left, side - w - left, cv2.BORDER_REPLICATE)
    inside = np.zeros((side, side), bool)
    inside[top:top + h, left:left + w] = True
    out[~inside, 3] = 0
    return cv2.resize(out, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)


def masked_photos(limit):
    base = f"{PHOTOS}/garments"
    captions = {c["file"]: c for c in lines(f"{base}/captions.jsonl")}
    items = [i for i in lines(f"{base}/index.jsonl") if i.get("mask_ok") and 0.06 < i["mask_area"] < 0.75 and i["mask_border"] < 0.2]
    items.sort(key=lambda i: unit_hash(i["file"]))
    names = {"longsleeve": "long-sleeve top", "outwear": "jacket"}
    with zipfile.ZipFile(f"{base}/masks.zip") as archive:
        for item in items[:limit]:
            rgb = np.array(Image.open(f"{base}/{item['file']}").convert("RGB"))
            mask = read_mask(archive, item["mask"], (rgb.shape[1], rgb.shape[0]))
            yield dict(kind="garment", name=names.get(item["class"], item["class"]), source="garment", keywords=[], caption=captions[item["file"]]["caption"],
                       file=item["file"], held_out=item["split"] == "test"), square(np.concatenate([rgb, mask[..., None]], -1))
    base = f"{PHOTOS}/groceries"
    items = [i for i in lines(f"{base}/index.jsonl") if i.get("mask_ok") and 0.06 < i["mask_area"] < 0.7 and i["mask_border"] < 0.12 and i.get("mask_skin", 0) < 0.25]
    with zipfile.ZipFile(f"{base}/masks.zip") as archive:
        for item in items[:limit]:
            rgb = np.array(Image.open(f"{base}/{item['file']}").convert("RGB"))
            mask = read_mask(archive, item["mask"], (rgb.shape[1], rgb.shape[0]))
            yield dict(kind="product", name=item["fine"].replace("-", " ").lower(), source="carton", keywords=[item["coarse"].replace("-", " ").lower()], caption=None,
                       file=item["file"]), square(np.concatenate([rgb, mask[..., None]], -1))


def scene_files(limit):
    """(path, source, split). Kodak is kept for tests; share-alike and copyleft pictures are left out."""
    scenes = f"{PHOTOS}/scenes"
    for item in lines(f"{scenes}/index.jsonl"):
        part = item["file"].split("/")[0]
        if "SA" in item["license"] or part not in ("coco", "gb82", "kodak"):
            continue
        yield f"{scenes}/{item['file']}", part, "test" if part == "kodak" else "train"
    interior = f"{SOURCES}/pypi/x/interior_photos/images"
    for path in sorted(glob.glob(f"{interior}/*.jpg")):
        if not re.search(r"2560067|36444540", path):  # children; a rendering
            yield path, "interior", "test" if unit_hash("scene:" + os.path.basename(path)) < 0.12 else "train"
    wall = f"{SOURCES}/deb/x/usr/share/backgrounds"
    for name in ("seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi", "Wine_by_Jakkub_Mede", "picosdeeuropa_by_Aitzol_Berasategi", "aitzgorri_by_Aitzol_Berasategi",
                 "life_by_Aitzol_Berasategi", "friends_by_Aitzol_Berasategi", "Picture_0B_by_freespace", "Picture_1A_by_freespace", "umang_by_Abhishek_Mudgal"):
        if os.path.exists(f"{wall}/{name}.jpg"):
            yield f"{wall}/{name}.jpg", "wallpaper", "train"
    for name in ("coffee.png", "chelsea.png", "rocket.jpg", "astronaut.png"):
        yield f"{SOURCES}/pypi/x/skimage/data/{name}", "skimage", "test" if name == "coffee.png" else "train"
    for name in ("china.jpg", "flower.jpg"):
        yield f"{SOURCES}/pypi/x/sklearn/datasets/images/{name}", "sklearn", "train"
    shop = sorted(glob.glob(f"{PHOTOS}/groceries/train/**/*.webp", recursive=True))
    for path in shop[:limit]:
        yield path, "grocery", "train"


def build_cutouts(limit, held):
    arrays, infos = [], []
    for info, rgba in list(emoji())[:limit] + list(shop_pictures())[:limit]:
        fitted = fit_rgba(rgba)
        if fitted is None:
            continue
        info["colour"], info["hue"] = dominant_colour(fitted)
        info["held_out"] = f"{info['kind']}: {info['name']}" in held
        arrays.append(fitted)
        infos.append(info)
    return arrays, infos


def build_photos(limit, held):
    arrays, infos = [], []
    for info, rgba in masked_photos(limit):
        info.setdefault("held_out", f"{info['kind']}: {info['name']}" in held)
        info["colour"], info["hue"] = dominant_colour(rgba)
        arrays.append(rgba)
        infos.append(info)
    return arrays, infos


def build_scenes(limit):
    infos, offset = [], 0
    with open(work("assets", "scenes.tmp"), "wb") as out:
        for path, source, split in scene_files(limit):
            if not os.path.exists(path):
                print("missing:", path)
                continue
            image = Image.open(path).convert("RGB")
            if min(image.size) > SCENE_SHORT:
                f = SCENE_SHORT / min(image.size)
                image = image.resize((round(image.size[0] * f), round(image.size[1] * f)), Image.BOX)
            array = np.array(image)
            out.write(array.tobytes())
            infos.append(dict(offset=offset, h=array.shape[0], w=array.shape[1], source=source, split=split, file=os.path.basename(path)))
            offset += array.size
    os.replace(work("assets", "scenes.tmp"), work("assets", "scenes.npy"))
    return infos


def write_held_out():
    """Made once, then fixed: 8 % of the emoji concepts and products by hash of the name."""
    names = sorted({f"{i['kind']}: {i['name']}" for gen in (emoji(), shop_pictures()) for i, _ in gen})
    with open(load_held_out.__globals__["HELD_OUT"], "w") as file:
        file.write("# Concepts that are never trained on, one `kind: name` a line. Garments: the source's test split. Scenes: Kodak and the test split of assets.py.\n")
        file.writelines(n + "\n" for n in names if unit_hash("concept:" + n) < 0.08)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--limit", type=int, default=None, help="at most N of each kind (smoke test)")
    ap.add_argument("--write-held-out", action="store_true")
    args = ap.parse_args()
    if args.write_held_out:
        return write_held_out()
    held = load_held_out()
    for name, (arrays, infos) in (("cutouts", build_cutouts(args.limit, held)), ("photos", build_photos(args.limit, held))):
        np.save(work("assets", f"{name}.npy"), np.stack(arrays))
        json.dump(infos, open(work("assets", f"{name}.json"), "w"))
        print(name, len(infos), Counter((i["source"], "held out" if i["held_out"] else "train") for i in infos), flush=True)
    infos = build_scenes(args.limit)
    json.dump(infos, open(work("assets", "scenes.json"), "w"))
    print("scenes", Counter((i["source"], i["split"]) for i in infos))


if __name__ == "__main__":
    main()
