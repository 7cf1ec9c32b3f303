"""The frozen encoders in front of the U-Net: tiny CLIP and its tokenizer."""
import numpy as np
import torch
from .paths import work
from .precision import autocast
from .tokenizer import Tokenizer
from .train_clip import Clip, normalise


class Encoders:
    def __init__(self, clip=None, tokenizer=None):
        self.tok = tokenizer or Tokenizer(work("tokenizer", "x")[:-2])
        self.clip = clip or Clip(len(self.tok.vocab))
        if clip is None:
            self.clip.load_state_dict(torch.load(work("checkpoints", "clip.pt"), weights_only=False)["model"])
        self.clip.eval().requires_grad_(False)
        self.null_text = self.text([""])[0]
        self.null_image = self.vision(None)[0][0]

    @torch.no_grad()
    def vision(self, u8):
        """u8 (B,3,128,128), or None for the all-zero input of the unconditional branch; penultimate and last hidden states (B,65,192)."""
        x = normalise(u8) if u8 is not None else torch.zeros(1, 3, 128, 128)
        with autocast():
            out = self.clip.vision(x, output_hidden_states=True)
        return out.hidden_states[-2].float(), out.last_hidden_state.float()

    @torch.no_grad()
    def text(self, texts):
        """(B,24,192) last hidden states."""
        with autocast():
            return self.clip.text(torch.tensor([self.tok(t) for t in texts])).last_hidden_state.float()


def to_tensor(u8):
    """u8 (B,H,W,3) -> (B,3,H,W) in [-1,1]."""
    return torch.from_numpy(np.ascontiguousarray(u8)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def latent_mask(mask):
    """Pixel mask (B,1,H,W) of 0 and 1 -> latent mask: antialiased bilinear, then > 0.5."""
    h, w = mask.shape[-2] // 8, mask.shape[-1] // 8
    return (torch.nn.functional.interpolate(mask, size=(h, w), mode="bilinear", antialias=True) > 0.5).float()
