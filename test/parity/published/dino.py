"""Grounding DINO with random weights, in the layout of the exports that transformers.js reads: one graph, tokenizer.json, configs; and what the Python reference gives for it."""
from pathlib import Path

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, GroundingDinoConfig, GroundingDinoForObjectDetection, GroundingDinoProcessor, PreTrainedTokenizerFast, SwinConfig
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

from common import SENTENCES, export, sampled, scatter, write_json

# The coarsest of four levels must be more than one row high: one row is a special case of the export.
SIZE = {"shortest_edge": 96, "longest_edge": 160}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TAGS = ["red bottle", "apple", "shirt", "car"]


def make_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    trainer = trainers.WordPieceTrainer(vocab_size=140, special_tokens=SPECIAL, show_progress=False)
    # Some punctuation that the sentences do not have, and the words that the reference splits phrases at.
    tokenizer.train_from_iterator([*SENTENCES, "what? yes. bottle . apple . shirt . car ."], trainer)
    ids = {name: tokenizer.token_to_id(name) for name in SPECIAL}
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    return tokenizer


class Detector(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values, input_ids, token_type_ids, attention_mask, pixel_mask):
        out = self.model(pixel_values=pixel_values, input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask, pixel_mask=pixel_mask)
        return out.logits, out.pred_boxes


def make(folder: Path, pictures: list[Path]) -> dict:
    tokenizer = make_tokenizer()
    words = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    width = 32
    text = BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=64)
    backbone = SwinConfig(image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, out_indices=[2, 3, 4], out_features=["stage2", "stage3", "stage4"])
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=text, num_queries=12, d_model=width, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
        encoder_attention_heads=2, decoder_attention_heads=2, disable_custom_kernels=True, max_text_len=64,
    )
    config._attn_implementation = "eager"
    torch.manual_seed(8)
    model = GroundingDinoForObjectDetection(config).eval()
    scatter(model, 0.4)

    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    processor = GroundingDinoProcessor(
        image_processor=GroundingDinoImageProcessorPil(size=SIZE, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]), tokenizer=words
    )
    names = ["pixel_values", "input_ids", "token_type_ids", "attention_mask", "pixel_mask"]
    inputs = processor(images=Image.open(pictures[0]).convert("RGB"), text=text_of(TAGS), return_tensors="pt")
    words_axes = {0: "batch", 1: "sequence"}
    axes = {
        "pixel_values": {0: "batch", 2: "height", 3: "width"}, "pixel_mask": {0: "batch", 1: "height", 2: "width"},
        "input_ids": words_axes, "token_type_ids": words_axes, "attention_mask": words_axes,
    }
    export(Detector(model), tuple(inputs[name] for name in names), folder / "onnx" / "model.onnx", names, ["logits", "pred_boxes"], axes)
    write_json(folder / "config.json", {
        "model_type": "grounding-dino", "architectures": ["GroundingDinoForObjectDetection"], "is_encoder_decoder": True, "d_model": width, "num_queries": 12, "max_text_len": 64,
        "text_config": {"model_type": "bert", "hidden_size": 16, "vocab_size": len(words)}, "backbone_config": {"model_type": "swin", "embed_dim": 8},
    })
    write_json(folder / "preprocessor_config.json", {
        "image_processor_type": "GroundingDinoImageProcessor", "processor_class": "GroundingDinoProcessor", "do_resize": True, "do_rescale": True, "do_normalize": True, "do_pad": True,
        "size": SIZE, "resample": 2, "rescale_factor": 1 / 255, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    })
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]", "model_max_length": 64,
    })
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    wide, tall, large = pictures
    # A traced graph has the size of its example in it, unlike the published one: the tall picture is for the scaling alone.
    pixels = processor.image_processor(Image.open(tall).convert("RGB"), return_tensors="pt")["pixel_values"]
    return {
        "tags": TAGS, "cases": [case(model, processor, path) for path in (wide, large)],
        "scaled": {"picture": tall.name, "shape": list(pixels.shape), "pixels": sampled(pixels)},
    }


def text_of(tags: list[str]) -> str:
    return ". ".join(tags) + "."


def case(model, processor, path: Path) -> dict:
    picture = Image.open(path).convert("RGB")
    inputs = processor(images=picture, text=text_of(TAGS), return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    scores = outputs.logits.sigmoid().max(-1).values[0]
    # Between two neighbours in the middle, so that about half of the boxes pass and none is on the edge.
    ordered = scores.sort().values
    at = len(ordered) // 2
    box_threshold = round(float((ordered[at - 1] + ordered[at]) / 2), 4)
    # Likewise for the tokens, so that phrases differ.
    chosen = outputs.logits.sigmoid()[0][scores > box_threshold][:, 1:-1]
    tokens = chosen[chosen > 0].sort().values
    at = len(tokens) * 2 // 3
    text_threshold = round(float((tokens[at - 1] + tokens[at]) / 2), 4)
    found = processor.post_process_grounded_object_detection(outputs, inputs["input_ids"], threshold=box_threshold, text_threshold=text_threshold, target_sizes=[picture.size[::-1]])[0]
    return {
        "picture": path.name, "input_ids": inputs["input_ids"][0].tolist(), "shape": list(inputs["pixel_values"].shape), "pixels": sampled(inputs["pixel_values"]),
        "box_threshold": box_threshold, "text_threshold": text_threshold, "scores": found["scores"].tolist(), "boxes": found["boxes"].tolist(), "phrases": found["text_labels"],
    }
