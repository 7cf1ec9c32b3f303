"""What the makers share."""
import json
from pathlib import Path
from unittest.mock import patch

import onnx
import torch

SENTENCES = [
    "Locate the objects with category name in the image.", "What does the region describe?", "Describe in detail what is shown in the image.",
    "a red bottle of juice on a wooden table", "two green apples in a basket", "a person with a blue shirt and a hat", "a white car in front of a house",
    "the yellow banana lies beside the orange carrot", "a small dog sleeps on the sofa", "bread, milk and cheese on the shelf",
]


def scatter(model: torch.nn.Module, std: float) -> None:
    """Weights far enough apart that no choice hangs on the last bit of a sum."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.copy_(torch.randn(weight.shape, generator=generator) * std)
            elif name.endswith("bias"):
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
    if hasattr(model, "tie_weights"):
        model.tie_weights()


def isin(elements: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """torch.isin in operations that an ONNX graph has."""
    return (elements[..., None] == wanted).any(-1)


def cummax(values: torch.Tensor, dim: int) -> tuple[torch.Tensor, None]:
    """torch.cummax along the second of two dimensions in operations that an ONNX graph has."""
    assert dim == 1
    at = torch.arange(values.shape[1])
    # What lies behind a place is made smaller than anything, so that the largest up to it is left.
    return torch.where(at[None, None, :] <= at[None, :, None], values[:, None, :], torch.full((), -(2**31))).max(2)[0], None


def cummin(values: torch.Tensor, dim: int) -> tuple[torch.Tensor, None]:
    return -cummax(-values, dim)[0], None


def eye(count, dtype=torch.float32, device=None) -> torch.Tensor:
    at = torch.arange(count)
    return (at[:, None] == at[None, :]).to(dtype)


# Operations of torch that ONNX or ONNX Runtime lacks, said in others.
SAID_OTHERWISE = {"isin": isin, "cummax": cummax, "cummin": cummin, "eye": eye}


def export(module: torch.nn.Module, inputs: tuple, to: Path, names: list[str], outputs: list[str], axes: dict, opset: int = 17) -> None:
    with torch.no_grad(), patch.multiple(torch, **SAID_OTHERWISE):
        torch.onnx.export(
            module.eval(), inputs, str(to), input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=opset, dynamo=False, do_constant_folding=True
        )
    model = onnx.load(to)
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    onnx.save(model, to)


def sampled(pixels: torch.Tensor) -> list[float]:
    """Some of the values, in the order of memory; a prime step meets every row and channel."""
    return [round(value, 5) for value in pixels.flatten()[::397].tolist()]


def rows_first(resize):
    """Pillow scaled rows before columns when the networks were trained; from version 13 on it takes what is cheaper, which changes one byte in sixteen by one."""

    def resized(picture, size, resample=None, box=None, reducing_gap=None):
        return resize(resize(picture, (size[0], picture.height), resample), size, resample)

    return resized


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
