"""Writes the ONNX graph that PyTorch's exporter makes of the U-Net of a diffusers folder."""

import argparse
import json
import pathlib

import torch
from diffusers import UNet2DConditionModel


class Plain(torch.nn.Module):
    """Tensors in, tensor out."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, text):
        return self.unet(sample, timestep, text, return_dict=False)[0]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--out", required=True)
    given = arguments.parse_args()
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_pretrained(given.model, subfolder="unet", torch_dtype=torch.float32).eval()
    inputs = (torch.randn(1, unet.config.in_channels, 64, 64), torch.tensor([500.0]), torch.randn(1, 77, unet.config.cross_attention_dim))
    out = pathlib.Path(given.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        program = torch.onnx.export(
            Plain(unet), inputs, dynamo=True, opset_version=20, input_names=["sample", "timestep", "text"], output_names=["prediction"], verbose=False
        )
        program.save(str(out), external_data=True)
    print(json.dumps({"torch": torch.__version__, "bytes": sum(file.stat().st_size for file in out.parent.iterdir())}))


main()
