"""Drawn pictures of odd sizes and fine detail, on which a wrong scaling shows."""
from pathlib import Path

import numpy
from PIL import Image


def make_pictures(folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    made = []
    for name, width, height in (("wide.png", 173, 97), ("tall.png", 89, 151), ("large.png", 351, 197)):
        y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float64)
        disc = ((x - width * 0.45) ** 2 + (y - height * 0.55) ** 2 < (min(width, height) * 0.3) ** 2).astype(numpy.float64)
        rings = numpy.sin((x**2 + y**2) / 61)
        picture = numpy.stack([x / width * 255, y / height * 255, 128 + 90 * rings], -1) * (1 - disc[..., None]) + disc[..., None] * numpy.array([230.0, 60.0, 30.0])
        path = folder / name
        Image.fromarray(picture.clip(0, 255).astype(numpy.uint8)).save(path, optimize=True)
        made.append(path)
    return made
