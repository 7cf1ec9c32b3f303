"""Sampling as the application does it: guide, noised start, DDIM with guidance and latent blending, detail transfer, paste."""
import os
import cv2
import numpy as np
import torch
from . import guide as G
from .encoders import Encoders, latent_mask, to_tensor
from .export import read_export
from .model import load, schedule
from .paths import MIGAN, work
from .precision import autocast
from .tokenizer import Tokenizer
from .vae import build, encode


class Filler:
    """MI-GAN, or Telea where its file is missing. Pictures u8 (S,S,3), masks u8 (S,S) with 1 = hole."""
    def __init__(self):
        self.session = None
        if os.path.exists(MIGAN):
            import onnxruntime
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self.session = onnxruntime.InferenceSession(MIGAN, options)

    def __call__(self, scene, mask):
        if self.session is None:
            return cv2.inpaint(scene, mask, 3, cv2.INPAINT_TELEA)
        names = [i.name for i in self.session.get_inputs()]
        out = self.session.run(None, {names[0]: np.ascontiguousarray(scene.transpose(2, 0, 1)[None]), names[1]: ((1 - mask) * 255).astype(np.uint8)[None, None]})[0][0].transpose(1, 2, 0)
        return np.where(mask[..., None] > 0, out, scene)


def clip_picture(rgba, size):
    """Subject on white, cropped by its cut-out, padded to a square x1.02."""
    ys, xs = np.where(rgba[..., 3] > 16)
    cut = rgba[ys.min():ys.max() + 1, xs.min():xs.max() + 1].astype(np.float32)
    h, w = cut.shape[:2]
    side = int(round(max(h, w) * 1.02))
    out = np.full((side, side, 3), 255, np.float32)
    y, x = (side - h) // 2, (side - w) // 2
    a = cut[..., 3:] / 255
    out[y:y + h, x:x + w] = cut[..., :3] * a + 255 * (1 - a)
    return cv2.resize(out, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR).clip(0, 255).astype(np.uint8)


class Pipeline:
    def __init__(self, checkpoint=None, export=None):
        if export:
            self.vae, clip, self.model = read_export(export)
            self.enc = Encoders(clip, Tokenizer(f"{export}/tokenizer"))
        else:
            self.vae = build()
            self.vae.load_state_dict(torch.load(work("checkpoints", "decoder.pt"), weights_only=False)["ema"])
            self.vae = self.vae.eval().requires_grad_(False).to(memory_format=torch.channels_last)
            self.enc, self.model = Encoders(), load(checkpoint or work("checkpoints", "diffusion.pt"))
        self.acp, self.fill = schedule(), Filler()

    @torch.no_grad()
    def decode(self, z):
        with autocast():
            out = torch.cat([self.vae.decode(p).sample.float() for p in z.contiguous(memory_format=torch.channels_last).split(4)])
        return ((out.clamp(-1, 1) + 1) * 127.5).permute(0, 2, 3, 1).numpy()

    def guides(self, filled, masks, cutouts, betas, texts):
        """The application's guide (float32) for each picture; cut-outs u8 RGBA."""
        return self.guides_and_cover(filled, masks, cutouts, betas, texts)[0]

    def guides_and_cover(self, filled, masks, cutouts, betas, texts, placed=None):
        """placed: premultiplied colour and coverage (S,S,4) where the cut-outs stand already; else they are fitted."""
        out, covers = [], []
        for i, (f, m, c, b, t) in enumerate(zip(filled, masks, cutouts, betas, texts)):
            colour, cover = (placed[i][..., :3], placed[i][..., 3]) if placed is not None else G.fit(c, m)
            out.append(G.compose(f.astype(np.float32), colour, cover, G.gate(b, bool(t))))
            covers.append(cover)
        return np.stack(out), np.stack(covers)

    @torch.no_grad()
    def __call__(self, scene, mask, cutouts, texts, beta=0.5, steps=20, strength=0.5, guidance=1.5, rescale=0.0, detail=1.0, refine=False, seed=0, filled=None, use_guide=True, parts=False, placed=None, references=None):
        """scene u8 (B,S,S,3), mask u8 (B,S,S), cutouts: list of u8 RGBA or None (text only). Returns u8 (B,S,S,3); parts: also (decoded result, guide).
        references: cut-outs that RefineNet sees in the place of `cutouts`, to measure what a wrong subject does."""
        n, s = len(scene), scene.shape[1]
        if filled is None:
            filled = np.stack([self.fill(a, b) for a, b in zip(scene, mask)])
        have = cutouts is not None
        x, m = to_tensor(scene), torch.from_numpy(mask)[:, None].float()
        zs, zm, lm = encode(x), encode(x * (1 - m)), latent_mask(m)
        if have:
            guide, cover = self.guides_and_cover(filled, mask, cutouts, [beta] * n, texts, placed)
            zg = encode(torch.from_numpy(guide).permute(0, 3, 1, 2) / 127.5 - 1)
            small = torch.from_numpy(np.stack([clip_picture(c, 128) for c in cutouts])).permute(0, 3, 1, 2)
            v2, v1 = self.enc.vision(small)
        channels = zg if have and use_guide else torch.zeros_like(zs)
        gen = torch.Generator().manual_seed(seed)
        noise, scene_noise = (torch.randn(zs.shape, generator=gen) for _ in range(2))
        text = torch.cat([self.enc.text(texts), self.enc.null_text[None].expand(n, -1, -1)])
        times = [max(0, round(1000 - i * 1000 / steps) - 1) for i in range(steps)]
        if not have:
            strength = 1.0
        times = times[int(round((1 - strength) * steps)):]
        a = self.acp[times[0]] if times else None
        z = noise if strength >= 1 or not times else a.sqrt() * zg + (1 - a).sqrt() * noise
        bt = torch.full((2 * n, 1, 1), float(beta))
        zr = encode(to_tensor(np.stack([clip_picture(c, s) for c in references or cutouts]))) if have and refine else None
        if references and zr is not None:
            v1 = self.enc.vision(torch.from_numpy(np.stack([clip_picture(c, 128) for c in references])).permute(0, 3, 1, 2))[1]
        with autocast():
            ip = self.model.resampler(torch.cat([v2, self.enc.null_image[None].expand(n, -1, -1)])) if have and beta > 0 else None
            bank = [torch.cat([h, h]) for h in self.model.reference_features(zr, v1)] if zr is not None else None
            for i, t in enumerate(times):
                a, an = self.acp[t], self.acp[times[i + 1]] if i + 1 < len(times) else torch.tensor(1.0)
                tt = torch.full((2 * n,), t)
                one = torch.cat([z, lm, zm, channels], 1)
                if guidance == 1:
                    v = self.model(one.contiguous(memory_format=torch.channels_last), tt[:n], text[:n], ip[:n] if ip is not None else None, bt[:n], [h[:n] for h in bank] if bank else None).float()
                else:
                    cond, un = self.model(torch.cat([one, one]).contiguous(memory_format=torch.channels_last), tt, text, ip, bt, bank).float().chunk(2)
                    v = un + guidance * (cond - un)
                    if rescale:
                        std = lambda q: q.std((1, 2, 3), keepdim=True)
                        v = v * (1 - rescale + rescale * std(cond) / std(v))
                x0, eps = a.sqrt() * z - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * z
                z = an.sqrt() * x0 + (1 - an).sqrt() * eps
                z = z * lm + (an.sqrt() * zs + (1 - an).sqrt() * scene_noise) * (1 - lm)
        out = raw = self.decode(z)
        if have and detail:
            back = self.decode(zg)
            out = np.stack([G.transfer_detail(o, g, d, a, detail) for o, g, d, a in zip(raw, guide, back, cover)])
        soft = np.stack([cv2.GaussianBlur(k.astype(np.float32), (0, 0), s / 256) for k in mask])[..., None]
        final = (out * soft + scene * (1 - soft)).clip(0, 255).astype(np.uint8)
        return (final, raw.clip(0, 255).astype(np.uint8), guide.clip(0, 255).astype(np.uint8)) if parts else final
