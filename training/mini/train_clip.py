"""A tiny CLIP: contrastive text-image training plus linear patch reconstruction, which keeps colour and detail in the patch tokens.
usage: python -m mini.train_clip --minutes 12. Goes on from its own checkpoint when there is one."""
import argparse, math, os, time
import cv2
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection
from .colour import HUES, caption, recolour, with_article
from .parallel import average_gradients, join, launch, rate, same, save
from .paths import work
from .pictures import Pictures
from .precision import autocast
from .tokenizer import CONTEXT, Tokenizer

WIDTH = 192
VISION = dict(image_size=128, patch_size=16, hidden_size=WIDTH, intermediate_size=768, num_hidden_layers=4, num_attention_heads=4, projection_dim=128, hidden_act="quick_gelu")
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)


def text_config(vocab, end):
    return CLIPTextConfig(vocab_size=vocab, hidden_size=WIDTH, intermediate_size=768, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=CONTEXT,
                          projection_dim=128, hidden_act="quick_gelu", bos_token_id=end - 1, eos_token_id=end, pad_token_id=end)


def normalise(u8):
    """Pictures u8 (B,3,128,128) -> CLIP's input."""
    return (u8.float() / 255 - MEAN) / STD


class Clip(nn.Module):
    def __init__(self, vocab=3072):
        super().__init__()
        self.text = CLIPTextModelWithProjection(text_config(vocab, vocab - 1))
        self.vision = CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION))
        self.scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.paint = nn.Linear(WIDTH, 8 * 8 * 3)

    def image_embed(self, u8):
        return F.normalize(self.vision(normalise(u8)).image_embeds.float(), dim=-1)

    def text_embed(self, ids):
        return F.normalize(self.text(ids).text_embeds.float(), dim=-1)


def on_ground(rgba, rng, data, size=128, plain=None, augment=True):
    """A cut-out u8 (256,256,4) in a random pose on white or on a scene, u8 (size,size,3)."""
    m = cv2.getRotationMatrix2D((128, 128), rng.uniform(-18, 18) if augment else 0, size / 256 * (rng.uniform(0.75, 1.0) if augment else 1))
    m[:, 2] += size / 2 - 128 + (rng.uniform(-6, 6, 2) if augment else 0)
    pre = rgba.astype(np.float32)
    pre[..., :3] *= pre[..., 3:] * (1 / 255)
    pre = cv2.warpAffine(cv2.blur(pre, (2, 2)), m, (size, size), flags=cv2.INTER_LINEAR)
    if augment and rng.random() < 0.5:
        pre = np.ascontiguousarray(pre[:, ::-1])
    white = rng.random() < 0.65 if plain is None else plain
    bg = 255.0 if white else data.background(rng, size).astype(np.float32)
    img = pre[..., :3] + bg * (1 - pre[..., 3:] / 255)
    if augment:
        img = (img - 128) * rng.uniform(0.85, 1.15) + 128 * rng.uniform(0.88, 1.1)
    return img.clip(0, 255).astype(np.uint8)


class Pairs:
    def __init__(self, seed, tok, split="train"):
        self.rng, self.tok, self.data = np.random.default_rng(seed), tok, Pictures(split)
        self.by_name = {}
        for i in self.data.cutout_ids:
            self.by_name.setdefault(self.data.cutout_info[i]["name"], []).append(i)
        self.names = list(self.by_name)

    def batch(self, n):
        rng, data, imgs, ids = self.rng, self.data, [], []
        k = n // 6
        for c in rng.choice(len(self.names), min(n - k, len(self.names)), replace=False):
            i = int(rng.choice(self.by_name[self.names[c]]))
            info, rgba = data.cutout_info[i], np.array(data.cutouts[i])
            colour = info["colour"]
            if rng.random() < 0.4:
                rgba, colour = recolour(rgba, info["hue"], colour, rng)
            imgs.append(on_ground(rgba, rng, data))
            ids.append(self.tok(caption(info["name"], info["keywords"], colour if rng.random() < 0.65 else None, rng)))
        for i in rng.choice(data.photo_ids, k, replace=False):
            info, rgba = data.photo_info[i], np.array(data.photos[i])
            text = info["caption"] or with_article(info["name"])
            if rng.random() < 0.35:
                rgba, colour = recolour(rgba, info["hue"], info["colour"], rng)
                text = with_article(f"{colour} {info['name']}")
            if rng.random() < 0.3:
                rgba[..., 3] = 255
            imgs.append(on_ground(rgba, rng, data))
            ids.append(self.tok(text))
        return torch.from_numpy(np.stack(imgs)).permute(0, 3, 1, 2), torch.tensor(ids)


@torch.no_grad()
def evaluate(model, pairs):
    """Held-out concepts: top-1 / top-5 text for a picture, and the colour word of a recoloured picture (8 words)."""
    rng, data, tok = np.random.default_rng(5), pairs.data, pairs.tok
    names = [n for n in pairs.names if any(data.cutout_info[i]["source"] == "fluent3d" for i in pairs.by_name[n])]
    imgs, swapped, gold = [], [], []
    for n in names:
        i = next(i for i in pairs.by_name[n] if data.cutout_info[i]["source"] == "fluent3d")
        rgba = np.ascontiguousarray(data.cutouts[i])
        imgs.append(on_ground(rgba, rng, data, plain=True, augment=False))
        rgba, word = recolour(rgba, data.cutout_info[i]["hue"], data.cutout_info[i]["colour"], rng)
        if word in HUES:
            swapped.append((on_ground(rgba, rng, data, plain=True, augment=False), n))
            gold.append(list(HUES).index(word))
    stack = lambda a: torch.from_numpy(np.stack(a)).permute(0, 3, 1, 2)
    with autocast():
        e, t = model.image_embed(stack(imgs)), model.text_embed(torch.tensor([tok(with_article(n)) for n in names]))
        s, c = model.image_embed(stack([a for a, _ in swapped])), model.text_embed(torch.tensor([tok(with_article(f"{w} {n}")) for _, n in swapped for w in HUES]))
    hit = lambda k: ((e @ t.T).topk(min(k, len(names)), -1).indices == torch.arange(len(names))[:, None]).any(-1).float().mean().item()
    colour = ((s[:, None] * c.view(len(swapped), len(HUES), -1)).sum(-1).argmax(-1) == torch.tensor(gold)).float().mean().item()
    return dict(n=len(names), top1=round(hit(1), 3), top5=round(hit(5), 3), colour=round(colour, 3))


def work_one(rank, args):
    join(rank, args)
    torch.manual_seed(args.seed)
    tok = Tokenizer(work("tokenizer", "x")[:-2])
    model, path, step = Clip(len(tok.vocab)), args.out or work("checkpoints", "clip.pt"), 0
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.1)
    if os.path.exists(path):
        saved = torch.load(path, weights_only=False)
        model.load_state_dict(saved["model"])
        opt.load_state_dict(saved["optimiser"])
        step = saved["step"]
    pairs, held = Pairs([args.seed, rank, step], tok), Pairs(2, tok, "test")
    params, log = list(model.parameters()), []
    start, last, budget = time.time(), time.time(), args.minutes * 60
    while True:
        elapsed = same(time.time() - start, args.world)
        done = elapsed > budget
        if rank == 0 and (done or time.time() - last > args.every):
            last = time.time()
            recent = np.mean(log[-30:] or [(0, 0)], 0).round(3).tolist()
            print(f"t={elapsed / 60:.1f}m step={step} nce, paint={recent} held out={evaluate(model, held)}", flush=True)
            save(path, model=model.state_dict(), optimiser=opt.state_dict(), step=step)
        if done:
            break
        for g in opt.param_groups:
            g["lr"] = rate(args.lr, elapsed, budget, step, tail=0.5)
        x, ids = pairs.batch(args.batch)
        with autocast():
            seen = model.vision(normalise(x))
            said = model.text(ids).text_embeds
            painted = model.paint(seen.last_hidden_state[:, 1:])
        logits = F.normalize(seen.image_embeds.float(), dim=-1) @ F.normalize(said.float(), dim=-1).T * model.scale.exp().clamp(max=60)
        gold = torch.arange(len(x))
        nce = 0.5 * (F.cross_entropy(logits, gold) + F.cross_entropy(logits.T, gold))
        small = F.avg_pool2d(x.float() / 255, 2)  # 64 x 64, so every token owns 8 x 8 colours
        target = small.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 1, 4, 5).reshape(len(x), 64, WIDTH)
        paint = (painted.float() - target).abs().mean()
        opt.zero_grad(set_to_none=True)
        (nce + 4 * paint).backward()
        average_gradients(params, args.world)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        step += 1
        log.append((nce.item(), paint.item()))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=12)
    ap.add_argument("--world", type=int, default=1)
    ap.add_argument("--batch", type=int, default=64, help="pairs per process")
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--every", type=float, default=120)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--port", type=int, default=29512)
    ap.add_argument("--out", default="")
    launch(work_one, ap.parse_args())
