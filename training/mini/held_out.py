"""The fixed list of concepts that are never trained on: `held-out.txt`, one `kind: name` a line."""
import hashlib
from .paths import HELD_OUT


def unit_hash(text):
    return int(hashlib.md5(text.encode()).hexdigest()[:8], 16) / 2 ** 32


def load():
    with open(HELD_OUT) as file:
        return {line.strip() for line in file if line.strip() and not line.startswith("#")}
