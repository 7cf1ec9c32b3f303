import numpy as np
from mini import guide as G


def test_gate_runs_from_text_to_subject():
    assert G.gate(0.0, True) == 0 and G.gate(0.1, True) == 0 and G.gate(0.7, True) == 1 and G.gate(0.0, False) == 1
    assert 0.4 < G.gate(0.4, True) < 0.6


def test_fit_fills_the_box_and_stays_inside_the_mask():
    mask = np.zeros((100, 100), np.uint8)
    mask[20:80, 10:90] = 1
    cut = np.zeros((50, 50, 4), np.uint8)
    cut[10:40, 5:45] = 255
    colour, cover = G.fit(cut, mask)
    ys, xs = np.where(cover > 0.5)
    assert cover[mask == 0].max() == 0
    assert abs((ys.max() - ys.min() + 1) - 0.92 * 60) <= 1.5 and abs((ys.max() + ys.min() + 1) / 2 - 50) <= 1
    assert np.allclose(colour[cover == 1], 255)


def test_detail_comes_back_under_new_light_but_not_over_new_structure():
    rng, all_of_it = np.random.default_rng(0), np.ones((96, 96), np.float32)
    guide = rng.uniform(60, 190, (96, 96, 3)).astype(np.float32)
    soft = np.stack([G.box(guide[..., i], 5) for i in range(3)], -1)
    dark = soft * 0.8
    out = G.transfer_detail(dark, guide, soft, all_of_it)
    inner = (slice(16, 80),) * 2
    assert np.abs(out - (guide + dark - soft))[inner].mean() < 6
    changed = dark.copy()
    changed[40:56, 40:56] += 90
    out = G.transfer_detail(changed, guide, soft, all_of_it)
    assert np.abs(out - changed)[42:54, 42:54].mean() < np.abs(guide - changed)[42:54, 42:54].mean() * 0.8


def test_beside_the_subject_only_shadows_are_taken():
    guide, beside = np.full((64, 64, 3), 120, np.float32), np.zeros((64, 64), np.float32)
    for change, expected in ((-40, 80), (40, 120), (-2, 120)):
        out = G.transfer_detail(guide + change, guide, guide, beside)
        assert np.abs(out - expected).max() < 2


def test_colours_move_only_in_chroma():
    rgb = np.array([[[200.0, 20.0, 50.0]]])
    grey = G.grey_towards(rgb, 0)
    assert np.allclose(grey, 90) and np.allclose(G.grey_towards(rgb, 0.5), (rgb + 90) / 2)


def test_a_new_colour_of_the_subject_does_not_bleed_over_its_rim():
    guide = np.full((64, 64, 3), 120, np.float32)
    cover = np.zeros((64, 64), np.float32)
    cover[:, :32] = 1
    result = guide.copy()
    result[:, :32, 0] += 60
    leaked = result.copy()
    leaked[:, 32:40, 0] += 30
    out = G.transfer_detail(leaked, guide, guide, cover)
    assert np.abs(out - result).max() < 1
