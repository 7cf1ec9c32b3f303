"""IP-Adapter-Plus over the U-Net of the set sd15-inpaint with the same ending: image encoder, resampler, predictions at three scales."""
import os

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

import networks
from largen_sd15_ref import LarGenSD15
from writer import Writer


def resampler_config(shape, draw):
    return dict(dim=8 * (2 + draw % 3), depth=1 + draw % 4, dim_head=64, heads=1 + draw % 3, num_queries=[4, 8, 16][draw % 3], embedding_dim=shape.vision_width, output_dim=shape.context)


@torch.no_grad()
def make(folder, shape):
    ending = os.path.basename(folder)[len('ip-adapter-plus'):]
    base = os.path.join(os.path.dirname(folder), f'sd15-inpaint{ending}', 'unet')
    if not os.path.isdir(base):
        raise SystemExit(f'{base}: missing; make sd15-inpaint with the same ending and seed first')
    generator = networks.seeded(shape.seed + 1)
    noise = lambda *sides: torch.randn(*sides, generator=generator)
    unet = UNet2DConditionModel.from_pretrained(base, torch_dtype=torch.float32).eval()
    config = {key: unet.config[key] for key in networks.unet_config(shape, 9)}
    vision = networks.vision_encoder(shape, generator)
    whole = networks.liven(LarGenSD15(config, resampler_config(shape, shape.seed), shape.vision_width, refine=False), generator)
    whole.unet.load_state_dict(unet.state_dict())
    networks.save(vision, f'{folder}/models/image_encoder', shape.form['vision'], (r'^(?!vision_model\.|visual_projection)', 'vision_model.') if shape.older_names else None)
    parts = {'image_proj': whole.image_proj.state_dict(), 'ip_adapter': whole.ip_adapter.state_dict()}
    parts = {part: {name: tensor.clone().contiguous() for name, tensor in tensors.items()} for part, tensors in parts.items()}
    save_file({f'{part}.{name}': tensor for part, tensors in parts.items() for name, tensor in tensors.items()}, f'{folder}/models/ip-adapter-plus_sd15.safetensors')
    torch.save(parts, f'{folder}/models/ip-adapter-plus_sd15.bin')
    out = Writer(folder, 'ip-adapter-plus', 'Tiny IP-Adapter-Plus with random weights over the U-Net beside it. Expected: transformers, diffusers and the wrapper in fp32.', {'shape': shape.says()})

    pixels = noise(2, 3, shape.vision_size, shape.vision_size)
    seen = vision(pixels, output_hidden_states=True)
    hidden = seen.hidden_states[-2]
    out.case('clip_vision', 'Image encoder.', {'pixels': pixels}, {'penultimate': hidden, 'last_hidden_state': seen.last_hidden_state, 'image_embeds': seen.image_embeds})
    out.case('resampler', 'Image tokens.', {'hidden': hidden}, {'tokens': whole.image_proj(hidden)})
    nothing = vision(pixels[:1] * 0, output_hidden_states=True).hidden_states[-2]
    out.case('uncond_tokens', 'Image tokens of pixels that are zero.', {}, {'penultimate': nothing, 'tokens': whole.image_proj(nothing)}, {'pixels_shape': list(pixels[:1].shape)})
    for scale, (height, width) in [(0.0, shape.even), (0.3, shape.odd), (1.0, shape.even)]:
        sample, context = noise(1, 2 * shape.latent + 1, height, width), noise(1, 77, shape.context)
        time, tokens = 401, whole.image_proj(hidden[:1])
        latent, mask, masked = sample.split([shape.latent, 1, shape.latent], 1)
        run = lambda tokens, beta=scale: whole.eps(latent, mask, masked, time, context, tokens, beta)
        without = {} if scale == 0 else {'the image': {'eps': run(None)}, 'the scale': {'eps': run(tokens, scale * 0.5)}}
        out.case(f'unet_{scale}', 'U-Net with image tokens.', {'sample': sample, 'text': context, 'hidden': hidden[:1]}, {'eps': run(tokens)}, {'scale': scale, 'timestep': time}, without=without)
    out.close()
