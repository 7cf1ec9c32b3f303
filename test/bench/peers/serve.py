"""Runs diffusers and ONNX Runtime for the bench: one request a line as JSON, one answer a line that starts with `@`."""

import gc
import json
import os
import sys
import time

state = {}


def drop():
    state.clear()
    gc.collect()


def load_unet(model, dtype, side):
    import torch
    from diffusers import UNet2DConditionModel

    drop()
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet", torch_dtype=kind).eval()
    torch.manual_seed(0)
    inputs = (
        torch.randn(1, unet.config.in_channels, side, side, dtype=kind),
        torch.tensor([500.0]),
        torch.randn(1, 77, unet.config.cross_attention_dim, dtype=kind),
    )

    def forward():
        with torch.inference_mode():
            unet(*inputs, return_dict=False)

    state["forward"] = forward


def load_onnx(file, threads):
    import numpy
    import onnxruntime

    drop()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    noise = numpy.random.default_rng(0)
    feeds = {}
    for value in session.get_inputs():
        shape = [side if isinstance(side, int) else 1 for side in value.shape]
        feeds[value.name] = noise.standard_normal(shape).astype(numpy.float32) if value.name != "timestep" else numpy.full(shape, 500, numpy.float32)
    state["forward"] = lambda: session.run(None, feeds)


def load_pipeline(model, dtype):
    """StableDiffusionInpaintPipeline with IP-Adapter-Plus."""
    import torch
    from diffusers import DDIMScheduler, StableDiffusionInpaintPipeline
    from PIL import Image

    drop()
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    pipe = StableDiffusionInpaintPipeline.from_pretrained(model, torch_dtype=kind, safety_checker=None, requires_safety_checker=False)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.load_ip_adapter(model, subfolder="models", weight_name="ip-adapter-plus_sd15.safetensors", image_encoder_folder="image_encoder")
    pipe.image_encoder.to(kind)
    pipe.set_ip_adapter_scale(0.5)
    pipe.set_progress_bar_config(disable=True)
    scene = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
    mask = Image.new("L", (512, 512))
    mask.paste(255, (128, 128, 384, 384))
    subject = Image.radial_gradient("L").resize((224, 224)).convert("RGB")

    def job(steps, guidance):
        with torch.inference_mode():
            pipe(
                "a green pear on a table",
                image=scene,
                mask_image=mask,
                ip_adapter_image=subject,
                height=512,
                width=512,
                num_inference_steps=steps,
                guidance_scale=guidance,
                strength=1.0,
                generator=torch.Generator().manual_seed(0),
            )

    state["job"] = job


def timed(work):
    start = time.perf_counter()
    work()
    return {"seconds": [time.perf_counter() - start]}


def answer(request):
    do = request["do"]
    if do == "versions":
        import diffusers
        import onnxruntime
        import torch

        torch.set_num_threads(request["threads"])
        return {"torch": torch.__version__, "diffusers": diffusers.__version__, "onnxruntime": onnxruntime.__version__}
    if do == "unet":
        load_unet(request["model"], request["dtype"], request["side"])
    elif do == "onnx":
        load_onnx(request["file"], request["threads"])
    elif do == "pipeline":
        load_pipeline(request["model"], request["dtype"])
    elif do == "forward":
        return timed(state["forward"])
    elif do == "job":
        return timed(lambda: state["job"](request["steps"], request["guidance"]))
    else:
        raise ValueError(f"unknown request {do}")
    return {}


def main():
    # What libraries print must not be taken for an answer.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
        print(f"@{json.dumps(reply)}", file=out)


main()
