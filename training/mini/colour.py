"""Colour words, dominant colours and recolouring of cut-outs."""
import cv2
import numpy as np

# hue centre in degrees of the colour words that a hue rotation can reach
HUES = {"red": 0, "orange": 28, "yellow": 52, "green": 120, "teal": 176, "blue": 220, "purple": 275, "pink": 325}
# full-strength colours for tinting things that have no hue to rotate
TINTS = {"red": (205, 35, 35), "orange": (235, 130, 30), "yellow": (235, 205, 45), "green": (55, 150, 60), "teal": (30, 150, 150),
         "blue": (45, 90, 205), "purple": (130, 65, 180), "pink": (235, 120, 175), "brown": (125, 80, 45),
         "black": (38, 38, 40), "white": (238, 238, 236), "gray": (135, 135, 135)}
COLOUR_WORDS = set(TINTS) | {"grey", "beige", "navy", "burgundy", "olive", "golden"}


def strip_colours(name):
    """The name without its colour words (or unchanged when nothing would be left)."""
    words = [w for w in name.split() if w not in COLOUR_WORDS]
    return " ".join(words) if words else name


def dominant_colour(rgba):
    """Colour word of the opaque pixels of a u8 (H,W,4) cut-out and its hue in degrees; the hue is None for unsaturated things."""
    px = rgba[rgba[..., 3] > 128][:, :3]
    if len(px) < 20:
        return "gray", None
    hsv = cv2.cvtColor(px.reshape(-1, 1, 3), cv2.COLOR_RGB2HSV).reshape(-1, 3).astype(np.float32)
    hue, sat, val = hsv[:, 0] * 2, hsv[:, 1] / 255, hsv[:, 2] / 255
    weight = sat * val
    if weight.mean() < 0.16:
        v = val.mean()
        return ("white" if v > 0.75 else "black" if v < 0.33 else "gray"), None
    hist = np.histogram(hue, bins=36, range=(0, 360), weights=weight)[0]
    smooth = hist + np.roll(hist, 1) + np.roll(hist, -1)
    centre = (int(smooth.argmax()) * 10 + 5) % 360
    near = np.abs((hue - centre + 180) % 360 - 180) < 20
    if 8 <= centre < 45 and np.average(val[near], weights=weight[near] + 1e-6) < 0.62:
        return "brown", centre
    return min(HUES, key=lambda k: abs((HUES[k] - centre + 180) % 360 - 180)), centre


def shift_hue(rgb, degrees):
    hsv = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = ((hsv[..., 0].astype(np.int32) + int(round(degrees / 2))) % 180).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def tint(rgb, word, strength=0.9):
    """Paint u8 RGB in one colour: dark stays dark, the middle takes the colour, highlights stay light."""
    x = rgb.astype(np.float32) / 255
    light = x.mean(-1, keepdims=True)
    base = np.array(TINTS[word], np.float32) / 255
    if word == "black":
        out = base * 0.4 + light * 0.30
    elif word == "white":
        out = 0.62 + 0.38 * light * base
    elif word == "gray":
        out = np.repeat(0.15 + 0.7 * light, 3, -1)
    else:
        out = np.where(light < 0.5, base * light * 2, base + (1 - base) * (light - 0.5) * 1.4)
    return ((strength * out + (1 - strength) * x) * 255).clip(0, 255).astype(np.uint8)


def recolour(rgba, hue, own, rng):
    """Another colour for a cut-out: a hue rotation where it has a hue, else a tint. Returns (rgba, colour word)."""
    if hue is not None and rng.random() < 0.6:
        word = str(rng.choice([c for c in HUES if c != own]))
        rgb = shift_hue(rgba[..., :3], HUES[word] + rng.uniform(-6, 6) - hue)
    else:
        word = str(rng.choice([c for c in TINTS if c != own]))
        rgb = tint(rgba[..., :3], word, rng.uniform(0.75, 1.0))
    return np.concatenate([rgb, rgba[..., 3:]], -1), word


def with_article(phrase):
    return ("an " if phrase[:1] in "aeiou" else "a ") + phrase


def caption(name, keywords, colour, rng):
    """Local caption of a subject: its name or a keyword, perhaps a colour word, perhaps 'a photo of'."""
    if keywords and rng.random() < 0.15:
        name = str(rng.choice(keywords))
    phrase = f"{colour} {name}" if colour else name
    r = rng.random()
    if r < 0.65:
        return with_article(phrase)
    return phrase if r < 0.85 else "a photo of " + with_article(phrase)
