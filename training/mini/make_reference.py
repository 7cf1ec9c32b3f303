"""Reference cases of an export: seeded inputs and what PyTorch (fp32 over the fp16 weights) makes of them, for checking another engine.
usage: python -m mini.make_reference --export DIR --out DIR. Writes cases.safetensors (`<case>.input.<name>`, `<case>.output.<name>`) and cases.json."""
import argparse, json, os
import numpy as np
import torch
from safetensors.torch import save_file
from . import guide as G
from . import vae as V
from .encoders import latent_mask
from .export import read_export
from .model import schedule
from .tokenizer import Tokenizer

TEXTS = ["", "a red apple", "A photo of a Teapot, on the table!", "blue long-sleeve top"]
TOLERANCE = dict(atol=1e-4, rtol=1e-4)


class Cases:
    def __init__(self):
        self.tensors, self.cases = {}, []

    def add(self, name, computes, inputs, outputs, params=None, tolerance=None, exact=()):
        entry = dict(name=name, computes=computes, params=params or {}, inputs={}, outputs={}, tolerance=tolerance or TOLERANCE)
        for side, items in (("input", inputs), ("output", outputs)):
            for key, value in items.items():
                if isinstance(value, str):                      # an output of an earlier case
                    entry[side + "s"][key] = dict(key=value, shape=list(self.tensors[value].shape), dtype=str(self.tensors[value].dtype).split(".")[1])
                    continue
                t = torch.as_tensor(value).detach().contiguous().clone()
                t = t.to(torch.int32) if t.dtype == torch.int64 else t
                full = f"{name}.{side}.{key}"
                self.tensors[full] = t
                entry[side + "s"][key] = dict(key=full, shape=list(t.shape), dtype=str(t.dtype).split(".")[1])
                if side == "output":
                    entry["outputs"][key]["max_abs"] = round(float(t.abs().max()), 4)
                    if key in exact:
                        entry["outputs"][key]["exact"] = True
        self.cases.append(entry)


@torch.no_grad()
def build(export, side=16):
    gen = torch.Generator().manual_seed(11)
    rand = lambda *s: torch.randn(*s, generator=gen)
    vae, clip, model = read_export(export)
    tok, c = Tokenizer(f"{export}/tokenizer"), Cases()
    ids = torch.tensor([tok(t) for t in TEXTS])
    text = clip.text(ids)
    c.add("tokenizer", "token ids of params.strings, truncated and padded to 24", {}, dict(ids=ids), dict(strings=TEXTS), exact=("ids",))
    c.add("text", "text encoder: last hidden state after the final norm, projected pooled state", dict(ids="tokenizer.output.ids"), dict(context=text.last_hidden_state, pooled=text.text_embeds))
    pixels = rand(1, 3, 128, 128)
    seen, blank = clip.vision(pixels, output_hidden_states=True), clip.vision(torch.zeros(1, 3, 128, 128), output_hidden_states=True)
    tokens, null_tokens, detail = model.resampler(seen.hidden_states[-2]), model.resampler(blank.hidden_states[-2]), model.detail(seen.last_hidden_state)
    c.add("tokens", "image tokens (resampler over hidden_states[-2]), those of all-zero pixels, detail tokens (linear over last_hidden_state), projected embedding", dict(pixels=pixels),
          dict(penultimate=seen.hidden_states[-2], last=seen.last_hidden_state, image_tokens=tokens, null_image_tokens=null_tokens, detail_tokens=detail, embeds=seen.image_embeds))
    picture = torch.nn.functional.interpolate(rand(1, 3, 12, 12), size=(side * 8, side * 8), mode="bicubic").clamp(-1, 1)
    z = vae.encode(picture).latent_dist.mode()
    c.add("vae_encode", "posterior mean times scaling_factor 1.0", dict(picture=picture), dict(latent=z), tolerance=dict(atol=1e-3, rtol=1e-3))
    c.add("vae_decode", "decoder of the encoded latent", dict(latent="vae_encode.output.latent"), dict(picture=vae.decode(z).sample), tolerance=dict(atol=1e-3, rtol=1e-3))
    ref = rand(1, V.CHANNELS, side, side)
    t = torch.tensor([401])
    bank = model.reference_features(ref, seen.last_hidden_state, 401)  # at the set's own timestep: the network is what is compared
    names = [n[:-len(".processor")] for n in model.unet.attn_processors if n.startswith("up_blocks") and "attn1" in n]
    c.add("refine_features", "norm1(x) of each decoder self attention of RefineNet", dict(ref_xt=ref, detail_tokens="tokens.output.detail_tokens"), dict(zip(names, bank)), dict(timestep=401))
    xt, m, zm, zg = rand(1, V.CHANNELS, side, side), torch.zeros(1, 1, side, side), rand(1, V.CHANNELS, side, side) * 0.7, rand(1, V.CHANNELS, side, side) * 0.7
    m[..., 4:12, 3:13] = 1
    first = dict(xt=xt, mask=m, masked_latent=zm, guide_latent=zg, text=text.last_hidden_state[1:2], null_text=text.last_hidden_state[:1])
    share = lambda *keys: {k: f"v_text_only.input.{k}" for k in keys}
    run = lambda cond, ip, beta, feats, guide=zg: model(torch.cat([xt, m, zm, guide], 1), t, cond, ip, torch.full((1, 1, 1), float(beta)), feats)
    on, off = text.last_hidden_state[1:2], text.last_hidden_state[:1]
    note = "v prediction of the main U-Net over [xt ; mask ; masked_latent ; guide_latent]. "
    c.add("v_text_only", note + "No image tokens, no RefineNet", first, dict(v=run(on, None, 0, None)), dict(timestep=401, beta=None, refine=False, text="text"))
    every = share(*first) | dict(image_tokens="tokens.output.image_tokens", null_image_tokens="tokens.output.null_image_tokens")
    c.add("v_no_guide", note + "The guide latent is zeros", every, dict(v=run(on, tokens, 0.5, None, torch.zeros_like(zg))), dict(timestep=401, beta=0.5, refine=False, text="text", guide=False))
    for beta in (0.3, 1.0):
        c.add(f"v_beta{beta}", note + f"Text and subject, beta {beta}, no RefineNet", every, dict(v=run(on, tokens, beta, None)), dict(timestep=401, beta=beta, refine=False, text="text"))
    c.add("v_refine", note + "Null text, beta 1, RefineNet features of the case refine_features", every, dict(v=run(off, tokens, 1.0, bank)), dict(timestep=401, beta=1.0, refine=True, text="null_text"))
    cond, un = run(on, tokens, 0.5, None), run(off, null_tokens, 0.5, None)
    c.add("guidance", "e = u + s (c - u); unconditional: null text, image tokens of zero pixels, same beta, same guide", every, dict(v=un + 1.5 * (cond - un)), dict(guide_scale=1.5, guide_rescale=0, timestep=401, beta=0.5))
    acp = schedule()
    times = [round(1000 - i * 1000 / 20) - 1 for i in range(20)]
    c.add("schedule", "trailing timesteps of 20 steps and the cumulative alphas there (zero terminal SNR)", {}, dict(timesteps=torch.tensor(times), alphas_cumprod=acp[times]), exact=("timesteps",), tolerance=dict(atol=1e-6, rtol=1e-5))
    # pictures
    rng = np.random.default_rng(3)
    smooth = lambda *s: torch.nn.functional.interpolate(torch.tensor(rng.random((1, s[2], 9, 9))).float(), size=s[:2], mode="bicubic")[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    mask = np.zeros((96, 96), np.uint8)
    mask[20:81, 14:90] = 1
    cut = np.zeros((120, 90, 4), np.uint8)
    cut[..., :3] = smooth(120, 90, 3)
    yy, xx = np.mgrid[:120, :90]
    cut[..., 3] = ((1.2 - np.hypot((yy - 62) / 52, (xx - 44) / 38)) * 500).clip(0, 255)
    colour, cover = G.fit(cut, mask)
    c.add("guide_fit", "cut-out fitted into the mask's box (92 %, centred); premultiplied colour 0..255, coverage 0..1 (area resize)", dict(cutout=cut, mask=mask), dict(colour=colour, coverage=cover), tolerance=dict(atol=1.0, rtol=0))
    filled = smooth(96, 96, 3).astype(np.float32)
    for beta in (0.0, 0.3, 1.0):
        keep = G.gate(beta, True)
        c.add(f"guide_compose_beta{beta}", "filled * (1 - coverage) + premultiplied colour mixed with its plain mean by the chroma gate; params.keep = smoothstep(0.1, 0.7, beta)",
              dict(filled=filled, colour="guide_fit.output.colour", coverage="guide_fit.output.coverage"), dict(guide=G.compose(filled, colour, cover, keep).astype(np.float32)), dict(beta=beta, keep=keep), tolerance=dict(atol=1e-2, rtol=0))
    guide = G.compose(filled, colour, cover, 1.0).astype(np.float32)
    decoded = np.stack([G.box(guide[..., i], 3) for i in range(3)], -1)
    result = (decoded * np.linspace(0.7, 1.1, 96, dtype=np.float32)[:, None, None]).clip(0, 255)
    result[40:60, 40:60] = smooth(20, 20, 3)
    c.add("transfer_detail", "detail transfer", dict(result=result.astype(np.float32), guide=guide, guide_decoded=decoded.astype(np.float32), coverage="guide_fit.output.coverage"), dict(out=G.transfer_detail(result, guide, decoded, cover).astype(np.float32)), dict(G.TRANSFER), tolerance=dict(atol=0.05, rtol=0))
    pixel = torch.zeros(1, 1, 128, 128)
    pixel[..., 29:83, 11:117] = 1
    c.add("mask_to_latent", "antialiased bilinear, then > 0.5", dict(mask=pixel), dict(mask_latent=latent_mask(pixel)), exact=("mask_latent",))
    return c


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--export", required=True)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    torch.set_num_threads(1)
    c = build(args.export)
    os.makedirs(args.out, exist_ok=True)
    save_file(c.tensors, f"{args.out}/cases.safetensors")
    with open(f"{args.out}/cases.json", "w") as file:
        json.dump(dict(format=1, set="mini", about="Cases of the bundled model, made by training/mini/make_reference.py", cases=c.cases), file, indent=1)
        file.write("\n")
    print(len(c.cases), "cases,", sum(t.numel() * t.element_size() for t in c.tensors.values()) // 1024, "KiB")


if __name__ == "__main__":
    main()
