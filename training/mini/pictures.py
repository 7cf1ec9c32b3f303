"""The arrays of assets.py as random crops."""
import json
import cv2
import numpy as np
from .paths import work

cv2.setNumThreads(1)


class Pictures:
    def __init__(self, split="train"):
        self.split = split
        self.cutouts, self.photos = (np.load(work("assets", f"{n}.npy"), mmap_mode="r") for n in ("cutouts", "photos"))
        self.cutout_info, self.photo_info, self.scene_info = (json.load(open(work("assets", f"{n}.json"))) for n in ("cutouts", "photos", "scenes"))
        self.flat = np.memmap(work("assets", "scenes.npy"), np.uint8, "r")
        test = split == "test"
        self.cutout_ids = [i for i, c in enumerate(self.cutout_info) if c["held_out"] == test]
        self.photo_ids = [i for i, p in enumerate(self.photo_info) if p["held_out"] == test]
        self.scene_ids = [i for i, s in enumerate(self.scene_info) if s["split"] == split]
        # 2,640 shop photos would drown about 90 others
        share = {"grocery": 0.008, "interior": 2.5, "wallpaper": 1.0, "coco": 1.0, "gb82": 0.8, "kodak": 1.0, "skimage": 0.5, "sklearn": 0.7}
        p = np.array([share[self.scene_info[i]["source"]] for i in self.scene_ids])
        self.scene_p = p / p.sum()

    def scene(self, i):
        s = self.scene_info[i]
        return self.flat[s["offset"]:s["offset"] + s["h"] * s["w"] * 3].reshape(s["h"], s["w"], 3)

    def background(self, rng, size, closest=1.0):
        """A random square of a random scene, u8 (size,size,3). closest: the smallest side of the square in units of size."""
        img = self.scene(self.scene_ids[int(rng.choice(len(self.scene_ids), p=self.scene_p))])
        h, w = img.shape[:2]
        low = min(int(size * closest), h, w)
        side = int(np.exp(rng.uniform(np.log(low), np.log(min(h, w)))))
        y, x = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))
        crop = np.ascontiguousarray(img[y:y + side, x:x + side])
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)
        return np.ascontiguousarray(crop[:, ::-1]) if rng.random() < 0.5 else crop
