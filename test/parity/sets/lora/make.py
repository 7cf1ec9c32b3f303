"""Makes this set: small random LoRAs in the published spellings over ../sd15-inpaint, and what diffusers and transformers give with them merged into the weights.

Run with torch, diffusers, transformers and safetensors installed: python make.py
"""
import json
import os

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = os.path.join(HERE, '..', 'sd15-inpaint')
TOLERANCE = {'atol': 1e-4, 'rtol': 1e-4}

# Residual blocks, attentions and changes of scale of this U-Net in the original code's numbering.
LDM = {
    'conv_in': 'input_blocks.0.0',
    'down_blocks.0.resnets.0': 'input_blocks.1.0', 'down_blocks.0.attentions.0': 'input_blocks.1.1',
    'down_blocks.0.resnets.1': 'input_blocks.2.0', 'down_blocks.0.attentions.1': 'input_blocks.2.1',
    'down_blocks.0.downsamplers.0.conv': 'input_blocks.3.0.op',
    'down_blocks.1.resnets.0': 'input_blocks.4.0', 'down_blocks.1.attentions.0': 'input_blocks.4.1',
    'down_blocks.1.resnets.1': 'input_blocks.5.0', 'down_blocks.1.attentions.1': 'input_blocks.5.1',
    'mid_block.resnets.0': 'middle_block.0', 'mid_block.attentions.0': 'middle_block.1', 'mid_block.resnets.1': 'middle_block.2',
    'up_blocks.0.resnets.1': 'output_blocks.1.0', 'up_blocks.0.upsamplers.0.conv': 'output_blocks.2.1.conv',
    'up_blocks.1.resnets.0': 'output_blocks.3.0', 'up_blocks.1.attentions.2': 'output_blocks.5.1',
    'up_blocks.1.upsamplers.0.conv': 'output_blocks.5.2.conv', 'up_blocks.2.attentions.1': 'output_blocks.7.1',
}
LDM_RESNET = {'conv1': 'in_layers.2', 'time_emb_proj': 'emb_layers.1', 'conv2': 'out_layers.3', 'conv_shortcut': 'skip_connection'}

generator = torch.Generator().manual_seed(20261122)


def noise(*shape, scale=1.0):
    return torch.randn(*shape, generator=generator) * scale


def pair(weight, rank, mid=False):
    """down, mid, up for a weight, large enough that leaving one out shows."""
    out, inner = weight.shape[:2]
    kernel = tuple(weight.shape[2:])
    ones = (1,) * len(kernel)
    down = noise(rank, inner, *(ones if mid else kernel), scale=0.3)
    middle = noise(rank, rank, *kernel, scale=0.3) if mid else None
    return down, middle, noise(out, rank, *ones, scale=0.3)


def change(weight, down, middle, up):
    """up (mid) down as one change of the weight."""
    if middle is not None:
        inner = torch.einsum('rskl,si->rikl', middle, down[:, :, 0, 0])
        return torch.einsum('or,rikl->oikl', up[:, :, 0, 0], inner)
    return (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)


def ldm(layer):
    for ours, theirs in sorted(LDM.items(), key=lambda item: -len(item[0])):
        if layer == ours:
            return theirs
        if layer.startswith(ours + '.'):
            rest = layer[len(ours) + 1:]
            return f'{theirs}.{LDM_RESNET[rest] if "resnets" in ours else rest}'
    raise KeyError(layer)


def some_layers(state):
    """One layer of each sort, from each way."""
    wanted = [
        'conv_in', 'down_blocks.0.resnets.0.conv1', 'down_blocks.0.resnets.1.time_emb_proj', 'down_blocks.0.downsamplers.0.conv',
        'down_blocks.0.attentions.0.proj_in', 'down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q',
        'down_blocks.1.resnets.0.conv_shortcut', 'down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k',
        'down_blocks.1.attentions.1.transformer_blocks.0.ff.net.0.proj', 'mid_block.resnets.0.conv2',
        'mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0', 'mid_block.resnets.1.time_emb_proj', 'up_blocks.0.resnets.1.conv2',
        'up_blocks.0.upsamplers.0.conv', 'up_blocks.1.resnets.0.conv1', 'up_blocks.1.attentions.2.transformer_blocks.0.attn2.to_v',
        'up_blocks.1.attentions.2.proj_out', 'up_blocks.1.upsamplers.0.conv', 'up_blocks.2.attentions.1.transformer_blocks.0.ff.net.2',
    ]
    return {layer: state[f'{layer}.weight'] for layer in wanted}


def text_layers(state):
    root = next(name for name in state if name.endswith('token_embedding.weight'))[: -len('embeddings.token_embedding.weight')]
    names = ['encoder.layers.0.self_attn.q_proj', 'encoder.layers.0.mlp.fc1', 'encoder.layers.2.self_attn.out_proj', 'encoder.layers.1.mlp.fc2']
    return {f'text_model.{name}': (f'{root}{name}', state[f'{root}{name}.weight']) for name in names}


def main():
    unet = UNet2DConditionModel.from_pretrained(os.path.join(BASE, 'unet'), torch_dtype=torch.float32).eval()
    text = CLIPTextModel.from_pretrained(os.path.join(BASE, 'text_encoder'), torch_dtype=torch.float32).eval()
    unet_state = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    text_state = {name: tensor.clone() for name, tensor in text.state_dict().items()}
    arrays, cases = {}, []
    inputs = {
        'sample': noise(1, 4, 16, 24), 'mask': (noise(1, 1, 16, 24) > 0).float(), 'masked_latent': noise(1, 4, 16, 24),
        'text': noise(1, 77, unet.config.cross_attention_dim), 'timestep': torch.tensor([481.0]),
    }
    ids = torch.randint(0, 49000, (2, 77), generator=generator).int()
    ids[:, 0], ids[:, 40:] = 49406, 49407
    for name, tensor in inputs.items():
        arrays[f'input.{name}'] = tensor
    arrays['input.ids'] = ids

    def describe(name, key, tensor):
        return {name: {'key': key, 'shape': list(tensor.shape), 'dtype': 'int32' if tensor.dtype == torch.int32 else 'float32'}}

    @torch.no_grad()
    def run_unet(changes):
        unet.load_state_dict({name: tensor + changes.get(name.removesuffix('.weight'), 0) if name.endswith('.weight') else tensor for name, tensor in unet_state.items()})
        seen = torch.cat([inputs['sample'], inputs['mask'], inputs['masked_latent']], 1)
        return unet(seen, inputs['timestep'], inputs['text']).sample

    @torch.no_grad()
    def run_text(changes):
        text.load_state_dict({name: tensor + changes.get(name.removesuffix('.weight'), 0) if name.endswith('.weight') else tensor for name, tensor in text_state.items()})
        return text(ids).last_hidden_state

    plain, plain_text = run_unet({}), run_text({})

    def case(name, computes, loras, output, without):
        spread = (output - without).abs().max().item()
        assert spread > 100 * (TOLERANCE['atol'] + TOLERANCE['rtol'] * output.abs().max().item()), (name, spread)
        kind = 'last_hidden_state' if name.startswith('text') else 'eps'
        arrays[f'{name}.output.{kind}'] = output
        given = {'ids': ids} if kind == 'last_hidden_state' else inputs
        cases.append({
            'name': name, 'computes': computes, 'params': {'loras': loras},
            'inputs': {key: value for one, tensor in given.items() for key, value in describe(one, f'input.{one}', tensor).items()},
            'outputs': describe(kind, f'{name}.output.{kind}', output), 'tolerance': TOLERANCE,
            'sensitivity': [{'change': 'the LoRA', 'max_abs_diff': round(spread, 6)}],
        })

    def file(name, tensors, metadata=None):
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, os.path.join(HERE, f'{name}.safetensors'), metadata)
        return f'{name}.safetensors'

    # kohya's spelling of diffusers' names, with alphas, in fp16; a LoCon middle at one layer; the text encoder too.
    tensors, changes, text_changes = {}, {}, {}
    for i, (layer, weight) in enumerate(some_layers(unet_state).items()):
        down, middle, up = pair(weight, 2 + i % 3, mid=layer == 'mid_block.resnets.0.conv2')
        halves = [part.half() if part is not None else None for part in (down, middle, up)]
        stem = 'lora_unet_' + layer.replace('.', '_')
        tensors[f'{stem}.lora_down.weight'], tensors[f'{stem}.lora_up.weight'] = halves[0], halves[2]
        if middle is not None:
            tensors[f'{stem}.lora_mid.weight'] = halves[1]
        alpha = 1.5 if i % 2 else 1.0
        tensors[f'{stem}.alpha'] = torch.tensor(alpha).half()
        changes[layer] = change(weight, *(part.float() if part is not None else None for part in halves)) * alpha / down.shape[0]
    for spelled, (layer, weight) in text_layers(text_state).items():
        down, _, up = pair(weight, 4)
        stem = 'lora_te_' + spelled.replace('.', '_')
        tensors[f'{stem}.lora_down.weight'], tensors[f'{stem}.lora_up.weight'], tensors[f'{stem}.alpha'] = down, up, torch.tensor(2.0)
        text_changes[layer] = change(weight, down, None, up) * 2.0 / 4
    kohya = file('kohya', tensors, {'ss_network_module': 'networks.lora'})
    half = lambda given: {layer: 0.5 * tensor for layer, tensor in given.items()}
    case('unet_kohya', 'U-Net with a kohya file at strength 1.', [{'file': kohya, 'scale': 1}], run_unet(changes), plain)
    case('unet_kohya_half', 'The same at strength 0.5.', [{'file': kohya, 'scale': 0.5}], run_unet(half(changes)), run_unet(changes))
    case('text_kohya', 'Text encoder with the same file.', [{'file': kohya, 'scale': 1}], run_text(text_changes), plain_text)

    # The original code's layer names, as kohya's SDXL files have them.
    tensors, other = {}, {}
    for layer, weight in some_layers(unet_state).items():
        down, _, up = pair(weight, 2)
        stem = 'lora_unet_' + ldm(layer).replace('.', '_')
        tensors[f'{stem}.lora_down.weight'], tensors[f'{stem}.lora_up.weight'], tensors[f'{stem}.alpha'] = down, up, torch.tensor(1.0)
        other[layer] = change(weight, down, None, up) / 2
    named = file('kohya-ldm-names', tensors)
    case('unet_ldm_names', 'U-Net with a file that has the original code\'s layer names.', [{'file': named, 'scale': 1}], run_unet(other), plain)
    both = {layer: changes.get(layer, 0) + -0.7 * other.get(layer, 0) for layer in {*changes, *other}}
    case('unet_two', 'Two LoRAs at once, one of them against its direction.', [{'file': kohya, 'scale': 1}, {'file': named, 'scale': -0.7}], run_unet(both), run_unet(changes))

    # diffusers' spellings: PEFT's A and B, and attention processors of older versions; no alpha means alpha = rank.
    tensors, changes, text_changes = {}, {}, {}
    for layer, weight in some_layers(unet_state).items():
        down, _, up = pair(weight, 3)
        tensors[f'unet.{layer}.lora_A.weight'], tensors[f'unet.{layer}.lora_B.weight'] = down, up
        changes[layer] = change(weight, down, None, up)
    for spelled, (layer, weight) in text_layers(text_state).items():
        down, _, up = pair(weight, 2)
        tensors[f'text_encoder.{spelled}.lora_linear_layer.down.weight'], tensors[f'text_encoder.{spelled}.lora_linear_layer.up.weight'] = down, up
        text_changes[layer] = change(weight, down, None, up)
    peft = file('diffusers-peft', tensors)
    case('unet_peft', 'U-Net with diffusers\' names (PEFT).', [{'file': peft, 'scale': 0.6}], run_unet({layer: 0.6 * tensor for layer, tensor in changes.items()}), plain)
    case('text_diffusers', 'Text encoder with diffusers\' names.', [{'file': peft, 'scale': 1}], run_text(text_changes), plain_text)

    tensors, changes = {}, {}
    for name in ['down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q', 'mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0', 'up_blocks.1.attentions.2.transformer_blocks.0.attn2.to_v']:
        weight = unet_state[f'{name}.weight']
        down, _, up = pair(weight, 4)
        stem = name.removesuffix('.0').replace('.to_', '.processor.to_')
        tensors[f'unet.{stem}_lora.down.weight'], tensors[f'unet.{stem}_lora.up.weight'] = down, up
        changes[name] = change(weight, down, None, up)
    old = file('diffusers-processors', tensors)
    case('unet_processors', 'U-Net with the names of older diffusers.', [{'file': old, 'scale': 1}], run_unet(changes), plain)

    save_file({key: tensor.contiguous() for key, tensor in arrays.items()}, os.path.join(HERE, 'cases.safetensors'))
    with open(os.path.join(HERE, 'cases.json'), 'w', encoding='utf-8') as out:
        json.dump({
            'format': 1, 'set': 'lora',
            'about': 'Random LoRAs in the published spellings over ../sd15-inpaint. Expected outputs: diffusers and transformers in fp32 with the changes merged into the weights.',
            'cases': cases,
        }, out, indent=1)


main()
