"""Makes the folders beside it: `python test/parity/published/make.py`. See README.md."""
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import dino  # noqa: E402
import florence  # noqa: E402
import sam  # noqa: E402
from PIL import Image  # noqa: E402
from common import rows_first, write_json  # noqa: E402
from pictures import make_pictures  # noqa: E402

MAKERS = {"florence-2": florence, "grounding-dino": dino, "sam2": sam}

Image.Image.resize = rows_first(Image.Image.resize)
for name in sys.argv[1:] or MAKERS:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    pictures = make_pictures(HERE / "pictures")
    write_json(folder / "expected.json", MAKERS[name].make(folder, pictures))
