import json
import numpy as np
import pytest
from PIL import Image
from mini.quadruplets import read


@pytest.fixture
def dataset(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    for folder in (photos, out / "masks" / "ab", out / "subjects" / "ab", out / "mended" / "ab"):
        folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)).save(photos / "été.png")
    records = []
    for number, (split, occluded) in enumerate([("train", False), ("train", True), ("validation", False)], 1):
        name = f"ab00000000000000-{number:02d}"
        mask = np.zeros((30, 40), np.uint8)
        mask[5:15, 10:30] = 255
        Image.fromarray(mask).save(out / "masks" / "ab" / f"{name}.png")
        Image.new("RGBA", (20, 10), (number, 2, 3, 255)).save(out / "subjects" / "ab" / f"{name}.png")
        records.append({
            "format": 1, "id": name, "image": {"file": "été.png", "sha256": "0" * 64, "width": 40, "height": 30}, "mask": f"masks/ab/{name}.png", "subject": f"subjects/ab/{name}.png",
            "box": {"x": 10, "y": 5, "w": 20, "h": 10}, "area": 0.17, "text": f"a red thing {number}", "tag": "thing", "group": None, "colours": [],
            "scores": {"tag": 1, "localize": 1, "segment": None, "stability": None},
            "flags": {"occluded": occluded, "borderCut": False, "face": None, "nearDuplicateOf": None}, "licence": None, "source": None, "split": split, "review": "open"})
    (out / "quadruplets.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    (out / "dataset.json").write_text(json.dumps({"format": 1, "photos": "../photos"}))
    return out


def test_reads_what_belongs_together(dataset):
    first, second = read(dataset, split="train")
    assert (first.text, first.box, second.flags["occluded"]) == ("a red thing 1", (10, 5, 20, 10), True)
    assert first.photo().size == first.mask().size == (40, 30)
    assert first.subject().size == (20, 10) and first.subject().getpixel((0, 0))[0] == 1
    assert [q.id[-1] for q in read(dataset, split="train", flagged=False)] == ["1"]


def test_takes_what_people_decided(dataset):
    mask = np.zeros((30, 40), np.uint8)
    mask[2:6, 3:11] = 255
    Image.fromarray(mask).save(dataset / "mended" / "ab" / "m.png")
    base = {"text": None, "tag": None, "mask": None}
    reviews = [{"id": "ab00000000000000-01", "state": "rejected", **base}, {"id": "ab00000000000000-02", "state": "rejected", **base},
               {"id": "ab00000000000000-01", "state": "accepted", **base, "text": "a blue thing", "mask": "mended/ab/m.png"}]
    (dataset / "reviews.jsonl").write_text("".join(json.dumps(r) + "\n" for r in reviews))
    first, third = read(dataset)
    assert (first.text, first.review, first.box, third.id[-1]) == ("a blue thing", "accepted", (3, 2, 8, 4), "3")
    assert first.subject().size == (8, 4) and first.subject().getpixel((0, 0))[:3] == first.photo().getpixel((3, 2))
    assert len(list(read(dataset, rejected=True))) == 3


def test_takes_tags_that_people_wrote(dataset):
    lines = [json.loads(line) for line in (dataset / "quadruplets.jsonl").read_text(encoding="utf-8").splitlines()]
    (dataset / "quadruplets.jsonl").write_text("".join(json.dumps({**line, "group": "things"}) + "\n" for line in lines))
    review = {"id": lines[0]["id"], "state": "open", "text": "a red Öltank 1", "tag": "Öltank", "mask": None}
    (dataset / "reviews.jsonl").write_text(json.dumps(review) + "\n")
    first, second, _ = read(dataset)
    assert (first.tag, first.group, first.text) == ("Öltank", None, "a red Öltank 1")
    assert (second.tag, second.group) == ("thing", "things")


def test_passes_over_a_torn_last_decision(dataset):
    line = json.dumps({"id": "ab00000000000000-01", "state": "rejected", "text": None, "tag": None, "mask": None})
    (dataset / "reviews.jsonl").write_bytes((line + "\n" + line[:30]).encode())
    assert [q.id[-1] for q in read(dataset)] == ["2", "3"]
    (dataset / "reviews.jsonl").write_bytes((line[:30] + "\n" + line + "\n").encode())
    with pytest.raises(ValueError, match="line 1"):
        list(read(dataset))


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a//b", "a\\b"])
def test_does_not_leave_its_folder(dataset, path):
    line = json.loads((dataset / "quadruplets.jsonl").read_text(encoding="utf-8").splitlines()[0])
    (dataset / "quadruplets.jsonl").write_text(json.dumps({**line, "mask": path}))
    with pytest.raises(ValueError, match="inside"):
        list(read(dataset))


def test_names_a_broken_line(dataset):
    with open(dataset / "quadruplets.jsonl", "a") as file:
        file.write("{")
    with pytest.raises(ValueError, match="line 4"):
        list(read(dataset))
