"""Paint-by-Example in its published layout, computed by diffusers' own classes and pipeline."""
import torch
from diffusers import DDIMScheduler, PNDMScheduler
from diffusers.pipelines.deprecated.paint_by_example.image_encoder import PaintByExampleImageEncoder
from diffusers.pipelines.deprecated.paint_by_example.pipeline_paint_by_example import PaintByExamplePipeline

import networks
from writer import Writer, write_json


@torch.no_grad()
def make(folder, shape):
    generator = networks.seeded(shape.seed)
    noise = lambda *sides: torch.randn(*sides, generator=generator)
    config = networks.vision_config(shape, shape.context)
    encoder = networks.liven(PaintByExampleImageEncoder(config, proj_size=shape.context), generator)
    unet, vae = networks.unet(shape, 2 * shape.latent + 1, generator), networks.vae(shape, generator)
    forms = shape.form
    networks.save(encoder, f'{folder}/image_encoder', forms['vision'], (r'^model\.', 'model.vision_model.') if shape.older_names else None)
    networks.save(unet, f'{folder}/unet', forms['unet'])
    networks.save(vae, f'{folder}/vae', forms['vae'])
    steps = {'num_train_timesteps': 1000, 'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear', 'steps_offset': 1, 'set_alpha_to_one': False}
    pndm = PNDMScheduler(skip_prk_steps=True, prediction_type=shape.prediction, **steps)
    pndm.save_pretrained(f'{folder}/scheduler')
    write_json(f'{folder}/model_index.json', {
        '_class_name': 'PaintByExamplePipeline', '_diffusers_version': '0.9.0', 'image_encoder': ['paint_by_example', 'PaintByExampleImageEncoder'],
        'scheduler': ['diffusers', 'PNDMScheduler'], 'unet': ['diffusers', 'UNet2DConditionModel'], 'vae': ['diffusers', 'AutoencoderKL'],
        'feature_extractor': [None, None], 'safety_checker': [None, None], 'requires_safety_checker': False,
    })
    out = Writer(folder, 'paint-by-example', 'Tiny Paint-by-Example with random weights in its diffusers layout. Expected: diffusers\' own image encoder, U-Net and pipeline in fp32.', {'shape': shape.says()})

    side = shape.vision_size
    pixels = noise(2, 3, side, side)
    tokens, nothing = encoder(pixels, return_uncond_vector=True)
    unmapped = encoder.proj_out(encoder.final_layer_norm(encoder.model(pixel_values=pixels).pooler_output[:, None]))
    out.case('example', 'Condition of two example pictures, and of none.', {'pixels': pixels}, {'tokens': tokens, 'nothing': nothing},
             without={'the mapper': {'tokens': unmapped}, 'post layer norm': {'tokens': encoder.proj_out(encoder.final_layer_norm(encoder.mapper(encoder.model(pixel_values=pixels).last_hidden_state[:, :1])))}})

    for name, (height, width), batch in [('unet', shape.even, 1), ('unet_odd_size', shape.odd, 1), ('unet_batch2', shape.even, 2)]:
        sample, masked = noise(batch, shape.latent, height, width), noise(batch, shape.latent, height, width)
        mask = (noise(batch, 1, height, width) > 0).float()
        text, time = noise(batch, 1, shape.context), torch.tensor([481.0, 21.0][:batch])
        run = lambda *parts, time=time, text=text: unet(torch.cat(parts, 1), time, text).sample
        eps = run(sample, masked, 1 - mask)
        without = {'the turned mask': {'eps': run(sample, masked, mask)}, "Stable Diffusion's order of channels": {'eps': run(sample, 1 - mask, masked)}}
        without['the example'] = {'eps': run(sample, masked, 1 - mask, text=text * 0)}
        out.case(name, 'Main U-Net; mask 1 = repaint, the network gets its opposite behind the masked latent.',
                 {'sample': sample, 'mask': mask, 'masked_latent': masked, 'text': text, 'timestep': time}, {'eps': eps}, without=without)

    for name, scheduler, guidance, count in [('pipeline', pndm, 5.0, 6), ('pipeline_ddim', DDIMScheduler(clip_sample=False, prediction_type=shape.prediction, **steps), 3.0, 4), ('pipeline_guidance1', pndm, 1.0, 3)]:
        unit = 8 * 2 ** (shape.levels - 1)
        height, width = 2 * unit, 2 * unit
        image = noise(1, 3, height, width).clamp(-1, 1)
        mask = torch.zeros(1, 1, height, width)
        mask[:, :, height // 4: height * 3 // 4 + 3, width // 5: width // 2 + 5] = 1
        example, start = noise(1, 3, side, side), noise(1, shape.latent, height // 8, width // 8)
        pipeline = PaintByExamplePipeline(vae=vae, image_encoder=encoder, unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None)
        pipeline.set_progress_bar_config(disable=True)
        # The pipeline draws nothing but the posterior of the masked picture, for the start is given.
        posterior = torch.randn(1, shape.latent, height // 8, width // 8, generator=torch.Generator().manual_seed(shape.seed))
        latents = []
        got = pipeline(example_image=example, image=image, mask_image=mask, num_inference_steps=count, guidance_scale=guidance, latents=start.clone(),
                       generator=torch.Generator().manual_seed(shape.seed), output_type='pt', callback=lambda _i, _t, value: latents.append(value.clone()), callback_steps=1)
        times = scheduler.timesteps.float()
        if len(latents) != len(times):
            latents = trace(pipeline, scheduler, example, image, mask, start, posterior, guidance, count)
        picture = got.images.float()
        out.case(name, "diffusers' pipeline: example, masked picture, guidance, solver, decode; nothing is blended between steps.",
                 {'pixels': example, 'image': image, 'mask': mask, 'initial_noise': start, 'posterior_noise': posterior},
                 {'timesteps': times, 'latents': torch.stack(latents), 'image': picture},
                 {'scheduler': type(scheduler).__name__, 'guidance_scale': guidance, 'steps': count, 'timestep_spacing': 'leading', 'steps_offset': 1, 'set_alpha_to_one': False},
                 {'atol': 1e-4, 'rtol': 1e-4})
    out.close()


def trace(pipeline, scheduler, example, image, mask, start, posterior, guidance, count):
    """The pipeline tells no latents of its first steps where a solver asks twice; the same steps again, checked against what it gave."""
    unet, vae, encoder = pipeline.unet, pipeline.vae, pipeline.image_encoder
    keep = (1 - mask >= 0.5).float()
    moments = vae.encode(image * keep).latent_dist
    masked = vae.config.scaling_factor * (moments.mean + moments.std * posterior)
    small = torch.nn.functional.interpolate(keep, size=start.shape[-2:])
    tokens, nothing = encoder(example, return_uncond_vector=True)
    scheduler.set_timesteps(count)
    x, latents = start.clone(), []
    for time in scheduler.timesteps:
        seen = torch.cat([x, masked, small], 1)
        c = unet(seen, time, tokens).sample
        e = c if guidance <= 1 else (lambda u: u + guidance * (c - u))(unet(seen, time, nothing).sample)
        x = scheduler.step(e, time, x).prev_sample
        latents.append(x)
    return latents
