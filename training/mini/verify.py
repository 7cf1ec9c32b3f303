"""Load an export with the stock classes of diffusers and transformers: every key must fit, every listed hash must be right. usage: python -m mini.verify DIR"""
import hashlib, json, sys
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection
from . import vae as V
from .model import RESAMPLER, Resampler
from .tokenizer import Tokenizer


def verify(folder):
    with open(f"{folder}/larkspur-model.json") as file:
        manifest = json.load(file)
    for item in manifest["files"]:
        with open(f"{folder}/{item['path']}", "rb") as file:
            data = file.read()
        assert len(data) == item["bytes"] and hashlib.sha256(data).hexdigest() == item["sha256"], item["path"]
    load = lambda cls, name, **o: cls.from_pretrained(folder, subfolder=name, torch_dtype=torch.float32, **o)
    vae, unet, refine = load(AutoencoderKL, "vae"), load(UNet2DConditionModel, "unet"), load(UNet2DConditionModel, "refine_net")
    with torch.no_grad():
        x = torch.rand(1, 3, 64, 64) * 2 - 1
        error = (vae.encode(x).latent_dist.mode() - V.encode(x)).abs().max().item()
        assert error < 5e-3, f"the encoder is not the fixed transform: {error}"
        assert unet(torch.randn(1, 49, 16, 16), 5, torch.randn(1, 24, 192)).sample.shape == (1, 16, 16, 16)
        assert refine(torch.randn(1, 16, 16, 16), 5, torch.randn(1, 65, 192)).sample.shape == (1, 16, 16, 16)
    load(CLIPTextModelWithProjection, "text_encoder")
    load(CLIPVisionModelWithProjection, "image_encoder")
    stock, own = CLIPTokenizer.from_pretrained(f"{folder}/tokenizer"), Tokenizer(f"{folder}/tokenizer")
    for text in ("a red apple", "A photo of a T-shirt, xyzzy 42!"):
        assert stock(text, padding="max_length", max_length=24, truncation=True).input_ids == own(text), text
    adapter = load_file(f"{folder}/ip_adapter.safetensors")
    Resampler(**RESAMPLER).load_state_dict({k[11:]: v.float() for k, v in adapter.items() if k.startswith("image_proj.")})
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(20)
    assert int(scheduler.timesteps[0]) == 999 and float(scheduler.alphas_cumprod[-1]) == 0
    return f"{folder}: {len(manifest['files'])} files fit, encoder error {error:.1e}"


if __name__ == "__main__":
    print(verify(sys.argv[1]))
