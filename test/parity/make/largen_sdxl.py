"""LAR-Gen as published: SDXL's form in one torch file under the original code's names, without RefineNet and with it."""
import re

import torch

import networks
from ip_adapter_plus import resampler_config
from largen_sd15_ref import LarGenSD15, Schedule, guided, sample_ddim
from writer import Writer, write_json

SIZES = torch.tensor([[768.0, 512, 16, 32, 1024, 896]])


class LarGenSDXL(LarGenSD15):
    """The wrapper with SDXL's second condition; RefineNet gets the null prompt's. The published code has one epsilon in all group norms."""

    def __init__(self, config, image_proj, vision_width, refine):
        super().__init__(config, image_proj, vision_width, refine)
        for name, module in self.named_modules():
            if isinstance(module, torch.nn.GroupNorm):
                module.eps = 1e-5

    def refine_features(self, ref_xt, t, detail_tokens, added):
        self.ref_state['cache'] = {}
        self.refine_net(ref_xt, t, encoder_hidden_states=detail_tokens, added_cond_kwargs=added)
        return self.ref_state.pop('cache')

    def eps(self, xt, mask, masked, t, text, added, tokens=None, beta=1.0, cache=None):
        self.main_state.update(ip_tokens=tokens, beta=beta, cache=cache)
        out = self.unet(torch.cat([xt, mask, masked], 1), t, encoder_hidden_states=text, added_cond_kwargs=added).sample
        self.main_state.clear()
        return out

    def vector(self, added):
        """Both halves of the condition as one, as the original code hands it over."""
        return torch.cat([added['text_embeds'], self.unet.add_time_proj(added['time_ids'].flatten()).reshape(len(added['time_ids']), -1)], 1)


RESNET = {'norm1': 'in_layers.0', 'conv1': 'in_layers.2', 'time_emb_proj': 'emb_layers.1', 'norm2': 'out_layers.0', 'conv2': 'out_layers.3', 'conv_shortcut': 'skip_connection'}
ENDS = {
    'time_embedding.linear_1': 'time_embed.0', 'time_embedding.linear_2': 'time_embed.2', 'add_embedding.linear_1': 'label_emb.0.0', 'add_embedding.linear_2': 'label_emb.0.2',
    'conv_in': 'input_blocks.0.0', 'mid_block.resnets.0': 'middle_block.0', 'mid_block.attentions.0': 'middle_block.1', 'mid_block.resnets.1': 'middle_block.2',
    'conv_norm_out': 'out.0', 'conv_out': 'out.2',
}


def unet_names(state, layers, cross):
    """diffusers' names to those of the original code. cross: whether each level attends, from the outermost."""
    def block(name):
        way, level, kind, index, rest = re.match(r'(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)', name).groups()
        level, index = int(level), int(index)
        if way == 'down':
            first = 1 + level * (layers + 1)
            if kind == 'downsamplers':
                return f'input_blocks.{first + layers}.0.op{rest.removeprefix("conv")}'
            return f'input_blocks.{first + index}.{"0" if kind == "resnets" else "1"}.{resnet(rest) if kind == "resnets" else rest}'
        first = level * (layers + 1)
        if kind == 'upsamplers':
            return f'output_blocks.{first + layers}.{2 if cross[-1 - level] else 1}.{rest}'
        return f'output_blocks.{first + index}.{"0" if kind == "resnets" else "1"}.{resnet(rest) if kind == "resnets" else rest}'

    def resnet(rest):
        part, last = rest.rsplit('.', 1)
        return f'{RESNET[part]}.{last}'

    def end(name):
        ours = next(key for key in ENDS if name.startswith(f'{key}.'))
        rest = name[len(ours) + 1:]
        return f'{ENDS[ours]}.{resnet(rest) if "resnets" in ours else rest}'

    return {(block if name.startswith(('down_', 'up_')) else end)(name): tensor for name, tensor in state.items()}


def vae_names(state, levels, older):
    names = [
        (r'mid_block\.resnets\.(\d)', lambda m: f'mid.block_{int(m[1]) + 1}'), (r'mid_block\.attentions\.0\.group_norm', 'mid.attn_1.norm'),
        (r'mid_block\.attentions\.0\.to_([qkv])', r'mid.attn_1.\1'), (r'mid_block\.attentions\.0\.to_out\.0', 'mid.attn_1.proj_out'),
        (r'down_blocks\.(\d+)\.resnets\.', r'down.\1.block.'), (r'down_blocks\.(\d+)\.downsamplers\.0\.conv', r'down.\1.downsample.conv'),
        (r'up_blocks\.(\d+)\.resnets\.', lambda m: f'up.{levels - 1 - int(m[1])}.block.'),
        (r'up_blocks\.(\d+)\.upsamplers\.0\.conv', lambda m: f'up.{levels - 1 - int(m[1])}.upsample.conv'),
        ('conv_shortcut', 'nin_shortcut'), ('conv_norm_out', 'norm_out'),
        *([(r'^quant_conv', 'conv1'), (r'^post_quant_conv', 'conv2')] if older else []),
    ]
    out = {}
    for name, tensor in state.items():
        for pattern, replacement in names:
            name = re.sub(pattern, replacement, name)
        # Its attention is made of 1 x 1 convolutions.
        out[name] = tensor[:, :, None, None] if re.search(r'attn_1\.(q|k|v|proj_out)\.weight', name) else tensor
    return out


def open_clip_names(state):
    """transformers' text encoder with projection to open_clip's names: one matrix for queries, keys and values, the projection the other way round."""
    state = {name.removeprefix('text_model.'): tensor for name, tensor in state.items()}
    out = {
        'token_embedding.weight': state['embeddings.token_embedding.weight'], 'positional_embedding': state['embeddings.position_embedding.weight'],
        'ln_final.weight': state['final_layer_norm.weight'], 'ln_final.bias': state['final_layer_norm.bias'], 'text_projection': state['text_projection.weight'].T,
    }
    for n in range(1 + max(int(re.match(r'encoder\.layers\.(\d+)', name)[1]) for name in state if name.startswith('encoder.'))):
        theirs, ours = f'transformer.resblocks.{n}.', f'encoder.layers.{n}.'
        for kind in ('weight', 'bias'):
            out[f'{theirs}attn.in_proj_{kind}'] = torch.cat([state[f'{ours}self_attn.{part}_proj.{kind}'] for part in 'qkv'])
            for one, other in [('attn.out_proj', 'self_attn.out_proj'), ('ln_1', 'layer_norm1'), ('ln_2', 'layer_norm2'), ('mlp.c_fc', 'mlp.fc1'), ('mlp.c_proj', 'mlp.fc2')]:
                out[f'{theirs}{one}.{kind}'] = state[f'{ours}{other}.{kind}']
    return out


def rounded(module):
    for tensor in module.parameters():
        tensor.copy_(tensor.half().float())
    return module


@torch.no_grad()
def make(folder, shape):
    shape.prediction, shape.middle = 'epsilon', True
    generator = networks.seeded(shape.seed + 4)
    out = Writer(folder, 'largen-sdxl', "LAR-Gen in SDXL's form with random weights under the published names. Expected: the wrapper over diffusers' modules, fp32.", {'shape': shape.says()})
    vision = networks.vision_encoder(shape, generator)
    networks.save(vision, f'{folder}/clip_encoder', shape.form['vision'])
    # CLIP-L's own, which the file does not say.
    shape.activation = 'quick_gelu'
    for at, (prefix, checkpoint) in enumerate([('plain', 'largen_ckpt_s22k'), ('refine', 'largen_refine')]):
        one_model(out, folder, prefix, checkpoint, shape, vision, generator, refine=at == 1)
    out.close()


def one_model(out, folder, prefix, checkpoint, shape, vision, generator, refine):
    noise = lambda *sides: torch.randn(*sides, generator=generator)
    pooled, side, first = 16 + 4 * (shape.seed % 3), 8, 16
    second = 24 if shape.seed % 2 else 32
    head = 8
    shape.context, shape.heads = first + second, [channels // head for channels in shape.channels]
    half = 'fp16' in shape.form['unet']
    finish = rounded if half else lambda module: module
    one = finish(networks.text_encoder(shape, generator, width=first))
    two = finish(networks.text_encoder(shape, generator, width=second, projection=pooled))
    vae = finish(networks.vae(shape, generator, scaling=0.13025))
    image_proj = resampler_config(shape, shape.seed + 3)
    config = networks.unet_config(shape, 9, linear=True, vector=(pooled, side))
    model = finish(networks.liven(LarGenSDXL(config, image_proj, shape.vision_width, refine), generator))
    detail_proj = model.detail_proj if refine else finish(networks.liven(torch.nn.Linear(shape.vision_width, shape.context), generator))

    state = {f'conditioner.embedders.0.transformer.{name if name.startswith("text_model.") else f"text_model.{name}"}': tensor for name, tensor in one.state_dict().items()}
    state |= {f'conditioner.embedders.1.model.{name}': tensor for name, tensor in open_clip_names(two.state_dict()).items()}
    state |= {f'conditioner.embedders.5.image_proj_model.{name}': tensor for name, tensor in model.image_proj.state_dict().items()}
    state |= {f'conditioner.embedders.5.patch_projector.{name}': tensor for name, tensor in detail_proj.state_dict().items()}
    state |= {f'first_stage_model.{name}': tensor for name, tensor in vae_names(vae.state_dict(), shape.vae_levels, shape.older_names).items()}
    main = dict(model.unet.state_dict())
    # Image attention lies among the U-Net's own weights here, numbers become names.
    for n, name in enumerate(model.unet.attn_processors):
        if '.attn2' in name:
            for kind in ('to_k_ip', 'to_v_ip'):
                main[f'{name[: -len(".processor")]}.{kind}.weight'] = model.ip_adapter[str(n)].get_parameter(f'{kind}.weight')
    own = unet_names({name: tensor for name, tensor in main.items() if '.processor' not in name}, shape.layers, shape.cross)
    state |= {f'model.diffusion_model.{name}': tensor for name, tensor in own.items()}
    if refine:
        reader = {name: tensor for name, tensor in model.refine_net.state_dict().items() if not name.startswith(('conv_norm_out', 'conv_out'))}
        state |= {f'model.diffusion_model.ref_{name}': tensor for name, tensor in unet_names(reader, shape.layers, shape.cross).items()}
    torch.save({name: (tensor.half() if half else tensor).clone().contiguous() for name, tensor in state.items()}, f'{folder}/{checkpoint}.pth')
    write_json(f'{folder}/{checkpoint}.json', {
        'diffusion_model': {'num_head_channels': head, 'group_norm_groups': shape.groups, 'group_norm_eps_everywhere': 1e-5},
        'first_stage_model': {'group_norm_groups': 4, 'scale_factor': 0.13025},
        'conditioner': {
            'embedder_0': {'heads': one.config.num_attention_heads, 'hidden_states_index': shape.text_layers - 1}, 'embedder_1': {'heads': two.config.num_attention_heads},
            'embedder_5': {'dim_head': image_proj['dim_head']}, 'size_embedding_dim': side,
        },
        'schedule': {'timesteps': 1000, 'kind': 'scaled_linear', 'beta_min': 0.00085, 'beta_max': 0.012, 'prediction': 'eps'},
    })

    params = {'checkpoint': f'{checkpoint}.pth'}
    case = lambda name, computes, inputs, outputs, more=None, tolerance=None, without=None: out.case(
        f'{prefix}.{name}', computes, inputs, outputs, {**params, **(more or {})}, tolerance, without)

    ids, others = networks.token_ids(generator, 2), networks.token_ids(generator, 2)
    run_one, run_two = one(ids, output_hidden_states=True), two(others, output_hidden_states=True)
    text = torch.cat([run_one.hidden_states[-2], run_two.hidden_states[-2]], -1)
    added = {'text_embeds': run_two.text_embeds, 'time_ids': SIZES.expand(2, 6)}
    y = model.vector(added)
    rows = lambda i: (text[i: i + 1], {key: value[i: i + 1] for key, value in added.items()})
    (words, said), (nothing, null) = rows(0), rows(1)
    case('text', 'What the U-Net attends to, and its second condition.', {
        'ids_0': ids, 'ids_1': others, 'original_size': added['time_ids'][:, :2], 'crop_top_left': added['time_ids'][:, 2:4], 'target_size': added['time_ids'][:, 4:],
    }, {'crossattn': text, 'pooled': run_two.text_embeds, 'y': y})

    pixels = noise(1, 3, shape.vision_size, shape.vision_size)
    see = lambda x: vision(x, output_hidden_states=True)
    seen, blank = see(pixels), see(pixels * 0)
    image, null_image, detail = model.image_proj(seen.hidden_states[-2]), model.image_proj(blank.hidden_states[-2]), detail_proj(seen.last_hidden_state)
    case('image_tokens', 'Image and detail tokens.', {'pixels': pixels}, {'img_crossattn': image, 'null_img_crossattn': null_image, 'ref_crossattn': detail})

    picture, latent = noise(1, 3, 24, 40), noise(1, shape.latent, 5, 3)
    moments = vae.encode(picture).latent_dist
    drawn = noise(*moments.mean.shape)
    case('vae', 'Posterior of an image, a latent drawn from it, and the image of a scaled latent.', {'image': picture, 'posterior_noise': drawn, 'z': latent}, {
        'mean': moments.mean, 'logvar': moments.logvar, 'latent': (moments.mean + moments.std * drawn) * 0.13025, 'image': vae.decode(latent / 0.13025).sample})

    height, width = shape.odd if refine else shape.even
    plane = lambda channels=shape.latent: noise(1, channels, height, width)
    xt, masked, mask, reference, time, beta = plane(), plane(), (plane(1) > 0).float(), plane(), 401, 0.3
    asked = {'xt': xt, 'mask': mask, 'masked_latent': masked, 'crossattn_and_null': text, 'y_and_null': y, 'img_crossattn': image}
    read = {'ref_xt': reference, 'ref_crossattn': detail} if refine else {}
    kept = model.refine_features(reference, time, detail, null) if refine else None
    if refine:
        case('features', "norm1(x) of each self-attention of RefineNet's decoder.", {**read, 'y_and_null': y}, kept, {'timestep': time},
             without={'the detail tokens': model.refine_features(reference, time, detail * 0, null), "the null prompt's vector": model.refine_features(reference, time, detail, said)})
    run = lambda tokens, cache, at=(words, said), strength=beta: model.eps(xt, mask, masked, time, at[0], at[1], tokens, strength, cache)
    whole = run(image, kept)
    case('eps_text_subject', 'All that this checkpoint has.', {**asked, **read}, {'eps': whole}, {'timestep': time, 'beta': beta, 'refine': refine, 'text_row': 0}, without={
        'Assign': {'eps': run(None, kept)}, 'the vector': {'eps': run(image, kept, (words, null))}, **({'Refine': {'eps': run(image, None)}} if refine else {})})
    case('eps_subject_only', 'The empty prompt with the subject.', {**asked, **read}, {'eps': run(image, kept, (nothing, null), 1.0)}, {'timestep': time, 'beta': 1.0, 'refine': refine, 'text_row': 1})
    case('eps_text_only', 'Text alone.', asked, {'eps': run(None, None)}, {'timestep': time, 'beta': None, 'refine': False, 'text_row': 0})
    schedule, steps = Schedule(), 3 + shape.seed % 3
    other = run(null_image, kept, (nothing, null))
    eps = guided(whole, other, 6.0, 0.5)
    case('guidance', 'Both branches and what guidance makes of them.', {**asked, **read, 'null_img_crossattn': null_image}, {
        'eps_cond': whole, 'eps_uncond': other, 'eps_guided': eps, 'x0': (xt - schedule.sigma[time] * eps) / schedule.alpha[time],
    }, {'timestep': time, 'beta': beta, 'guide_scale': 6.0, 'guide_rescale': 0.5})

    clean, target = plane(), plane()
    blends, conditional, unconditional = noise(steps, *xt.shape), noise(steps, *xt.shape), noise(steps, *xt.shape)

    def predict(k, t, x):
        cached = lambda noises: model.refine_features(schedule.diffuse(clean, t, noises[k]), t, detail, null) if refine else None
        c = model.eps(x, mask, masked, t, words, said, image, beta, cached(conditional))
        u = model.eps(x, mask, masked, t, nothing, null, null_image, beta, cached(unconditional))
        return guided(c, u, 5.0, 0.3)

    T, ratio, ts = schedule.trailing(steps)
    _, trace = sample_ddim(schedule, steps, xt, predict, target, mask, blends)
    blended, x0, latents = (torch.stack(column) for column in zip(*trace))
    case('sample_text_subject', 'Sampling with text and subject.', {
        'noise': xt, 'tar_x0': target, 'mask': mask, 'masked_latent': masked, 'crossattn_and_null': text, 'y_and_null': y, 'img_crossattn': image, 'null_img_crossattn': null_image,
        'blend_noise': blends, **({'ref_x0': clean, 'ref_crossattn': detail, 'ref_noise_cond': conditional, 'ref_noise_uncond': unconditional} if refine else {}),
    }, {'timesteps': ts.float(), 'ratio': ratio, 'blended': blended, 'x0': x0, 'latents': latents},
        {'steps': steps, 'beta': beta, 'refine': refine, 'guide_scale': 5.0, 'guide_rescale': 0.3}, {'atol': 1e-3, 'rtol': 2e-4})
