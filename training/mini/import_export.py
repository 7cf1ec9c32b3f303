"""Make checkpoints out of a committed export, so that training goes on from it. usage: python -m mini.import_export DIR [--stage 1]"""
import argparse, json, os, shutil
import torch
from .export import read_export
from .paths import work
from .parallel import save


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder")
    ap.add_argument("--stage", type=int, default=0, help="stage that the export was trained in; left out: 2 if its RefineNet was shown clean references, else 1, so that stage 2 starts from a new copy")
    args = ap.parse_args()
    with open(f"{args.folder}/refine_net/config.json") as file:
        args.stage = args.stage or (2 if "reference_timestep" in json.load(file) else 1)
    vae, clip, model = read_export(args.folder)
    target = work("tokenizer", "x")[:-2]
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(f"{args.folder}/tokenizer"):
        shutil.copy(f"{args.folder}/tokenizer/{name}", target)
    fresh = lambda params: torch.optim.AdamW(params, lr=1e-3, betas=(0.9, 0.98)).state_dict()
    save(work("checkpoints", "decoder.pt"), ema=vae.state_dict(), raw=vae.state_dict(), step=1000,
         optimiser=fresh([p for n, p in vae.named_parameters() if n.startswith(("decoder", "post_quant"))]))
    save(work("checkpoints", "clip.pt"), model=clip.state_dict(), step=1000, optimiser=fresh(list(clip.parameters())))
    named = [p for n, p in model.named_parameters() if args.stage == 2 or not n.startswith(("refine.", "detail."))]
    save(work("checkpoints", "diffusion.pt"), ema=model.state_dict(), raw=model.state_dict(), step=1000, stage=args.stage, optimiser=fresh(named))
    print("checkpoints in", work("checkpoints", "x")[:-2])


if __name__ == "__main__":
    main()
