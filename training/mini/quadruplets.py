"""Reads datasets of the data engine (docs/data-engine.md): quadruplets of (photo, mask, subject, regional text), with what people decided about them.

    for q in read("D", split="train"):
        q.photo()    # RGB picture, q.mask() its L mask of the same size, q.subject() the RGBA cut-out, q.text the regional text
"""
import json, os
from dataclasses import dataclass, field
from PIL import Image

FORMAT = 1


@dataclass(frozen=True)
class Quadruplet:
    id: str
    text: str
    tag: str
    group: str | None
    box: tuple[int, int, int, int]
    split: str
    licence: str | None
    source: str | None
    review: str
    flags: dict
    scores: dict
    photo_path: str
    mask_path: str
    subject_path: str
    mended: bool = field(default=False)

    def photo(self):
        return Image.open(self.photo_path).convert("RGB")

    def mask(self):
        return Image.open(self.mask_path).convert("L")

    def subject(self):
        """RGBA; of a mended mask it is cut anew."""
        if not self.mended:
            return Image.open(self.subject_path).convert("RGBA")
        mask, photo = self.mask(), self.photo()
        photo.putalpha(mask)
        x, y, w, h = self.box
        return photo.crop((x, y, x + w, y + h))


def inside(folder, path):
    """A path of the dataset below its folder; anything else is refused."""
    if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"{path!r}: expected a path inside {folder}")
    return os.path.join(folder, *path.split("/"))


def lines(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError:
                    raise ValueError(f"{path}, line {number}: expected one JSON object") from None


def reviews(folder):
    """id -> the last decision about it. A last line that a power cut left unfinished is no decision."""
    path, decided = os.path.join(folder, "reviews.jsonl"), {}
    if not os.path.exists(path):
        return decided
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                review = json.loads(line) if line.strip() else None
            except ValueError:
                if not line.endswith(b"\n"):
                    break
                raise ValueError(f"{path}, line {number}: expected one JSON object") from None
            if review is not None:
                decided[review["id"]] = review
    return decided


def read(folder, split=None, photos=None, rejected=False, flagged=True):
    """Quadruplets one after the other. split: only this one. photos: the photos' folder where it has moved. rejected: those that a person threw out too.
    flagged: False leaves out what is occluded, cut by the border, or of a photo that is nearly equal to another."""
    with open(os.path.join(folder, "dataset.json"), encoding="utf-8") as file:
        dataset = json.load(file)
    if dataset.get("format") != FORMAT:
        raise ValueError(f"{folder}: format {dataset.get('format')}, expected {FORMAT}")
    root = photos if photos is not None else os.path.normpath(os.path.join(folder, dataset["photos"]))
    decided = reviews(folder)
    for line in lines(os.path.join(folder, "quadruplets.jsonl")):
        review = decided.get(line["id"], {})
        state = review.get("state", line["review"])
        flags = line["flags"]
        if (split is not None and line["split"] != split) or (state == "rejected" and not rejected):
            continue
        if not flagged and (flags["occluded"] or flags["borderCut"] or flags["nearDuplicateOf"] is not None):
            continue
        tag, mended = review.get("tag") or line["tag"], review.get("mask")
        mask_path = inside(folder, mended or line["mask"])
        box = line["box"]
        yield Quadruplet(
            id=line["id"], text=review.get("text") or line["text"], tag=tag,
            group=line["group"] if tag == line["tag"] else None,  # the class above the tagger's word says nothing of another one
            box=box_of(mask_path) if mended else (box["x"], box["y"], box["w"], box["h"]), split=line["split"], licence=line["licence"], source=line["source"],
            review=state, flags=flags, scores=line["scores"], photo_path=inside(root, line["image"]["file"]), mask_path=mask_path,
            subject_path=inside(folder, line["subject"]), mended=bool(mended))


def box_of(mask_path):
    """The box of what is above one half."""
    box = Image.open(mask_path).convert("L").point(lambda value: 255 if value > 127 else 0).getbbox()
    if box is None:
        raise ValueError(f"{mask_path}: nothing is marked")
    left, top, right, bottom = box
    return left, top, right - left, bottom - top
