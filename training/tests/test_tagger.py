import json, os
import numpy as np
from mini import tagger

FIXTURE = os.path.join(os.path.dirname(__file__), "..", "..", "test", "unit", "data-engine", "fixtures", "features.json")


def test_features_are_those_of_the_application():
    """The same made-up picture and the same numbers that the application's own test has."""
    ys, xs = np.mgrid[0:128, 0:128]
    crop = np.stack([(xs * 2 + ys * 3) % 256, (xs * ys // 16) % 256, (np.hypot(xs - 64, ys - 64) * 5).astype(int) % 256], -1).astype(np.uint8)
    with open(FIXTURE) as file:
        wanted = json.load(file)
    found = tagger.features(crop)
    assert len(found) == wanted["length"]
    assert all(abs(found[at] - value) < 1e-4 for at, value in wanted["largest"])


def test_never_reads_a_test_photo(monkeypatch, tmp_path):
    for pack, line in (("groceries", {"coarse": "Apple", "group": "Fruit"}), ("garments", {"class": "hat"}), ("scenes", {"license": "CC0-1.0"})):
        (tmp_path / pack).mkdir()
        rows = [{"file": f"{split}/x.webp", "split": split, **line} for split in ("train", "test")]
        (tmp_path / pack / "index.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    monkeypatch.setattr(tagger, "PHOTOS", str(tmp_path))
    files = [path for path, *_ in tagger.samples() if "scenes" not in path]
    assert len(files) == 2 and all("/train/" in path for path in files)
