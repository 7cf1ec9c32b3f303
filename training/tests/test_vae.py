import torch
from mini import vae as V


def picture(seed=0, size=96, points=9):
    gen = torch.Generator().manual_seed(seed)
    return torch.nn.functional.interpolate(torch.rand(1, 3, points, points, generator=gen) * 2 - 1, size=(size, size), mode="bicubic").clamp(-1, 1)


def test_the_published_encoder_layout_computes_the_fixed_transform():
    x = torch.cat([picture(), torch.rand(1, 3, 96, 96) * 2 - 1, torch.ones(1, 3, 96, 96)])
    with torch.no_grad():
        got = V.build().eval().encode(x).latent_dist
    assert (got.mode() - V.encode(x)).abs().max() < 1e-3  # the values reach 6
    assert (got.sample() - got.mode()).abs().max() < 1e-3


def test_grey_pictures_have_no_chroma_latents_and_mid_grey_is_zero():
    x = picture().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    assert V.encode(x)[:, 10:].abs().max() < 1e-5
    assert V.encode(torch.zeros(1, 3, 32, 32)).abs().max() == 0


def test_the_linear_inverse_keeps_smooth_pictures():
    x = picture(2, points=4)
    error = (V.linear_decode(V.encode(x)) - x).pow(2).mean()
    assert error < 2e-4
