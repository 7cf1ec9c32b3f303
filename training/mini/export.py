"""Write the model folder: fp16 safetensors in the published layouts, manifest with sizes and SHA-256.
usage: python -m mini.export --out DIR [--ckpt diffusion.pt] [--draft]. --draft takes random weights where a checkpoint is missing.
`read_export` loads such a folder back; training can go on from it alone (--from-export)."""
import argparse, hashlib, json, os, shutil
import torch
from diffusers import DDIMScheduler
from safetensors.torch import load_file, save_file
from . import vae as V
from .model import LATENT, REFERENCE_TIME, RESAMPLER, SCHEDULER, UNET, LarGen
from .paths import work
from .tokenizer import Tokenizer
from .train_clip import Clip

DEFAULTS = dict(steps=2, guidance=1.0, rescale=0.0, betaWithText=0.5, betaSubjectOnly=1.0, guideStrength=0.0, detailTransfer=1.0, sampler="ddim")
SOURCE = "trained by training/ of this repository; data and credits in README.md beside this file"


def half(state):
    return {k: v.detach().half().contiguous().clone() for k, v in state.items() if v.is_floating_point()}


def put(out, folder, state, config, name="diffusion_pytorch_model.safetensors"):
    os.makedirs(f"{out}/{folder}", exist_ok=True)
    save_file(half(state), f"{out}/{folder}/{name}", metadata={"format": "pt"})
    with open(f"{out}/{folder}/config.json", "w") as file:
        json.dump(config, file, indent=1)
        file.write("\n")


def adapter_names(unet):
    """IP-Adapter numbering: index over the attention processors in module order; the cross attentions have the projections."""
    return [(i, p) for i, p in enumerate(unet.attn_processors.values()) if hasattr(p, "to_k_ip")]


def write(out, vae, clip, model, tokenizer_folder, defaults=DEFAULTS):
    shutil.rmtree(out + ".tmp", ignore_errors=True)
    tmp = out + ".tmp"
    put(tmp, "vae", vae.state_dict(), dict(_class_name="AutoencoderKL", **V.CONFIG))
    for folder, net, channels in (("unet", model.unet, UNET["in_channels"]), ("refine_net", model.refine, LATENT)):
        config = dict(_class_name="UNet2DConditionModel", **dict(UNET, in_channels=channels))
        put(tmp, folder, {k: v for k, v in net.state_dict().items() if ".processor." not in k}, config | (dict(guide_channels=LATENT) if folder == "unet" else dict(reference_timestep=REFERENCE_TIME)))
    save_file(half({f"detail_proj.{k}": v for k, v in model.detail.state_dict().items()}), f"{tmp}/refine_net/detail_encoder.safetensors", metadata={"format": "pt"})
    adapter = {f"image_proj.{k}": v for k, v in model.resampler.state_dict().items()}
    for i, proc in adapter_names(model.unet):
        adapter[f"ip_adapter.{i}.to_k_ip.weight"], adapter[f"ip_adapter.{i}.to_v_ip.weight"] = proc.to_k_ip.weight, proc.to_v_ip.weight
    save_file(half(adapter), f"{tmp}/ip_adapter.safetensors", metadata={"format": "pt"})
    clean = lambda c: {k: v for k, v in c.to_dict().items() if not k.startswith("_") and k not in ("torch_dtype", "dtype", "transformers_version")}
    put(tmp, "text_encoder", clip.text.state_dict(), clean(clip.text.config) | dict(architectures=["CLIPTextModelWithProjection"]), "model.safetensors")
    put(tmp, "image_encoder", clip.vision.state_dict(), clean(clip.vision.config) | dict(architectures=["CLIPVisionModelWithProjection"]), "model.safetensors")
    with open(f"{tmp}/image_encoder/preprocessor_config.json", "w") as file:
        json.dump(dict(image_processor_type="CLIPImageProcessor", size=dict(shortest_edge=128), crop_size=dict(height=128, width=128), do_center_crop=True, do_resize=True,
                       do_normalize=True, do_rescale=True, rescale_factor=1 / 255, resample=3, image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711]), file, indent=1)
    shutil.copytree(tokenizer_folder, f"{tmp}/tokenizer")
    DDIMScheduler(**SCHEDULER).save_config(f"{tmp}/scheduler")
    with open(f"{tmp}/model_index.json", "w") as file:
        json.dump(dict(_class_name="LarGenInpaintPipeline", vae=["diffusers", "AutoencoderKL"], unet=["diffusers", "UNet2DConditionModel"], refine_net=["diffusers", "UNet2DConditionModel"],
                       text_encoder=["transformers", "CLIPTextModelWithProjection"], tokenizer=["transformers", "CLIPTokenizer"],
                       image_encoder=["transformers", "CLIPVisionModelWithProjection"], scheduler=["diffusers", "DDIMScheduler"],
                       ip_adapter="ip_adapter.safetensors", resampler=RESAMPLER, clip_logit_scale=float(clip.scale.detach())), file, indent=1)
    finish(tmp, out, defaults)


def finish(tmp, out, defaults=DEFAULTS):
    """Manifest over the weights and configs, then one rename. A card and pictures that lie in `out` are kept."""
    files = []
    for folder, _, names in sorted(os.walk(tmp)):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), tmp)
            if path == "larkspur-model.json" or path.endswith((".md", ".png", ".webp", ".jpg")):
                continue
            with open(f"{tmp}/{path}", "rb") as file:
                data = file.read()
            role = "weights" if path.endswith(".safetensors") else "tokenizer" if path.startswith("tokenizer/") else "config"
            files.append(dict(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), role=role))
    manifest = dict(format=1, id="mini", name="Larkspur mini", kind="largen", family="sd15", nativeSize=256, prediction="v_prediction", zeroTerminalSnr=True, spacing="trailing",
                    latentChannels=LATENT, guideChannels=True, clipImageSize=128, imageTokens=RESAMPLER["num_queries"], defaults=defaults, files=files,
                    licence="Apache-2.0", source=SOURCE)
    with open(f"{tmp}/larkspur-model.json", "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    if os.path.isdir(out):
        for name in os.listdir(out):
            if name.endswith((".md", ".png", ".webp", ".jpg")) and not os.path.exists(f"{tmp}/{name}"):
                shutil.copy(f"{out}/{name}", f"{tmp}/{name}")
        shutil.rmtree(out + ".old", ignore_errors=True)
        os.rename(out, out + ".old")
    os.rename(tmp, out)
    shutil.rmtree(out + ".old", ignore_errors=True)
    print(out, f"{sum(f['bytes'] for f in files) / 1e6:.1f} MB")


def read_export(folder):
    """(vae, clip, model) of an export, widened to fp32."""
    weights = lambda name: {k: v.float() for k, v in load_file(f"{folder}/{name}").items()}
    vae, clip, model = V.build(), Clip(len(Tokenizer(f"{folder}/tokenizer").vocab)), LarGen()
    vae.load_state_dict(weights("vae/diffusion_pytorch_model.safetensors"))
    clip.text.load_state_dict(weights("text_encoder/model.safetensors"), strict=False)
    clip.vision.load_state_dict(weights("image_encoder/model.safetensors"), strict=False)
    with open(f"{folder}/model_index.json") as file:
        clip.scale.data.fill_(json.load(file)["clip_logit_scale"])
    adapter = weights("ip_adapter.safetensors")
    for net, name in ((model.unet, "unet"), (model.refine, "refine_net")):
        missing, unexpected = net.load_state_dict(weights(f"{name}/diffusion_pytorch_model.safetensors"), strict=False)
        assert not unexpected and all(".processor." in k for k in missing), (missing, unexpected)
    for i, proc in adapter_names(model.unet):
        proc.to_k_ip.weight.data.copy_(adapter[f"ip_adapter.{i}.to_k_ip.weight"])
        proc.to_v_ip.weight.data.copy_(adapter[f"ip_adapter.{i}.to_v_ip.weight"])
    model.resampler.load_state_dict({k[len("image_proj."):]: v for k, v in adapter.items() if k.startswith("image_proj.")})
    model.detail.load_state_dict({k[len("detail_proj."):]: v for k, v in weights("refine_net/detail_encoder.safetensors").items()})
    freeze = lambda m: m.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return freeze(vae), clip.eval().requires_grad_(False), freeze(model)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--ckpt", default=work("checkpoints", "diffusion.pt"))
    ap.add_argument("--draft", action="store_true")
    args = ap.parse_args()
    torch.manual_seed(0)
    vae, tok = V.build(), Tokenizer(work("tokenizer", "x")[:-2])
    clip, model = Clip(len(tok.vocab)), LarGen()
    for name, path, use in (("decoder", work("checkpoints", "decoder.pt"), lambda s: vae.load_state_dict(s["ema"])), ("clip", work("checkpoints", "clip.pt"), lambda s: clip.load_state_dict(s["model"])),
                            ("U-Net", args.ckpt, lambda s: model.load_state_dict(s["ema"]))):
        if os.path.exists(path):
            saved = torch.load(path, weights_only=False)
            use(saved)
            if saved.get("stage") == 1:
                model.start_refine()
        elif not args.draft:
            raise SystemExit(f"no {name} checkpoint at {path}; train it first or pass --draft")
        else:
            print(f"random weights for the {name}")
            if name == "U-Net":
                model.start_refine()
    V.set_encoder(vae)
    write(args.out.rstrip("/"), vae, clip, model, work("tokenizer", "x")[:-2])


if __name__ == "__main__":
    main()
