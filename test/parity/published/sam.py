"""SAM 2 with random weights, in the layout of the exports that transformers.js reads: image encoder, prompt encoder with mask decoder, configs; and what the Python reference gives for it."""
from pathlib import Path

import numpy
import torch
from PIL import Image
from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor
from transformers.models.sam2.image_processing_sam2 import _compute_stability_score

from common import export, sampled, scatter, write_json

SIZE = 64


class Vision(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return tuple(self.model.get_image_embeddings(pixel_values))


class Masks(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_points, input_labels, input_boxes, fine, middle, coarse):
        model = self.model
        sparse, dense = model.prompt_encoder(input_points=input_points, input_labels=input_labels, input_boxes=input_boxes, input_masks=None)
        masks, scores, _, objects = model.mask_decoder(
            image_embeddings=coarse, image_positional_embeddings=model.get_image_wide_positional_embeddings(), sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense,
            multimask_output=True, high_resolution_features=[fine, middle],
        )
        return scores, masks, objects


def make(folder: Path, pictures: list[Path]) -> dict:
    backbone = dict(
        hidden_size=8, num_attention_heads=1, image_size=[SIZE, SIZE], blocks_per_stage=[1, 2, 1, 1], embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[4, 4, 4, 2], global_attention_blocks=[2], window_positional_embedding_background_size=[4, 4],
    )
    config = Sam2Config(
        vision_config=dict(
            backbone_config={"model_type": "sam2_hiera_det_model", **backbone}, backbone_channel_list=[64, 32, 16, 8], backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=16,
        ),
        prompt_encoder_config=dict(hidden_size=16, image_size=SIZE, patch_size=16, mask_input_channels=4),
        mask_decoder_config=dict(hidden_size=16, mlp_dim=32, num_hidden_layers=2, num_attention_heads=2, iou_head_hidden_dim=16),
    )
    config._attn_implementation = "eager"
    torch.manual_seed(9)
    model = Sam2Model(config).eval()
    scatter(model, 0.5)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    levels = ["image_embeddings.0", "image_embeddings.1", "image_embeddings.2"]
    export(Vision(model), (torch.zeros(1, 3, SIZE, SIZE),), folder / "onnx" / "vision_encoder.onnx", ["pixel_values"], levels, {"pixel_values": {0: "batch"}})
    with torch.no_grad():
        embedded = model.get_image_embeddings(torch.zeros(1, 3, SIZE, SIZE))
    export(
        Masks(model), (torch.zeros(1, 1, 0, 2), torch.zeros(1, 3, 0, dtype=torch.long), torch.tensor([[[1.0, 2, 30, 40]] * 3]), *embedded), folder / "onnx" / "prompt_encoder_mask_decoder.onnx",
        ["input_points", "input_labels", "input_boxes", *levels], ["iou_scores", "pred_masks", "object_score_logits"],
        {"input_points": {0: "batch", 2: "points"}, "input_labels": {0: "batch", 1: "boxes", 2: "points"}, "input_boxes": {0: "batch", 1: "boxes"}, **{name: {0: "batch"} for name in levels}},
    )
    processor = Sam2Processor(image_processor=Sam2ImageProcessor(size={"height": SIZE, "width": SIZE}, mask_size={"height": 16, "width": 16}), target_size=SIZE)
    write_json(folder / "config.json", {
        "model_type": "sam2", "architectures": ["Sam2Model"], "vision_config": {"model_type": "sam2_vision_model", "num_feature_levels": 3, "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]]},
        "prompt_encoder_config": {"image_size": SIZE, "patch_size": 16},
    })
    write_json(folder / "preprocessor_config.json", {
        "image_processor_type": "Sam2ImageProcessorFast", "processor_class": "Sam2Processor", "do_resize": True, "do_rescale": True, "do_normalize": True, "size": {"height": SIZE, "width": SIZE},
        "mask_size": {"height": 16, "width": 16}, "resample": 2, "rescale_factor": 1 / 255, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    })
    return {"cases": [case(model, processor, path) for path in pictures]}


def case(model, processor, path: Path) -> dict:
    picture = Image.open(path).convert("RGB")
    width, height = picture.size
    boxes = [[round(width * a), round(height * b), round(width * c), round(height * d)] for a, b, c, d in ((0.1, 0.2, 0.6, 0.9), (0.3, 0.1, 0.95, 0.5), (0.0, 0.0, 1.0, 1.0))]
    inputs = processor(images=picture, input_boxes=[[[float(at) for at in box] for box in boxes]], return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs, multimask_output=True)
    best = outputs.iou_scores[0].argmax(-1)
    logits = torch.stack([outputs.pred_masks[0, at, chosen] for at, chosen in enumerate(best)])
    masks = processor.post_process_masks([logits[:, None]], [(height, width)])[0][:, 0]
    # One bit a pixel, rows padded to whole bytes, as numpy packs them.
    return {
        "picture": path.name, "boxes": boxes, "input_boxes": inputs["input_boxes"][0].tolist(), "pixels": sampled(inputs["pixel_values"]),
        "best": best.tolist(), "iou": [float(outputs.iou_scores[0, at, chosen]) for at, chosen in enumerate(best)],
        "stability": _compute_stability_score(logits, 0.0, 1).tolist(), "masks": [numpy.packbits(mask.numpy(), axis=1).tobytes().hex() for mask in masks],
    }
