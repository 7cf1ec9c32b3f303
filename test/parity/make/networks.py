"""Random networks of the published classes, in shapes that a seed draws, and the forms their files are published in."""
import os
import random
import re

import torch
from diffusers import AutoencoderKL, ModelMixin, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

CROSS, PLAIN = 'CrossAttnDownBlock2D', 'DownBlock2D'
FORMS = ('safetensors', 'fp16', 'shards', 'fp16-shards', 'bin')


class Shape:
    """What a set looks like: all of it follows from the seed, but for what is given."""

    def __init__(self, seed, width=None, levels=None, layers=None, size=None):
        draw = random.Random(seed)
        self.seed = seed
        self.levels = levels or draw.choice([2, 3, 4])
        base = width or draw.choice([16, 24, 32])
        self.channels = [base * min(2 ** i, 3) for i in range(self.levels)]
        self.groups = 8
        self.layers = layers or draw.choice([1, 2, 3])
        # A latent whose sides are no multiples of 2^(levels - 1), and one that is.
        unit = 2 ** (self.levels - 1)
        self.even = (unit * draw.choice([2, 3]), unit * draw.choice([2, 4])) if size is None else (size, size)
        self.odd = (self.even[0] + 1, self.even[1] + max(1, unit - 1))
        self.context = 8 * draw.choice([3, 5, 7])
        self.heads = draw.choice([[2, 4, 8, 8][: self.levels], 2, 4, 8])
        self.linear = draw.random() < 0.5
        cross = [draw.random() < 0.7 for _ in range(self.levels)]
        if not any(cross):
            cross[0] = True
        self.cross = cross
        self.depth = draw.choice([1, [1 + draw.randrange(3) for _ in range(self.levels)]])
        self.middle = draw.random() < 0.85
        self.prediction = draw.choice(['epsilon', 'v_prediction'])
        self.spacing = draw.choice(['leading', 'trailing'])
        self.form = {name: draw.choice(FORMS) for name in ('unet', 'vae', 'text', 'vision')}
        self.text_layers, self.text_heads = draw.choice([2, 3, 4]), draw.choice([2, 4])
        self.vision_size, self.patch = draw.choice([(28, 14), (42, 14), (32, 8), (48, 16)])
        self.vision_width, self.vision_layers = draw.choice([16, 32, 40]), draw.choice([4, 5, 9, 10])
        self.activation = draw.choice(['quick_gelu', 'gelu'])
        self.older_names = draw.random() < 0.7
        self.vae_levels, self.vae_layers, self.latent = 4, draw.choice([1, 2]), 4

    def says(self):
        return {key: value for key, value in vars(self).items()}


def seeded(seed):
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def liven(module, generator):
    """Norms that start as ones and zeros would hide a weight that is not read, and a module that starts at zero everything behind it."""
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1 and name.endswith('weight'):
            parameter.copy_(1 + 0.2 * noise)
        elif parameter.ndim == 1:
            parameter.copy_(0.1 * noise)
        elif parameter.abs().max() == 0:
            parameter.copy_(0.5 * noise)
    return module.eval()


def unet_config(shape, in_channels, linear=None, vector=None):
    up = ['CrossAttnUpBlock2D' if cross else 'UpBlock2D' for cross in reversed(shape.cross)]
    config = dict(
        sample_size=16, in_channels=in_channels, out_channels=shape.latent, block_out_channels=shape.channels, layers_per_block=shape.layers,
        down_block_types=[CROSS if cross else PLAIN for cross in shape.cross], up_block_types=up, cross_attention_dim=shape.context,
        attention_head_dim=shape.heads, norm_num_groups=shape.groups, use_linear_projection=shape.linear if linear is None else linear,
        transformer_layers_per_block=shape.depth, mid_block_type='UNetMidBlock2DCrossAttn' if shape.middle else None,
    )
    if vector is not None:
        pooled, side = vector
        config.update(addition_embed_type='text_time', addition_time_embed_dim=side, projection_class_embeddings_input_dim=pooled + 6 * side)
    return config


def unet(shape, in_channels, generator, **more):
    return liven(UNet2DConditionModel(**unet_config(shape, in_channels, **more)), generator)


def vae(shape, generator, scaling=0.18215):
    widths = [8 * min(i + 1, 3) for i in range(shape.vae_levels)]
    return liven(AutoencoderKL(
        block_out_channels=widths, down_block_types=['DownEncoderBlock2D'] * len(widths), up_block_types=['UpDecoderBlock2D'] * len(widths),
        layers_per_block=shape.vae_layers, latent_channels=shape.latent, norm_num_groups=4, sample_size=64, scaling_factor=scaling,
    ), generator)


def text_encoder(shape, generator, width=None, projection=None, vocabulary=600):
    width = width or shape.context
    config = CLIPTextConfig(
        hidden_size=width, intermediate_size=2 * width, num_attention_heads=shape.text_heads if width % shape.text_heads == 0 else 1, num_hidden_layers=shape.text_layers,
        vocab_size=vocabulary, max_position_embeddings=77, hidden_act='gelu' if projection else shape.activation, projection_dim=projection or width,
        bos_token_id=0, eos_token_id=2, pad_token_id=1,
    )
    return liven((CLIPTextModelWithProjection if projection else CLIPTextModel)(config), generator)


def vision_config(shape, projection):
    width = shape.vision_width
    return CLIPVisionConfig(
        hidden_size=width, intermediate_size=2 * width, num_attention_heads=4, num_hidden_layers=shape.vision_layers, image_size=shape.vision_size,
        patch_size=shape.patch, projection_dim=projection, hidden_act=shape.activation,
    )


def vision_encoder(shape, generator, projection=24):
    return liven(CLIPVisionModelWithProjection(vision_config(shape, projection)), generator)


def token_ids(generator, batch, vocabulary=600):
    """Begin, words, and the largest id as end mark and padding, as CLIP has them."""
    ids = torch.randint(1, vocabulary - 2, (batch, 77), generator=generator)
    ids[:, 0] = vocabulary - 2
    for row in range(batch):
        ids[row, 5 + int(torch.randint(0, 60, (1,), generator=generator)):] = vocabulary - 1
    return ids.int()


def save(module, folder, form, names=None):
    """In one of the published forms. What was rounded to fp16 is put back rounded, so that the expected numbers are those of the file.
    names: (pattern, replacement) for tensors that were called otherwise when the layout was published."""
    if 'fp16' in form:
        with torch.no_grad():
            for tensor in [*module.parameters(), *module.buffers()]:
                if tensor.is_floating_point():
                    tensor.copy_(tensor.half().float())
        module = module.half()
    state = {re.sub(*names, name) if names else name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    if isinstance(module, ModelMixin):
        count = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
        options = {'max_shard_size': f'{max(1, count // 3000)}KB'} if 'shards' in form else {}
        module.save_pretrained(folder, safe_serialization=form != 'bin', **options)
    else:
        # transformers itself writes neither the older names nor .bin any more; older repositories have both.
        os.makedirs(folder, exist_ok=True)
        module.config.architectures = [type(module).__name__]
        module.config.save_pretrained(folder)
        if form == 'bin':
            torch.save(state, f'{folder}/pytorch_model.bin')
        else:
            save_file(state, f'{folder}/model.safetensors', {'format': 'pt'})
    module.float()
