"""The guide: the scene with the hole filled and the subject's cut-out fitted into the mask's box. The application builds the same picture.

All pictures are float32 RGB 0..255 of one size; coverage and masks are 0..1."""
import cv2
import numpy as np


def gate(beta, has_text):
    """How much of the subject's own chroma the guide keeps: all of it without text, else smoothstep(0.1, 0.7, beta)."""
    if not has_text:
        return 1.0
    u = min(1.0, max(0.0, (beta - 0.1) / 0.6))
    return u * u * (3 - 2 * u)


def grey_towards(rgb, keep):
    """Mix with the plain mean of the three channels; it changes least under a rotation of hue."""
    if keep >= 1:
        return rgb
    light = rgb.mean(-1, keepdims=True)
    return light + keep * (rgb - light)


def fit(rgba, mask):
    """Cut-out u8 (h,w,4) fitted into the mask's box: 92 % of it, centred. Returns (premultiplied colour 0..255, coverage 0..1) on the mask's canvas."""
    s_h, s_w = mask.shape
    ys, xs = np.where(mask > 0)
    y0, y1, x0, x1 = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
    ay, ax = np.where(rgba[..., 3] > 16)
    colour, cover = np.zeros((s_h, s_w, 3), np.float32), np.zeros((s_h, s_w), np.float32)
    if len(ay) == 0:
        return colour, cover
    cut = rgba[ay.min():ay.max() + 1, ax.min():ax.max() + 1].astype(np.float32)
    cut[..., 3] /= 255
    cut[..., :3] *= cut[..., 3:]
    whole, inside = 0.92 * min((y1 - y0) / cut.shape[0], (x1 - x0) / cut.shape[1]), (mask > 0).astype(np.float32)
    for share in np.arange(1.0, 0.58, -0.05):  # a drawn shape that is no box: smaller, until the shape holds nearly all of it
        k = whole * share
        h, w = max(2, round(cut.shape[0] * k)), max(2, round(cut.shape[1] * k))
        sized = cv2.resize(cut, (w, h), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
        y, x = y0 + (y1 - y0 - h) // 2, x0 + (x1 - x0 - w) // 2
        if (sized[..., 3] * inside[y:y + h, x:x + w]).sum() >= 0.985 * sized[..., 3].sum():
            break
    colour[y:y + h, x:x + w], cover[y:y + h, x:x + w] = sized[..., :3], sized[..., 3]
    return colour * inside[..., None], cover * inside


def compose(filled, colour, cover, keep):
    """filled (S,S,3); premultiplied colour and coverage of the cut-out; keep = gate(...)."""
    return filled * (1 - cover[..., None]) + grey_towards(colour, keep)


def box(x, n):
    """Mean over n x n; near the rim the mean of the pixels that exist."""
    ones = cv2.boxFilter(np.ones(x.shape[:2], np.float32), -1, (n, n), normalize=False, borderType=cv2.BORDER_CONSTANT)
    total = cv2.boxFilter(x.astype(np.float32), -1, (n, n), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return total / (ones[..., None] if x.ndim == 3 else ones)


# windows in pixels, tolerance and noise floor in grey levels of the detail transfer at 256 px
TRANSFER = dict(smooth=13, fine=5, wide=17, tolerance=20.0, floor=6.0)


def over(x, weight, n):
    """Weighted n x n mean of (S,S,C); weight (S,S)."""
    return box(x * weight[..., None], n) / np.maximum(box(weight, n)[..., None], 1e-3)


def transfer_detail(result, guide, guide_decoded, cover, share=1.0, smooth=TRANSFER["smooth"], fine=TRANSFER["fine"], wide=TRANSFER["wide"],
                    tolerance=TRANSFER["tolerance"], floor=TRANSFER["floor"]):
    """Give the guide's detail back. result, guide, guide_decoded = decode(encode(guide)), all (S,S,3) 0..255; cover (S,S) coverage of the cut-out in the guide.

    On the cut-out: where the result differs from the decoded guide only smoothly (light, colour) the guide itself, shifted by that smooth
    difference, is taken; where structure changed the result stays. Beside it: the filled scene is kept, darkened where the model put a
    shadow; brighter or coloured changes there are noise or colour that leaked over the rim, and small ones are damped (floor)."""
    change, outside = result - guide_decoded, 1 - cover
    light = over(change, cover, smooth)
    moved = np.abs(over(change, cover, fine) - over(change, cover, wide)).mean(-1)
    dark = np.minimum(0, over(change, outside, smooth).mean(-1))
    dark = dark * dark ** 2 / (dark ** 2 + floor ** 2)
    shadow = np.maximum(-0.8, dark / np.maximum(over(guide, outside, smooth).mean(-1), 20))
    lit = np.clip(guide * (1 + outside * shadow)[..., None] + cover[..., None] * light, 0, 255)
    agree = (share * (cover * np.exp(-moved / tolerance) + outside))[..., None]
    return agree * lit + (1 - agree) * result


def telea(scene, mask):
    """A cheap filler for training: half size, smeared."""
    h, w = mask.shape
    small = cv2.inpaint(cv2.resize(scene.astype(np.uint8), (w // 2, h // 2), interpolation=cv2.INTER_AREA), (cv2.resize(mask.astype(np.float32), (w // 2, h // 2), interpolation=cv2.INTER_AREA) > 0).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    out = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.where(mask[..., None] > 0, out, scene)
