"""Training quadruplets (target, mask, guide, subject picture, local text) made on the fly, already in the zoom-in frame.

The target is what the model shall paint: the subject lit by the scene, with its shadow, without a seam. The guide is what the application
can build by itself: the same subject unlit, slightly out of pose, with a rougher edge, on a scene whose hole was filled approximately."""
import math
import cv2
import numpy as np
from . import guide as G
from .colour import caption, recolour, with_article
from .pictures import Pictures

cv2.setNumThreads(1)
SOURCE_WEIGHT = {"fluent3d": 2.0, "modern": 0.35, "noto": 0.45, "shop": 7.0}


def premultiplied(rgba):
    pre = rgba.astype(np.float32)
    pre[..., :3] *= pre[..., 3:] * (1 / 255)
    pre[..., 3] *= 1 / 255
    return pre


def warp(pre, size, cx, cy, scale, angle, flip=False, tilt=(0.0, 0.0)):
    """Premultiplied cut-out (256 px) with its centre at (cx, cy), scaled, rotated, slightly tilted, on a size x size canvas."""
    if scale < 0.6:
        pre, scale = cv2.resize(pre, (128, 128), interpolation=cv2.INTER_AREA), scale * 2
    n = pre.shape[0]
    c, s = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
    centre = np.array([[-1 if flip else 1, 0, n / 2 if flip else -n / 2], [0, 1, -n / 2], [0, 0, 1]])
    persp = np.array([[1, 0, 0], [0, 1, 0], [tilt[0] / n, tilt[1] / n, 1]])
    return cv2.warpPerspective(pre, np.array([[c, -s, cx], [s, c, cy], [0, 0, 1]]) @ persp @ centre, (size, size), flags=cv2.INTER_LINEAR)


class Synth:
    """aligned: share of the samples whose picture for RefineNet stands in the frame as it does in the guide, not fitted into the frame as the application shows it."""
    def __init__(self, split="train", size=128, seed=0, aligned=0.0):
        self.rng, self.size, self.data, self.aligned = np.random.default_rng(seed), size, Pictures(split), aligned
        d = self.data
        weight = np.array([SOURCE_WEIGHT[d.cutout_info[i]["source"]] for i in d.cutout_ids])
        self.cutout_p = weight / weight.sum()
        self.peers = {}
        for i in d.cutout_ids:
            self.peers.setdefault(d.cutout_info[i]["name"], []).append(i)

    # ---- parts -----------------------------------------------------------------------------------------------------
    def subject(self):
        """A cut-out u8 (256,256,4), its name, keywords, ready caption, dominant colour and hue, kind."""
        rng, d = self.rng, self.data
        if rng.random() < 0.30:
            i = int(rng.choice(d.photo_ids))
            info, rgba = d.photo_info[i], np.array(d.photos[i])
            ys, xs = np.where(rgba[..., 3] > 100)
            side = int(max(np.ptp(ys), np.ptp(xs)) + 8)
            cy, cx = (ys.min() + ys.max()) // 2, (xs.min() + xs.max()) // 2
            m = np.float32([[250 / side, 0, 128 - cx * 250 / side], [0, 250 / side, 128 - cy * 250 / side]])
            rgba = cv2.warpAffine(rgba, m, (256, 256), flags=cv2.INTER_LINEAR)
            rgba[..., 3] = ((rgba[..., 3].astype(np.float32) - 90) * (255 / 110)).clip(0, 255)  # the masks are soft; keep the sure part
        else:
            i = int(rng.choice(d.cutout_ids, p=self.cutout_p))
            info, rgba = d.cutout_info[i], np.array(d.cutouts[i])
        return rgba, info

    def light(self, scene, side):
        """Where the light comes from, -1 left .. 1 right: the scene's brighter side where it has one, else as `side`, a standard normal number, says."""
        third = max(1, self.size // 3)
        left, right = float(scene[:, :third].mean()), float(scene[:, -third:].mean())
        seen = float(np.clip(2.5 * (right - left) / (right + left + 20), -0.9, 0.9))
        return float(np.clip(seen + (1 - abs(seen)) * math.tanh(1.2 * side), -1, 1))

    def relight(self, pre, scene, box, light):
        """Light of the scene on a premultiplied cut-out: brightness and colour of the surroundings, brighter above than below and towards the light."""
        rng = self.rng
        mean = scene.reshape(-1, 3).mean(0)
        lum = float(mean.mean() / 128)
        tint = (mean / max(float(mean.mean()), 1.0)) ** rng.uniform(0.2, 0.5)
        gain = min(1.12, 0.62 + 0.42 * lum) * rng.uniform(0.95, 1.05)
        y0, y1 = box[0], box[1]
        ramp = (np.arange(pre.shape[0], dtype=np.float32) - y0) / max(1, y1 - y0)
        ramp = 1 + rng.uniform(0.6, 1.1) * (0.09 - 0.20 * ramp.clip(0, 1))
        out = pre.copy()
        across = ((np.arange(pre.shape[1], dtype=np.float32) - box[2]) / max(1, box[3] - box[2])).clip(0, 1) - 0.5
        shape = ramp[:, None] * (1 + rng.uniform(0.2, 0.3) * light * across[None])
        out[..., :3] *= (np.clip(tint * gain, 0.45, 1.25) * shape[..., None]).astype(np.float32)
        haze = rng.uniform(0, 0.07)
        out[..., :3] = out[..., :3] * (1 - haze) + haze * mean.astype(np.float32) * out[..., 3:]
        out[..., :3] = np.minimum(out[..., :3], 255 * out[..., 3:])
        return out

    def shadow(self, scene, cover, box, mask, flat, light):
        """Soft shadow below, away from the light, and, for standing things, a contact shadow; both fade out before the mask's border."""
        rng, s = self.rng, self.size
        y0, y1, x0, x1 = box
        shade = rng.uniform(0.22, 0.36) * cv2.GaussianBlur(cv2.warpAffine(cover, np.float32([[1, 0, -0.05 * light * s], [0, 1, 0.032 * s]]), (s, s)), (0, 0), s * 0.025)
        if not flat:
            foot = np.zeros((s, s), np.float32)
            h, w = y1 - y0, x1 - x0
            cv2.ellipse(foot, (int((x0 + x1) / 2 - 0.09 * light * w), int(y1 - h * 0.005)), (max(1, int(w * 0.5)), max(1, int(h * 0.06))), 0, 0, 360, 1, -1)
            shade = np.maximum(shade, rng.uniform(0.45, 0.65) * cv2.GaussianBlur(foot, (0, 0), s * 0.018))
        inner = cv2.GaussianBlur(cv2.erode(mask.astype(np.float32), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE), (0, 0), s * 0.008)
        return scene * (1 - shade * inner)[..., None]

    def mask_for(self, cover):
        """A rectangle, a grown shape or a blob around the object; always covers it."""
        rng, s = self.rng, self.size
        on = (cover > 0.08).astype(np.uint8)
        ys, xs = np.where(on)
        if len(ys) < 40:
            return None
        y0, y1, x0, x1 = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
        mask = np.zeros((s, s), np.uint8)
        kind, pad = rng.random(), s * rng.uniform(0.02, 0.08, 4)
        if rng.random() < 0.3:
            pad[rng.integers(4)] += s * rng.uniform(0.05, 0.2)
        if kind < 0.58:
            mask[int(max(0, y0 - pad[0])):int(y1 + pad[1] + 1), int(max(0, x0 - pad[2])):int(x1 + pad[3] + 1)] = 1
        elif kind < 0.85:
            k = int(s * rng.uniform(0.06, 0.18)) | 1
            mask = cv2.dilate(on, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k)))
        else:
            cv2.ellipse(mask, (int((x0 + x1) // 2), int((y0 + y1) // 2)), (int((x1 - x0) * 0.62 + pad[0]), int((y1 - y0) * 0.62 + pad[1])), 0, 0, 360, 1, -1)
            k = int(s * 0.06) | 1
            mask |= cv2.dilate(on, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k)))
        return mask

    def filled(self, scene, mask, truth=True):
        """What a filler might have put into the hole: nearly right, wrongly lit, blurred or smeared."""
        rng, s, r = self.rng, self.size, self.rng.random()
        if not truth or r > 0.85:
            return G.telea(scene, mask)
        if r < 0.45:
            return scene
        if r < 0.7:
            field = cv2.resize(rng.normal(0, 1, (4, 4, 3)).astype(np.float32) * 0.04 + rng.normal(0, 0.05), (s, s), interpolation=cv2.INTER_CUBIC)
            other = scene * (1 + field)
        else:
            other = cv2.GaussianBlur(scene, (0, 0), s * rng.uniform(0.01, 0.04))
        return np.where(mask[..., None] > 0, other.clip(0, 255), scene)

    def rough_edge(self, pre):
        """Cut-outs of users: a white fringe, an eroded or a softened rim."""
        r = self.rng.random()
        if r < 0.7:
            return pre
        cover = pre[..., 3]
        if r < 0.8:   # fringe of the old ground
            grown = cv2.dilate(cover, np.ones((3, 3), np.uint8))
            out = pre.copy()
            out[..., :3] += ((grown - cover) * self.rng.uniform(150, 255))[..., None]
            out[..., 3] = grown
            return out
        if r < 0.9:
            return pre * (cv2.erode(cover, np.ones((3, 3), np.uint8)) / np.maximum(cover, 1e-3))[..., None]
        return cv2.GaussianBlur(pre, (0, 0), self.size / 128 * 0.7)

    def on_white(self, rgba, size):
        """The subject alone, as the encoders see it: white ground, another pose."""
        rng = self.rng
        pre = warp(premultiplied(rgba), size, size / 2, size / 2, size / 256 * rng.uniform(0.9, 1.0), rng.normal(0, 6), flip=rng.random() < 0.08)
        return (pre[..., :3] * rng.uniform(0.93, 1.04) + 255 * (1 - pre[..., 3:])).clip(0, 255).astype(np.uint8)

    def words(self, info, colour, name_it):
        rng = self.rng
        if name_it is None and info.get("caption") and rng.random() < 0.5:
            return info["caption"]
        return caption(info["name"], info["keywords"], colour if name_it or (name_it is None and rng.random() < 0.5) else None, rng)

    def plan(self, rgba, info):
        """Decide text, beta and colours: (target cut-out, subject cut-out, text, beta, chroma kept by the guide, kind)."""
        rng, r, own = self.rng, self.rng.random(), info["colour"]
        if r < 0.14:                                                   # no text: identity alone
            beta = 1.0 if rng.random() < 0.6 else rng.uniform(0.3, 1)
            if rng.random() < 0.35:
                rgba, _ = recolour(rgba, info["hue"], own, rng)
            return rgba, rgba, "", beta, 1.0, "subject"
        if r < 0.42:                                                   # the text names another colour, low beta: the text wins
            other, word = recolour(rgba, info["hue"], own, rng)
            beta = rng.uniform(0, 0.35)
            return other, rgba, self.words(dict(info, caption=None), word, True), beta, G.gate(beta, True), "edit"
        if r < 0.47:                                                   # the same at high beta: the subject wins
            _, word = recolour(rgba[:2, :2], info["hue"], own, rng)
            beta = rng.uniform(0.65, 1)
            return rgba, rgba, self.words(dict(info, caption=None), word, True), beta, G.gate(beta, True), "keep"
        beta = rng.uniform(0, 0.35) if rng.random() < 0.25 else rng.uniform(0.35, 1)
        colour = own
        if rng.random() < 0.35:
            rgba, colour = recolour(rgba, info["hue"], own, rng)
            info = dict(info, caption=None)
        return rgba, rgba, self.words(info, colour, None), beta, G.gate(beta, True), "pair"

    # ---- kinds of samples ------------------------------------------------------------------------------------------
    def composite(self):
        rng, s = self.rng, self.size
        rgba, info = self.subject()
        target_rgba, subject_rgba, text, beta, keep, kind = self.plan(rgba, info)
        scene = self.data.background(rng, s, 0.9).astype(np.float32)
        scale = s * rng.uniform(0.45, 0.8) / 246
        cx, cy, angle, flip = s / 2 + rng.normal(0, 0.03) * s, s / 2 + rng.normal(0, 0.03) * s, rng.normal(0, 5), rng.random() < 0.3
        tilt = rng.uniform(-0.1, 0.1, 2)
        pre = warp(premultiplied(target_rgba), s, cx, cy, scale, angle, flip, tilt)
        mask = self.mask_for(pre[..., 3])
        if mask is None:
            return self.composite()
        ys, xs = np.where(pre[..., 3] > 0.2)
        if len(ys) < 40:
            return self.composite()
        box = (ys.min(), ys.max(), xs.min(), xs.max())
        side = rng.normal()
        light = self.light(scene, side)
        lit = self.relight(pre, scene, box, light)
        if rng.random() < 0.5:
            lit = cv2.GaussianBlur(lit, (0, 0), s / 128 * rng.uniform(0.3, 0.6))
        ground = self.shadow(scene, pre[..., 3], box, mask, info["kind"] == "garment" or rng.random() < 0.2, light)
        target = lit[..., :3] + ground * (1 - lit[..., 3:])
        wild = 2.5 if rng.random() < 0.25 else 1.0
        placed = warp(premultiplied(subject_rgba), s, cx + rng.normal(0, 0.009) * s * wild, cy + rng.normal(0, 0.009) * s * wild, scale * (1 + rng.normal(0, 0.02) * wild),
                      angle + rng.normal(0, 2) * wild, flip, tilt * (1 if rng.random() < 0.5 else 0))
        placed = self.rough_edge(placed) * (mask[..., None] > 0)
        guide = G.compose(self.filled(scene, mask), placed[..., :3], placed[..., 3], keep)
        return dict(target=target, mask=mask, guide=guide, subject=subject_rgba, text=text, beta=beta, kind=kind, info=info, keep=keep, scene=scene, flip=flip, placed=placed, side=side)

    def photo(self):
        """A real photo of a thing with its mask: the guide is the same thing, wrongly lit and slightly moved, over a filled hole."""
        rng, s, d = self.rng, self.size, self.data
        i = int(rng.choice(d.photo_ids))
        info, rgba = d.photo_info[i], np.array(d.photos[i])
        ys, xs = np.where(rgba[..., 3] > 128)
        cy, cx, half = (ys.min() + ys.max()) / 2, (xs.min() + xs.max()) / 2, max(np.ptp(ys), np.ptp(xs)) / 2 * rng.uniform(1.15, 1.6)
        k = s / (2 * half)
        m = np.float32([[k, 0, s / 2 - cx * k], [0, k, s / 2 - cy * k]])
        shrink = cv2.GaussianBlur(rgba, (0, 0), 0.4 / k) if k < 0.7 else rgba
        own = cv2.warpAffine(shrink, m, (s, s), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = own[..., 3].astype(np.float32) / 255
        mask = self.mask_for(cover)
        if mask is None:
            return self.composite()
        target_rgba, subject_rgba, text, beta, keep, kind = self.plan(own, info)
        blend = cover[..., None]
        real = own[..., :3].astype(np.float32)
        target = target_rgba[..., :3] * blend + real * (1 - blend) if target_rgba is not own else real
        look = subject_rgba[..., :3].astype(np.float32)
        look = ((look - 128) * rng.uniform(0.8, 1.15) + 128) * rng.uniform(0.8, 1.3) * (1 + rng.normal(0, 0.05, 3))
        sure = ((cover - 0.35) / 0.45).clip(0, 1)
        pre = np.concatenate([look.clip(0, 255) * sure[..., None], sure[..., None]], -1).astype(np.float32)
        move = cv2.getRotationMatrix2D((s / 2, s / 2), rng.normal(0, 1.5), 1 + rng.normal(0, 0.015))
        move[:, 2] += rng.normal(0, 0.008, 2) * s
        placed = self.rough_edge(cv2.warpAffine(pre, move, (s, s))) * (mask[..., None] > 0)
        guide = G.compose(self.filled(real, mask, truth=False), placed[..., :3], placed[..., 3], keep)
        subject = np.concatenate([subject_rgba[..., :3], own[..., 3:]], -1)
        return dict(target=target, mask=mask, guide=guide, subject=subject, text=text, beta=beta, kind=kind, info=info, keep=keep, scene=real, flip=False, placed=placed, side=rng.normal())

    def fill(self):
        """No subject: continue the scene."""
        rng, s = self.rng, self.size
        scene, mask = self.data.background(rng, s).astype(np.float32), np.zeros((s, s), np.uint8)
        h, w = (s * rng.uniform(0.3, 0.75, 2)).astype(int)
        c = (s // 2 + rng.normal(0, 0.04, 2) * s).astype(int)
        if rng.random() < 0.6:
            mask[max(0, c[0] - h // 2):c[0] + h // 2, max(0, c[1] - w // 2):c[1] + w // 2] = 1
        else:
            cv2.ellipse(mask, (int(c[1]), int(c[0])), (w // 2, h // 2), float(rng.uniform(0, 180)), 0, 360, 1, -1)
        return dict(target=scene, mask=mask, guide=self.filled(scene, mask), subject=None, text=str(rng.choice(["", "background", "empty"])), beta=0.0, kind="fill", info={}, keep=1.0, scene=scene, flip=False, side=rng.normal())

    def text_only(self):
        """A thing by its words alone: no guide, no image tokens."""
        out = self.composite()
        out.update(kind="text", beta=0.0, guide=None)
        return out

    def sample(self, kind=None, reference=True):
        """One sample. Adds `clip` u8 (128,128,3) and, if asked, `reference` u8 (S,S,3); subject None -> white."""
        r = self.rng.random()
        kind = kind or ("fill" if r < 0.07 else "text_only" if r < 0.13 else "photo" if r < 0.36 else "composite")
        out = getattr(self, kind)()
        if out["subject"] is None or out["kind"] == "text":
            out["clip"] = None
            out["reference"] = np.full((self.size, self.size, 3), 255, np.uint8) if reference else None
        else:
            subject = out["subject"]
            if subject.shape[0] != 256:
                subject = cv2.resize(subject, (256, 256), interpolation=cv2.INTER_AREA if subject.shape[0] > 256 else cv2.INTER_LINEAR)
            picture = self.on_white(subject, max(128, self.size) if reference else 128)
            out["clip"] = picture if picture.shape[0] == 128 else cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
            if reference and self.rng.random() < self.aligned:
                out["reference"] = (out["placed"][..., :3] + 255 * (1 - out["placed"][..., 3:])).clip(0, 255).astype(np.uint8)
            else:
                out["reference"] = picture if picture.shape[0] == self.size else cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_AREA)
        for key in ("target", "guide", "scene"):
            if out[key] is not None:
                out[key] = out[key].clip(0, 255).astype(np.uint8)
        return out


def sheet(size=128, rows=10, seed=3, split="train"):
    """A contact sheet: target, hole, guide, subject picture, twice a row."""
    synth, lines, notes = Synth(split, size, seed), [], []
    for _ in range(rows):
        line = []
        for _ in range(2):
            d = synth.sample()
            m = d["mask"][..., None]
            blank = np.full((size, size, 3), 128, np.uint8)
            ref = cv2.resize(d["clip"], (size, size)) if d["clip"] is not None else blank
            line += [d["target"], (d["target"] * (1 - m) + 128 * m).astype(np.uint8), d["guide"] if d["guide"] is not None else blank, ref]
            notes.append(f"{d['kind']} beta {d['beta']:.2f}: {d['text']}")
        lines.append(np.concatenate(line, 1))
    return np.concatenate(lines, 0), notes


if __name__ == "__main__":
    import sys, time
    picture, notes = sheet()
    cv2.imwrite(sys.argv[1], picture[..., ::-1])
    print("\n".join(notes))
    for size in (128, 256):
        synth = Synth("train", size, 1)
        start = time.process_time()
        for _ in range(40):
            synth.sample()
        print(size, "px:", round((time.process_time() - start) / 40 * 1000, 1), "ms a sample")
