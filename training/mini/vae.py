"""The autoencoder: an AutoencoderKL (f8, 16 latent channels) whose encoder is SET, not trained.

The latent of an 8x8 block is 16 of its 192 DCT coefficients in an opponent colour space: ten of luminance (the lowest frequencies)
and three of each colour axis, each with a fixed gain. That is a linear map, so it can be written into the published encoder
layout exactly (`set_encoder`), latents can be computed by one matrix product while training (`encode`), pictures mix and grey out
linearly, and the decoder can be trained on, at any time, without touching the networks that live in the latent space."""
import numpy as np
import torch
from diffusers import AutoencoderKL

CHANNELS = 16
CONFIG = dict(in_channels=3, out_channels=3, latent_channels=CHANNELS, block_out_channels=(16, 32, 96, 160), layers_per_block=1, norm_num_groups=1,
              mid_block_add_attention=False, sample_size=256, scaling_factor=1.0,
              down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)

# (colour axis, vertical frequency, horizontal frequency, standard deviation on photos, wanted standard deviation)
COEFFICIENTS = [(0, 0, 0, 6.35, 1.3), (0, 0, 1, 0.97, 0.9), (0, 1, 0, 1.06, 0.9), (0, 1, 1, 0.52, 0.7), (0, 0, 2, 0.57, 0.75), (0, 2, 0, 0.60, 0.75),
                (0, 1, 2, 0.36, 0.6), (0, 2, 1, 0.36, 0.6), (0, 0, 3, 0.38, 0.6), (0, 3, 0, 0.42, 0.6),
                (1, 0, 0, 1.25, 1.1), (1, 0, 1, 0.18, 0.5), (1, 1, 0, 0.19, 0.5), (2, 0, 0, 1.65, 1.1), (2, 0, 1, 0.22, 0.5), (2, 1, 0, 0.26, 0.5)]
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]], np.float64)
OPPONENT /= np.linalg.norm(OPPONENT, axis=1, keepdims=True)


def dct(n=8):
    k, i = np.arange(n)[:, None], np.arange(n)[None]
    basis = np.cos(np.pi * (i + 0.5) * k / n) * np.sqrt(2 / n)
    basis[0] /= np.sqrt(2)
    return basis


def functionals():
    """(16, 3, 8, 8) in opponent colours: the latent is the inner product of each with a block of [-1,1] values."""
    basis, out = dct(), np.zeros((CHANNELS, 3, 8, 8))
    for c, (axis, v, u, spread, wanted) in enumerate(COEFFICIENTS):
        out[c, axis] = np.outer(basis[v], basis[u]) * wanted / spread
    return out


KERNEL = torch.tensor(np.einsum("nchw,cd->ndhw", functionals(), OPPONENT), dtype=torch.float32)
INVERSE = torch.tensor(np.einsum("nchw,cd->ndhw", functionals() / np.array([(w / s) ** 2 for *_, s, w in COEFFICIENTS])[:, None, None, None], OPPONENT), dtype=torch.float32)


def encode(x):
    """Pictures (B,3,H,W) in [-1,1] -> latents (B,16,H/8,W/8); equals the exported encoder."""
    return torch.nn.functional.conv2d(x, KERNEL, stride=8)


def linear_decode(z):
    """The plain inverse transform: the best linear decoder, for comparison."""
    return torch.nn.functional.conv_transpose2d(z, INVERSE, stride=8)


@torch.no_grad()
def set_encoder(vae):
    """Write the transform into the encoder. Every residual branch ends in zeros, the shortcuts and stride-2 convolutions carry 2x2 sums;
    before the last norm all values come twice with opposite sign beside constant channels, so that group norm and SiLU cancel out:
    silu(x) - silu(-x) = x, and the constants alone decide the norm's scale."""
    enc = vae.encoder
    for name, module in enc.named_modules():
        if name.endswith("conv2"):
            module.weight.zero_()
            module.bias.zero_()
    target = functionals()                                   # (16, 3, 8, 8)

    # level 1: 2x2 blocks of 3 colour axes -> 12 values in any orthonormal basis; (colour, y, x) plain here
    # level 2: 4x4 blocks -> the subspace that the targets need, found by SVD over their four quadrants
    quadrants = target.reshape(CHANNELS, 3, 2, 4, 2, 4).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 48)
    _, strength, rows = np.linalg.svd(quadrants, full_matrices=False)
    rank = int((strength > 1e-9 * strength[0]).sum())
    assert rank <= 32, rank
    basis = rows[:rank]                                      # (rank, 48) over (colour, 4, 4)
    first, second, third = (np.zeros(s) for s in ((16, 16, 3, 3), (32, 32, 3, 3), (96, 96, 3, 3)))
    for colour in range(3):
        for y in range(2):
            for x in range(2):
                first[colour * 4 + y * 2 + x, colour, y, x] = 1
    split = basis.reshape(rank, 3, 2, 2, 2, 2)               # (rank, colour, y4, y2, x4, x2): outer and inner position
    for colour in range(3):
        for y2 in range(2):
            for x2 in range(2):
                second[:rank, colour * 4 + y2 * 2 + x2, :2, :2] = split[:, colour, :, y2, :, x2]
    coords = quadrants @ basis.T                             # every quadrant of every target in that subspace
    third[:CHANNELS, :rank, :2, :2] = coords.reshape(CHANNELS, 2, 2, rank).transpose(0, 3, 1, 2)
    put = lambda p, a: p.copy_(torch.tensor(a, dtype=torch.float32))
    middle = np.zeros((16, 3, 3, 3))
    middle[:3, :, 1, 1] = OPPONENT
    put(enc.conv_in.weight, middle)
    enc.conv_in.bias.zero_()
    for block, kernel in zip(enc.down_blocks, (first, second, third)):
        put(block.downsamplers[0].conv.weight, kernel)
        block.downsamplers[0].conv.bias.zero_()
    for level, (i, o) in ((1, (16, 32)), (2, (32, 96))):
        cut = enc.down_blocks[level].resnets[0].conv_shortcut
        put(cut.weight, np.eye(o, i)[:, :, None, None])
        cut.bias.zero_()
    last, big = enc.down_blocks[3].resnets[0].conv_shortcut, 100.0
    pairs = np.zeros((160, 96))
    for c in range(CHANNELS):
        pairs[2 * c, c], pairs[2 * c + 1, c] = 1, -1
    constants = np.array([0.0] * 32 + [big, -big] * 64)
    put(last.weight, pairs[:, :, None, None])
    put(last.bias, constants)
    sigma = float(np.sqrt((constants ** 2).mean()))
    put(enc.conv_norm_out.weight, np.full(160, sigma))
    enc.conv_norm_out.bias.zero_()
    out = np.zeros((2 * CHANNELS, 160, 3, 3))
    for c in range(CHANNELS):
        out[c, 2 * c, 1, 1], out[c, 2 * c + 1, 1, 1] = 1, -1
    put(enc.conv_out.weight, out)
    put(enc.conv_out.bias, [0.0] * CHANNELS + [-20.0] * CHANNELS)   # log variance: a sample of the posterior is its mean
    put(vae.quant_conv.weight, np.eye(2 * CHANNELS)[:, :, None, None])
    vae.quant_conv.bias.zero_()
    return vae


def build():
    return set_encoder(AutoencoderKL(**CONFIG))
