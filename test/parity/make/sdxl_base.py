"""SDXL in diffusers folders: two text encoders, the U-Net with its second condition, the VAE."""
import torch
from diffusers import DDIMScheduler

import networks
from writer import Writer, write_json


@torch.no_grad()
def make(folder, shape):
    generator = networks.seeded(shape.seed)
    noise = lambda *sides: torch.randn(*sides, generator=generator)
    first, pooled, side = 16, 20 + 4 * (shape.seed % 3), 8
    second = shape.context + 8
    shape.context = first + second
    shape.cross[-1] = True
    shape.cross[0] = False if shape.levels > 1 else True
    one = networks.text_encoder(shape, generator, width=first)
    two = networks.text_encoder(shape, generator, width=second, projection=pooled)
    unet = networks.unet(shape, shape.latent, generator, linear=True, vector=(pooled, side))
    vae = networks.vae(shape, generator, scaling=0.13025)
    for name, module, form in [('text_encoder', one, 'text'), ('text_encoder_2', two, 'text'), ('vae', vae, 'vae'), ('unet', unet, 'unet')]:
        older = (r'^(?!text_model\.|text_projection)', 'text_model.') if name.startswith('text') and shape.older_names else None
        networks.save(module, f'{folder}/{name}', shape.form[form], older)
    DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear', prediction_type=shape.prediction).save_pretrained(f'{folder}/scheduler')
    write_json(f'{folder}/model_index.json', {'_class_name': 'StableDiffusionXLPipeline'})
    out = Writer(folder, 'sdxl-base', 'Tiny SDXL with random weights. Expected: diffusers and transformers in fp32.', {'shape': shape.says()})

    ids, others = networks.token_ids(generator, 2), networks.token_ids(generator, 2)
    run_one, run_two = one(ids, output_hidden_states=True), two(others, output_hidden_states=True)
    out.case('text_encoder_1', 'First text encoder, last but one layer.', {'ids': ids}, {'penultimate': run_one.hidden_states[-2]})
    out.case('text_encoder_2', 'Second text encoder, last but one layer, and what is pooled and projected.', {'ids': others}, {'penultimate': run_two.hidden_states[-2], 'pooled': run_two.text_embeds})
    out.case('text_concat', 'What the U-Net attends to.', {'ids_1': ids, 'ids_2': others}, {'text': torch.cat([run_one.hidden_states[-2], run_two.hidden_states[-2]], -1)})
    for name, (height, width), times in [('unet_even', shape.even, [981.0]), ('unet_odd_size', shape.odd, [333.0]), ('unet_batch2', shape.even, [501.0, 21.0])]:
        batch = len(times)
        sample, context, embeds = noise(batch, shape.latent, height, width), noise(batch, 77, shape.context), noise(batch, pooled)
        sizes, time = torch.tensor([[768.0, 512, 16, 32, 1024, 896], [1024, 1024, 0, 0, 512, 512]][:batch]), torch.tensor(times)
        run = lambda **change: unet(sample, time, context, added_cond_kwargs={'text_embeds': embeds, 'time_ids': sizes, **change}).sample
        out.case(name, 'U-Net.', {'sample': sample, 'text': context, 'text_embeds': embeds, 'time_ids': sizes, 'timestep': time}, {'eps': run()},
                 without={'the pooled text': {'eps': run(text_embeds=embeds * 0)}, 'the sizes': {'eps': run(time_ids=sizes * 0)}})
    image, latent = noise(1, 3, 24, 40), noise(1, shape.latent, 5, 3)
    moments = vae.encode(image).latent_dist
    out.case('vae', 'Posterior of an image, and image of a scaled latent.', {'image': image, 'latent': latent},
             {'mean': moments.mean, 'logvar': moments.logvar, 'image': vae.decode(latent / vae.config.scaling_factor).sample}, {'scaling_factor': 0.13025})
    out.close()
