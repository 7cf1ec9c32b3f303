"""Stable Diffusion inpainting in diffusers folders: single networks, and diffusers' own pipeline."""
import torch
from diffusers import DDIMScheduler, StableDiffusionInpaintPipeline

import networks
from writer import Writer, write_json


@torch.no_grad()
def make(folder, shape):
    generator = networks.seeded(shape.seed)
    noise = lambda *sides: torch.randn(*sides, generator=generator)
    text, vae, unet = networks.text_encoder(shape, generator), networks.vae(shape, generator), networks.unet(shape, 2 * shape.latent + 1, generator)
    for name, module, form in [('text_encoder', text, 'text'), ('vae', vae, 'vae'), ('unet', unet, 'unet')]:
        older = (r'^(?!text_model\.)', 'text_model.') if name == 'text_encoder' and shape.older_names else None
        networks.save(module, f'{folder}/{name}', shape.form[form], older)
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear', clip_sample=False, set_alpha_to_one=False, steps_offset=1,
        prediction_type=shape.prediction, timestep_spacing=shape.spacing,
    )
    scheduler.save_pretrained(f'{folder}/scheduler')
    write_json(f'{folder}/model_index.json', {'_class_name': 'StableDiffusionInpaintPipeline'})
    out = Writer(folder, 'sd15-inpaint', 'Tiny Stable Diffusion inpainting with random weights. Expected: diffusers and transformers in fp32.', {'shape': shape.says()})

    ids = networks.token_ids(generator, 3)
    out.case('text_encoder', 'Text encoder over token ids.', {'ids': ids}, {'last_hidden_state': text(ids).last_hidden_state})
    unit = 2 ** (shape.vae_levels - 1)
    for name, batch, (height, width) in [('1', 1, (5, 3)), ('2', 2, (2, 4))]:
        image, latent = noise(batch, 3, height * unit, width * unit), noise(batch, shape.latent, height, width)
        moments = vae.encode(image).latent_dist
        out.case(f'vae_encode_{name}', 'Posterior of an image, not scaled.', {'image': image}, {'mean': moments.mean, 'logvar': moments.logvar})
        out.case(f'vae_decode_{name}', 'Image of a latent that is not scaled.', {'latent': latent}, {'image': vae.decode(latent).sample})
    for name, (height, width), times in [('even', shape.even, [981.0]), ('odd_size', shape.odd, [501.0]), ('batch2', shape.even, [801.0, 41.0]), ('odd_batch2', shape.odd[::-1], [21.0, 700.0])]:
        batch = len(times)
        sample, masked, mask = noise(batch, shape.latent, height, width), noise(batch, shape.latent, height, width), (noise(batch, 1, height, width) > 0).float()
        context, time = noise(batch, 77, shape.context), torch.tensor(times)
        run = lambda context=context, mask=mask: unet(torch.cat([sample, mask, masked], 1), time, context).sample
        out.case(f'unet_{name}', 'Main U-Net.', {'sample': sample, 'mask': mask, 'masked_latent': masked, 'text': context, 'timestep': time}, {'eps': run()},
                 without={'the text': {'eps': run(context=context * 0)}, 'the mask': {'eps': run(mask=mask * 0)}})

    side = unit * 2 ** (shape.levels - 1)
    height, width, count, guidance = 2 * side, 3 * side, 5, 7.5
    image, mask = noise(1, 3, height, width).clamp(-1, 1), torch.zeros(1, 1, height, width)
    mask[:, :, height // 4: -height // 5, width // 3: -width // 4] = 1
    ids, start = networks.token_ids(generator, 2), noise(1, shape.latent, height // unit, width // unit)
    prompt, negative = text(ids).last_hidden_state.split(1)
    posterior = torch.randn(start.shape, generator=torch.Generator().manual_seed(shape.seed))
    pipeline = StableDiffusionInpaintPipeline(vae=vae, text_encoder=text, tokenizer=None, unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    latents = []

    def keep(_pipeline, _step, _time, tensors):
        latents.append(tensors['latents'].clone())
        return tensors

    got = pipeline(prompt_embeds=prompt, negative_prompt_embeds=negative, image=image, mask_image=mask, height=height, width=width, num_inference_steps=count, guidance_scale=guidance, strength=1.0,
                   latents=start.clone(), generator=torch.Generator().manual_seed(shape.seed), output_type='pt', callback_on_step_end=keep)
    out.case('pipeline', "diffusers' inpainting pipeline over token ids of prompt and negative prompt.", {'ids': ids, 'image': image, 'mask': mask, 'initial_noise': start, 'posterior_noise': posterior},
             {'timesteps': scheduler.timesteps.float(), 'latents': torch.stack(latents), 'image': got.images.float()},
             {'guidance_scale': guidance, 'steps': count, 'timestep_spacing': shape.spacing, 'steps_offset': 1, 'set_alpha_to_one': False}, {'atol': 1e-4, 'rtol': 1e-4})
    out.close()
    return unet
