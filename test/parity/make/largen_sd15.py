"""LAR-Gen in its SD1.5 form: tokens, RefineNet's features, predictions with and without each part, guidance, the sampling loop."""
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import networks
from ip_adapter_plus import resampler_config
from largen_sd15_ref import LarGenSD15, Schedule, guided, sample_ddim
from writer import Writer, write_json


@torch.no_grad()
def make(folder, shape):
    # Its sampling is written for eps alone.
    shape.prediction = 'epsilon'
    generator = networks.seeded(shape.seed + 2)
    noise = lambda *sides: torch.randn(*sides, generator=generator)
    config, image_proj = networks.unet_config(shape, 9), resampler_config(shape, shape.seed + 1)
    model = networks.liven(LarGenSD15(config, image_proj, shape.vision_width), generator)
    vision = networks.vision_encoder(shape, generator)
    networks.save(vision, f'{folder}/image_encoder', shape.form['vision'])
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, f'{folder}/largen_sd15.safetensors')
    write_json(f'{folder}/config.json', {
        'unet': {**config, 'in_channels': 9}, 'refine_net': {**config, 'in_channels': 4}, 'image_proj': image_proj, 'image_encoder': 'image_encoder',
        'scheduler': {'num_train_timesteps': 1000, 'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear', 'prediction_type': 'epsilon'},
    })
    out = Writer(folder, 'largen-sd15', "LAR-Gen in its SD1.5 form with random weights. Expected: the wrapper over diffusers' modules, fp32.", {'shape': shape.says()})

    pixels = noise(1, 3, shape.vision_size, shape.vision_size)
    see = lambda x: vision(x, output_hidden_states=True)
    seen, blank = see(pixels), see(pixels * 0)
    image, null_image = model.image_proj(seen.hidden_states[-2]), model.image_proj(blank.hidden_states[-2])
    detail = model.detail_proj(seen.last_hidden_state)
    out.case('tokens', 'Image and detail tokens.', {'pixels': pixels}, {'image_tokens': image, 'null_image_tokens': null_image, 'detail_tokens': detail})

    factor = 8
    big = torch.zeros(1, 1, factor * shape.odd[0], factor * shape.odd[1])
    big[:, :, 5: factor * shape.odd[0] - 11, 9: factor * shape.odd[1] - 4] = 1
    small = F.interpolate(big, size=shape.odd, mode='bilinear', antialias=True)
    out.case('mask_to_latent', 'Mask at latent size.', {'mask': big}, {'before_threshold': small}, {'factor': factor}, {'atol': 1e-5, 'rtol': 0})

    for name, (height, width) in [('', shape.even), ('_odd_size', shape.odd)]:
        plane = lambda channels=shape.latent: noise(1, channels, height, width)
        xt, masked, mask, reference = plane(), plane(), (plane(1) > 0).float(), plane()
        text, null_text, time, beta = noise(1, 77, shape.context), noise(1, 77, shape.context), 401, 0.3
        kept = model.refine_features(reference, time, detail)
        out.case(f'refine_features{name}', "norm1(x) of each self-attention of RefineNet's decoder.", {'ref_xt': reference, 'detail_tokens': detail}, kept, {'timestep': time},
                 without={'the detail tokens': model.refine_features(reference, time, detail * 0)})
        shared = {'xt': xt, 'mask': mask, 'masked_latent': masked, 'text': text, 'null_text': null_text, 'image_tokens': image, 'null_image_tokens': null_image}
        features = {f'features.{layer}': value for layer, value in kept.items()}
        run = lambda tokens, cache, words=text: model.eps(xt, mask, masked, time, words, tokens, beta, cache)
        whole = run(image, kept)
        out.case(f'eps_all{name}', 'All of it.', {**shared, **features}, {'eps': whole}, {'timestep': time, 'beta': beta, 'refine': True, 'text': 'text'},
                 without={'Assign': {'eps': run(None, kept)}, 'Refine': {'eps': run(image, None)}})
        out.case(f'eps_assign{name}', 'Without Refine.', shared, {'eps': run(image, None)}, {'timestep': time, 'beta': beta, 'refine': False, 'text': 'text'})
        out.case(f'eps_text{name}', 'Text alone.', shared, {'eps': run(None, None)}, {'timestep': time, 'beta': None, 'refine': False, 'text': 'text'})
        null = run(null_image, kept, null_text)
        out.case(f'guidance{name}', 'Both branches and what guidance makes of them.', {**shared, **features}, {'eps_cond': whole, 'eps_uncond': null, 'eps_guided': guided(whole, null, 6.0, 0.5)},
                 {'guide_scale': 6.0, 'guide_rescale': 0.5, 'timestep': time, 'beta': beta})

        schedule, steps = Schedule(), 3 + shape.seed % 3
        clean, target = plane(), plane()
        blends, references = noise(steps, *xt.shape), noise(steps, *xt.shape)

        def eps(k, t, x, schedule=schedule):
            cache = model.refine_features(schedule.diffuse(clean, t, references[k]), t, detail)
            c = model.eps(x, mask, masked, t, text, image, beta, cache)
            u = model.eps(x, mask, masked, t, null_text, null_image, beta, cache)
            return guided(c, u, 5.0, 0.3)

        T, ratio, ts = schedule.trailing(steps)
        _, trace = sample_ddim(schedule, steps, xt, eps, target, mask, blends)
        blended, x0, latents = (torch.stack(column) for column in zip(*trace))
        out.case(f'sample_all{name}', 'Sampling with subject, text and RefineNet.', {
            'noise': xt, 'tar_x0': target, 'mask': mask, 'masked_latent': masked, 'text': text, 'null_text': null_text, 'image_tokens': image, 'null_image_tokens': null_image,
            'detail_tokens': detail, 'ref_x0': clean, 'blend_noise': blends, 'ref_noise_cond': references,
        }, {'T': T, 'timesteps': ts.float(), 'ratio': ratio, 'blended': blended, 'x0': x0, 'latents': latents},
            {'steps': steps, 'beta': beta, 'refine': True, 'guide_scale': 5.0, 'guide_rescale': 0.3}, {'atol': 1e-3, 'rtol': 2e-4})
    out.close()
