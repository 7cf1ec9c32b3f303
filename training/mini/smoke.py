"""The whole chain in a few minutes: assets, tokenizer, decoder, CLIP, both stages, export, reference cases, one picture.
usage: python -m mini.smoke [--work DIR]. Needs the sources (fetch.py) and the photo pack. Nothing it writes is worth keeping."""
import argparse, os, subprocess, sys, tempfile


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", default="")
    ap.add_argument("--minutes", type=float, default=0.25, help="of each training stage")
    args = ap.parse_args()
    folder = args.work or tempfile.mkdtemp(prefix="mini-smoke-")
    from .paths import SOURCES
    env = dict(os.environ, MINI_WORK=folder, MINI_SOURCES=SOURCES, OMP_NUM_THREADS="1")
    short = ["--minutes", str(args.minutes), "--world", "2"]
    stages = [["assets", "--limit", "60"], ["tokenizer"], ["train_decoder", *short, "--batch", "4"], ["train_clip", "--minutes", str(args.minutes), "--batch", "16"],
              ["train_diffusion", "--stage", "1", *short, "--batch", "4", "--validation", "6"], ["train_diffusion", "--stage", "2", *short, "--batch", "4", "--validation", "6"],
              ["export", "--out", f"{folder}/export"], ["train_diffusion", "--stage", "1", *short, "--batch", "4", "--validation", "6", "--from-export", f"{folder}/export", "--out", f"{folder}/again.pt"],
              ["make_reference", "--export", f"{folder}/export", "--out", f"{folder}/reference"], ["verify", f"{folder}/export"], ["grid", f"{folder}/grid.png", "--export", f"{folder}/export", "--rows", "2", "--size", "128", "--steps", "4"]]
    for stage in stages:
        print("==", *stage, flush=True)
        subprocess.run([sys.executable, "-m", f"mini.{stage[0]}", *stage[1:]], env=env, check=True)
    print("the chain works; see", folder)


if __name__ == "__main__":
    main()
