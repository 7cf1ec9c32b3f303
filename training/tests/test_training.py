import argparse
import os
import numpy as np
import pytest
import torch


def test_samples_are_in_frame_and_the_guide_only_differs_inside_the_mask(assets):
    from mini.synth import Synth
    synth = Synth("train", 64, 1)
    kinds = set()
    for _ in range(120):
        d = synth.sample()
        kinds.add(d["kind"])
        assert d["target"].shape == (64, 64, 3) and d["target"].dtype == np.uint8 and 0 < d["mask"].mean() < 1
        if d["guide"] is not None and d["kind"] != "fill" and "scene" in d:
            assert np.abs(d["guide"].astype(int) - d["scene"])[d["mask"] == 0].max() <= 1
    assert {"pair", "edit", "fill"} <= kinds


def test_edits_ask_for_a_colour_that_the_guide_does_not_show(assets):
    from mini.synth import Synth
    synth, seen = Synth("train", 64, 2), 0
    while seen < 5:
        d = synth.composite()
        if d["kind"] == "edit" and d["beta"] < 0.1:
            seen += 1
            inside = d["guide"][16:48, 16:48].astype(int)
            assert np.abs(inside[..., 0] - inside[..., 2])[d["mask"][16:48, 16:48] > 0].mean() < 60
            assert any(w in d["text"] for w in ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown", "black", "white", "gray"))


def test_a_few_steps_lower_the_loss_and_a_run_goes_on_from_its_checkpoint(assets, capfd):
    from mini import train_clip, train_diffusion
    torch.manual_seed(0)
    train_clip.work_one(0, argparse.Namespace(minutes=0.02, world=1, batch=6, lr=1e-3, every=1e9, seed=0, port=0, out=""))
    options = dict(world=1, batch=4, size=64, lr=2e-3, tail=0.2, ema=0.5, every=1e9, validation=4, seed=0, port=0, out=assets("checkpoints", "t.pt"), from_export="", refine_share=0.6, aligned=0.3, freeze_refine=False, decoder_only=False)
    train_diffusion.work_one(0, argparse.Namespace(stage=1, minutes=0.25, **options))
    first = torch.load(assets("checkpoints", "t.pt"), weights_only=False)
    train_diffusion.work_one(0, argparse.Namespace(stage=1, minutes=0.05, **options))
    second = torch.load(assets("checkpoints", "t.pt"), weights_only=False)
    train_diffusion.work_one(0, argparse.Namespace(stage=2, minutes=0.05, **options))
    third = torch.load(assets("checkpoints", "t.pt"), weights_only=False)
    assert 0 < first["step"] < second["step"] < third["step"] and third["stage"] == 2
    losses = [float(line.split("loss=")[1].split()[0]) for line in capfd.readouterr().out.splitlines() if "held out={'plain'" in line]
    assert losses[1] < losses[0] * 1.5


def test_weak_guides_hide_what_their_name_says_and_only_inside_the_mask():
    from mini import weaken as W
    zg, mask = torch.randn(64, 16, 8, 8), torch.zeros(64, 1, 8, 8)
    mask[..., 2:6, 2:6] = 1
    grey, soft = W.weaken(zg, "grey"), W.weaken(zg, "soft")
    assert grey[:, W.CHROMA].abs().max() == 0 and torch.equal(grey[:, W.LUMINANCE], zg[:, W.LUMINANCE])
    assert soft[:, 1:10].abs().max() == 0 and 0 < soft[:, W.MEANS].var() < 0.5 * zg[:, W.MEANS].var()
    torch.manual_seed(0)
    out = W.mixed(zg, mask, W.WITH)
    gone = out.flatten(1).abs().amax(1) == 0
    assert 0 < gone.sum() < 30 and torch.equal(out[~gone] * (1 - mask[~gone]), zg[~gone] * (1 - mask[~gone]))


def test_the_light_of_a_sample_steers_the_slope_of_its_noise_and_nothing_else():
    from mini.train_diffusion import draw_noise, slope
    torch.manual_seed(0)
    side = torch.randn(400)
    noise, r = draw_noise(torch.zeros(400, 16, 16, 16), side), slope(16, 16)
    assert torch.allclose((noise * r).sum((1, 2, 3)), side, atol=1e-3)
    assert abs(noise.std() - 1) < 0.01 and abs(noise.mean()) < 0.01


def test_shadows_fall_away_from_the_brighter_side(assets):
    from mini.synth import Synth
    synth = Synth("train", 64, 3)
    scene = np.full((64, 64, 3), 150, np.float32)
    for side in (-2.0, 2.0):
        assert np.sign(synth.light(scene, side)) == np.sign(side)
    scene[:, :32] *= 0.4
    assert synth.light(scene, -0.5) > 0.2
    cover, mask = np.zeros((64, 64), np.float32), np.ones((64, 64), np.uint8)
    cover[20:44, 24:40] = 1
    dark = (synth.shadow(np.full((64, 64, 3), 150, np.float32), cover, (20, 43, 24, 39), mask, True, 1.0)[..., 0] < 149) & (cover == 0)
    assert dark[:, :24].sum() > 2 * dark[:, 40:].sum()


def test_a_new_refinenet_sees_its_subject_as_the_unet_sees_its_guide():
    from mini.model import REFERENCE_TIME, LarGen, schedule
    torch.manual_seed(2)
    model, z = LarGen(), torch.randn(1, 16, 8, 8)
    model.start_refine()
    a = schedule()[REFERENCE_TIME]
    seen = model.unet.conv_in(torch.cat([a.sqrt() * z, torch.ones(1, 1, 8, 8), torch.zeros_like(z), z], 1))
    assert torch.allclose(model.refine.conv_in(z)[..., 1:-1, 1:-1], seen[..., 1:-1, 1:-1], atol=1e-5)


def test_only_a_session_of_its_own_is_put_in_the_last_place():
    from mini import parallel
    group = open("/proc/self/autogroup").read() if os.path.exists("/proc/self/autogroup") else ""
    for launcher in ({}, dict(launcher=-1)):
        parallel.join(0, argparse.Namespace(world=1, **launcher))
    assert group == (open("/proc/self/autogroup").read() if group else "")


def test_bridged_starts_still_lead_to_the_target(assets):
    """z_t made of the guide's latent: v from z_t and the target gives back the target."""
    a = torch.tensor(0.3)
    z, zg, eps = torch.randn(3, 2, 16, 8, 8)
    noisy = a.sqrt() * zg + (1 - a).sqrt() * eps
    v = (a.sqrt() * noisy - z) / (1 - a).sqrt()
    assert torch.allclose(a.sqrt() * noisy - (1 - a).sqrt() * v, z, atol=1e-5)


def test_an_export_reads_back_and_verifies(assets, tmp_path):
    from mini import vae as V
    from mini.export import read_export, write
    from mini.model import LarGen
    from mini.tokenizer import Tokenizer
    from mini.train_clip import Clip
    from mini.verify import verify
    torch.manual_seed(1)
    model, folder = LarGen(), assets("tokenizer", "x")[:-2]
    out = str(tmp_path / "export")
    write(out, V.build(), Clip(len(Tokenizer(folder).vocab)), model, folder)
    _, _, again = read_export(out)
    for (n, a), (_, b) in zip(sorted(model.state_dict().items()), sorted(again.state_dict().items())):
        assert torch.allclose(a, b, atol=2e-3, rtol=2e-3), n
    assert "files fit" in verify(out)
    with open(out + "/vae/config.json", "a") as file:
        file.write(" ")
    with pytest.raises(AssertionError):
        verify(out)
