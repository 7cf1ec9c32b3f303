"""LAR-Gen in small standard parts: U-Net and RefineNet (UNet2DConditionModel), IP-Adapter-Plus resampler, decoupled cross attention.

U-Net input channels, in this order: [z_t 16 ; mask 1 ; masked latent 16 ; guide latent 16]."""
import torch, torch.nn as nn
from diffusers import DDIMScheduler, UNet2DConditionModel
from .vae import CHANNELS as LATENT

CROSS = 192
# RefineNet sees its reference without noise at this one timestep. Noised to the timestep of the step, as published, the reference is pure noise at the first
# of two steps and drowns in it at the second, so nothing was learned from it (lab book 8).
REFERENCE_TIME = 499
UNET = dict(sample_size=32, in_channels=3 * LATENT + 1, out_channels=LATENT, layers_per_block=1, block_out_channels=(64, 128, 192),
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=CROSS, attention_head_dim=2, norm_num_groups=32)
RESAMPLER = dict(dim=192, depth=2, dim_head=64, heads=3, num_queries=16, embedding_dim=192, output_dim=CROSS, ff_mult=2)
SCHEDULER = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, num_train_timesteps=1000,
                 prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=False, steps_offset=1)


def attend(q, k, v, heads):
    """softmax(QK/sqrt(d))V by plain matrix products: on these sizes about twice as fast, forward and backward, as the fused CPU kernel."""
    b, n, c = q.shape
    split = lambda t: t.view(b, t.shape[1], heads, c // heads).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    weights = torch.softmax(q @ k.transpose(-1, -2) * (c // heads) ** -0.5, -1)
    return (weights @ v).transpose(1, 2).reshape(b, n, c)


class PerceiverAttention(nn.Module):
    def __init__(self, dim, dim_head, heads):
        super().__init__()
        inner = dim_head * heads
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_q, self.to_kv, self.to_out = nn.Linear(dim, inner, bias=False), nn.Linear(dim, inner * 2, bias=False), nn.Linear(inner, dim, bias=False)

    def forward(self, x, latents):
        x, latents = self.norm1(x), self.norm2(latents)
        k, v = self.to_kv(torch.cat([x, latents], 1)).chunk(2, -1)
        return self.to_out(attend(self.to_q(latents), k, v, self.heads))


class Resampler(nn.Module):
    """Key names as in the published ip-adapter-plus checkpoints (image_proj.*)."""
    def __init__(self, dim, depth, dim_head, heads, num_queries, embedding_dim, output_dim, ff_mult):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(1, num_queries, dim) / dim ** 0.5)
        self.proj_in, self.proj_out, self.norm_out = nn.Linear(embedding_dim, dim), nn.Linear(dim, output_dim), nn.LayerNorm(output_dim)
        self.layers = nn.ModuleList(nn.ModuleList([PerceiverAttention(dim, dim_head, heads),
            nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim * ff_mult, bias=False), nn.GELU(), nn.Linear(dim * ff_mult, dim, bias=False))]) for _ in range(depth))

    def forward(self, x):
        latents, x = self.latents.expand(len(x), -1, -1), self.proj_in(x)
        for attn, ff in self.layers:
            latents = attn(x, latents) + latents
            latents = ff(latents) + latents
        return self.norm_out(self.proj_out(latents))


class Context:
    """What the attention processors of one U-Net need besides their usual input."""
    bank, mode, index, ip, beta = None, "plain", 0, None, None


class SelfAttention(nn.Module):
    """Decoder self attention: keeps norm1(x) (RefineNet) or reads it as extra keys and values (main U-Net)."""
    def __init__(self, ctx):
        super().__init__()
        self.ctx = ctx

    def __call__(self, attn, x, encoder_hidden_states=None, attention_mask=None, temb=None, **kw):
        ctx, kv = self.ctx, x
        if ctx.mode == "write":
            ctx.bank.append(x)
        elif ctx.mode == "read":
            kv = torch.cat([x, ctx.bank[ctx.index].to(x.dtype)], 1)
            ctx.index += 1
        return attn.to_out[0](attend(attn.to_q(x), attn.to_k(kv), attn.to_v(kv), attn.heads))


class CrossAttention(nn.Module):
    """softmax(QK_text)V_text + beta * softmax(QK_image)V_image."""
    def __init__(self, ctx, hidden, with_image):
        super().__init__()
        self.ctx = ctx
        if with_image:
            self.to_k_ip, self.to_v_ip = nn.Linear(CROSS, hidden, bias=False), nn.Linear(CROSS, hidden, bias=False)

    def forward(self, attn, x, encoder_hidden_states=None, attention_mask=None, temb=None, **kw):
        ctx, e, q = self.ctx, encoder_hidden_states, attn.to_q(x)
        out = attend(q, attn.to_k(e), attn.to_v(e), attn.heads)
        if ctx.ip is not None:
            out = out + ctx.beta.to(out.dtype) * attend(q, self.to_k_ip(ctx.ip), self.to_v_ip(ctx.ip), attn.heads)
        return attn.to_out[0](out)


def install(unet, ctx, with_image):
    procs = {}
    for name in unet.attn_processors:
        if "attn1" in name:
            procs[name] = SelfAttention(ctx if name.startswith("up_blocks") else Context())
        else:
            procs[name] = CrossAttention(ctx, unet.get_submodule(name[:-len(".processor")]).to_q.in_features, with_image)
    unet.set_attn_processor(procs)


class LarGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.unet = UNet2DConditionModel(**UNET)
        self.refine = UNet2DConditionModel(**dict(UNET, in_channels=LATENT))
        self.resampler = Resampler(**RESAMPLER)
        self.detail = nn.Linear(CROSS, CROSS)
        self.main_ctx, self.ref_ctx = Context(), Context()
        install(self.unet, self.main_ctx, True)
        install(self.refine, self.ref_ctx, False)

    def start_refine(self):
        """RefineNet = copy of the U-Net as if it saw the subject where the U-Net sees its guide and, at REFERENCE_TIME, its noisy latent, with a mask over all of it.
        So its features match those that the U-Net makes of the same thing from the first step on."""
        src, dst = self.unet.state_dict(), self.refine.state_dict()
        for k in dst:
            dst[k] = src[k].clone() if k != "conv_in.weight" else src[k][:, :LATENT] * schedule()[REFERENCE_TIME] ** 0.5 + src[k][:, 2 * LATENT + 1:]
        dst["conv_in.bias"] = src["conv_in.bias"] + src["conv_in.weight"][:, LATENT].sum((1, 2))
        self.refine.load_state_dict(dst)

    def reference_features(self, reference, last_hidden, t=REFERENCE_TIME):
        """norm1 outputs of RefineNet's decoder self attentions. reference (B,16,h,w) is free of noise and t is always the same, so one run serves all steps; last_hidden (B,65,192)."""
        ctx = self.ref_ctx
        ctx.mode, ctx.bank, ctx.ip = "write", [], None
        self.refine(reference, torch.full((len(reference),), t), self.detail(last_hidden))
        return ctx.bank

    def forward(self, z, t, text, ip, beta, bank=None):
        """z (B,49,h,w); text (B,24,192); ip (B,16,192) image tokens or None; beta (B,1,1); bank: RefineNet features or None. Returns v."""
        ctx = self.main_ctx
        ctx.ip, ctx.beta, ctx.index = ip, beta, 0
        ctx.mode, ctx.bank = ("read", bank) if bank is not None else ("plain", None)
        return self.unet(z, t, text).sample


def schedule():
    """Cumulative products of alpha, (1000,); the last is 0."""
    return DDIMScheduler(**SCHEDULER).alphas_cumprod.float()


def load(path, model=None):
    model = model or LarGen()
    model.load_state_dict(torch.load(path, weights_only=False)["ema"])
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
