"""Florence-2 with random weights, in the layout of the exports that transformers.js reads: four graphs, tokenizer.json, configs; and what the Python reference gives for it."""
import json
from pathlib import Path

import onnx
import torch
from PIL import Image
from onnx import TensorProto, helper
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import BartConfig, Florence2Config, Florence2ForConditionalGeneration, Florence2Processor, PreTrainedTokenizerFast
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.florence2.configuration_florence2 import Florence2VisionConfig

from common import SENTENCES, export, sampled, scatter, write_json

SIZE = 64
# BART's own: <s> 0, <pad> 1, </s> 2, <unk> 3, <mask> last; then Florence's locations.
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def make_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True, lstrip=True)])
    tokenizer.add_special_tokens([AddedToken(f"<loc_{at}>", special=True) for at in range(1000)])
    tokenizer.add_special_tokens([AddedToken("<image>", special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


class Vision(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model.model.get_image_features(pixel_values).pooler_output


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.language_model.encoder

    def forward(self, attention_mask, inputs_embeds):
        return self.encoder(attention_mask=attention_mask, inputs_embeds=inputs_embeds).last_hidden_state


class Decoder(torch.nn.Module):
    """One step of the decoder; with a past, the cross-attention's keys and values are taken from it."""

    def __init__(self, model, layers: int, cached: bool):
        super().__init__()
        self.decoder, self.head, self.layers, self.cached = model.model.language_model.decoder, model.lm_head, layers, cached

    def forward(self, encoder_attention_mask, encoder_hidden_states, inputs_embeds, *past):
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        if self.cached:
            for at in range(self.layers):
                cache.self_attention_cache.update(past[4 * at], past[4 * at + 1], at)
                cache.cross_attention_cache.update(past[4 * at + 2], past[4 * at + 3], at)
                cache.is_updated[at] = True
        out = self.decoder(
            inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=cache,
            use_cache=True,
        )
        grown = []
        for at in range(self.layers):
            own, cross = cache.self_attention_cache.layers[at], cache.cross_attention_cache.layers[at]
            grown += [own.keys, own.values, cross.keys, cross.values]
        return (self.head(out.last_hidden_state), *grown)


def cache_names(prefix: str, layers: int) -> list[str]:
    return [f"{prefix}.{at}.{side}.{what}" for at in range(layers) for side in ("decoder", "encoder") for what in ("key", "value")]


def merge(first: Path, later: Path, to: Path, inputs: list[str], outputs: list[str], cache_dims: dict[str, list]) -> None:
    """Puts the first step and the later ones behind one `If`, as the published decoder_model_merged.onnx has them."""
    branches = {}
    for name, path in (("then_branch", later), ("else_branch", first)):
        model = onnx.load(path)
        graph = onnx.compose.add_prefix(model, f"{name}/", rename_inputs=False, rename_outputs=False).graph
        graph.name = name
        own = [value.name for value in graph.output]
        renamed = {old: f"{name}/{new}" for old, new in zip(own, outputs)}
        for node in graph.node:
            for at, value in enumerate(node.output):
                node.output[at] = renamed.get(value, value)
            for at, value in enumerate(node.input):
                node.input[at] = renamed.get(value, value)
        for value in graph.output:
            value.name = renamed[value.name]
        # What a branch passes through unchanged needs a node, or it would be no output of the branch.
        made = {value for node in graph.node for value in node.output}
        passed = {old: new for old, new in renamed.items() if new not in made}
        for old, new in passed.items():
            graph.node.append(helper.make_node("Identity", [old], [new]))
        del graph.input[:]
        branches[name] = graph
    opset = onnx.load(first).opset_import
    float_in = {"encoder_hidden_states": ["batch", "encoder_sequence", None], "inputs_embeds": ["batch", "sequence", None], **cache_dims}
    values = [helper.make_tensor_value_info("encoder_attention_mask", TensorProto.INT64, ["batch", "encoder_sequence"])]
    values += [helper.make_tensor_value_info(name, TensorProto.FLOAT, float_in[name]) for name in inputs[1:]]
    values.append(helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1]))
    node = helper.make_node("If", ["use_cache_branch"], outputs, **branches)
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    onnx.save(helper.make_model(helper.make_graph([node], "decoder", values, made), opset_imports=opset, ir_version=9), to)


def make(folder: Path, pictures: list[Path]) -> dict:
    tokenizer = make_tokenizer()
    words = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>",
        mask_token="<mask>", extra_special_tokens={"image_token": "<image>"},
    )
    layers, heads, width = 2, 2, 16
    vision = dict(
        depths=[1, 1, 1, 1], patch_size=[7, 3, 3, 3], patch_stride=[4, 2, 2, 2], patch_padding=[3, 1, 1, 1], patch_prenorm=[False, True, True, True],
        embed_dim=[8, 8, 8, 16], num_heads=[1, 1, 1, 2], num_groups=[1, 1, 1, 2], window_size=4, projection_dim=width,
    )
    text = dict(
        vocab_size=len(words), d_model=width, encoder_layers=layers, decoder_layers=layers, encoder_attention_heads=heads, decoder_attention_heads=heads,
        encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=1024, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2,
        forced_bos_token_id=0, forced_eos_token_id=2, no_repeat_ngram_size=3,
    )
    config = Florence2Config(
        text_config=BartConfig(**text).to_dict(), vision_config=Florence2VisionConfig(**vision).to_dict(), image_token_id=words.convert_tokens_to_ids("<image>")
    )
    config._attn_implementation = "eager"
    torch.manual_seed(6)
    model = Florence2ForConditionalGeneration(config).eval()
    scatter(model, 0.35)

    graphs = folder / "onnx"
    graphs.mkdir(parents=True, exist_ok=True)
    batch = {0: "batch"}
    export(Vision(model), (torch.zeros(1, 3, SIZE, SIZE),), graphs / "vision_encoder.onnx", ["pixel_values"], ["image_features"], {"pixel_values": batch})
    ids = torch.zeros(1, 3, dtype=torch.long)
    export(model.get_input_embeddings(), (ids,), graphs / "embed_tokens.onnx", ["input_ids"], ["inputs_embeds"], {"input_ids": {0: "batch", 1: "sequence"}})
    seen = torch.ones(1, 7, dtype=torch.long)
    states = torch.zeros(1, 7, width)
    sequence = {0: "batch", 1: "encoder_sequence"}
    export(Encoder(model), (seen, states), graphs / "encoder_model.onnx", ["attention_mask", "inputs_embeds"], ["last_hidden_state"], {"attention_mask": sequence, "inputs_embeds": sequence})
    past, present = cache_names("past_key_values", layers), cache_names("present", layers)
    plain = ["encoder_attention_mask", "encoder_hidden_states", "inputs_embeds"]
    axes = {"encoder_attention_mask": sequence, "encoder_hidden_states": sequence, "inputs_embeds": {0: "batch", 1: "sequence"}}
    cached_axes = {name: {0: "batch", 2: "past_sequence" if ".decoder." in name else "encoder_sequence"} for name in past}
    one = torch.zeros(1, heads, 3, width // heads)
    cross = torch.zeros(1, heads, 7, width // heads)
    first, later = folder / "first.onnx", folder / "later.onnx"
    export(Decoder(model, layers, False), (seen, states, torch.zeros(1, 2, width)), first, plain, ["logits", *present], axes)
    export(
        Decoder(model, layers, True), (seen, states, torch.zeros(1, 1, width), *[one if ".decoder." in name else cross for name in past]), later,
        [*plain, *past], ["logits", *present], {**axes, **cached_axes},
    )
    dims = {name: ["batch", heads, "past_sequence" if ".decoder." in name else "encoder_sequence_past", width // heads] for name in past}
    merge(first, later, graphs / "decoder_model_merged.onnx", [*plain, *past], ["logits", *present], dims)
    first.unlink()
    later.unlink()

    processor = Florence2Processor(
        image_processor=CLIPImageProcessorPil(
            size={"height": SIZE, "width": SIZE}, do_center_crop=False, resample=3, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225], image_seq_length=5
        ),
        tokenizer=words,
        post_processor_config={"pure_text": {}, "description_with_bboxes": {}},
    )
    processor.image_processor.image_seq_length = 5
    processor.num_image_tokens = 5
    write_json(folder / "config.json", {
        "model_type": "florence2", "architectures": ["Florence2ForConditionalGeneration"], "is_encoder_decoder": True, "projection_dim": width,
        "vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
        "text_config": {"model_type": "florence2_language", **text}, "vision_config": {"model_type": "davit", "dim_embed": vision["embed_dim"], **vision},
    })
    write_json(folder / "generation_config.json", {
        "bos_token_id": 0, "decoder_start_token_id": 2, "early_stopping": True, "eos_token_id": 2, "forced_bos_token_id": 0, "forced_eos_token_id": 2,
        "no_repeat_ngram_size": 3, "num_beams": 3, "pad_token_id": 1,
    })
    write_json(folder / "preprocessor_config.json", {
        "image_processor_type": "CLIPImageProcessor", "processor_class": "Florence2Processor", "do_resize": True, "do_rescale": True, "do_normalize": True,
        "do_center_crop": False, "crop_size": {"height": SIZE, "width": SIZE}, "size": {"height": SIZE, "width": SIZE}, "resample": 3, "rescale_factor": 1 / 255,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "image_seq_length": 5,
        "tasks_answer_post_processing_type": processor.tasks_answer_post_processing_type,
        "task_prompts_without_inputs": processor.task_prompts_without_inputs, "task_prompts_with_input": processor.task_prompts_with_input,
    })
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "BartTokenizer", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>",
        "cls_token": "<s>", "sep_token": "</s>", "model_max_length": 256, "add_prefix_space": False,
    })
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    return {"tags": [tags_case(model, processor, path) for path in pictures], "captions": [caption_case(model, processor, path) for path in pictures], "answers": answer_cases(processor)}


def generate(model, processor, picture: Image.Image, prompt: str) -> tuple[dict, list[int], str]:
    inputs = processor(images=picture, text=prompt, return_tensors="pt")
    with torch.no_grad():
        ids = model.generate(**inputs, num_beams=1, do_sample=False, max_new_tokens=40, no_repeat_ngram_size=3, forced_bos_token_id=0, forced_eos_token_id=2)
    return inputs, ids[0].tolist(), processor.batch_decode(ids, skip_special_tokens=False)[0]


def tags_case(model, processor, path: Path) -> dict:
    picture = Image.open(path).convert("RGB")
    inputs, ids, text = generate(model, processor, picture, "<OD>")
    answer = processor.post_process_generation(text, task="<OD>", image_size=picture.size)["<OD>"]
    return {
        "picture": path.name, "prompt_ids": [at for at in inputs["input_ids"][0].tolist() if at != processor.image_token_id],
        "pixels": sampled(inputs["pixel_values"]), "ids": ids, "text": text, **answer,
    }


def caption_case(model, processor, path: Path) -> dict:
    picture = Image.open(path).convert("RGB")
    width, height = picture.size
    box = [float(round(width * 0.137)), float(round(height * 0.21)), float(round(width * 0.871)), float(round(height * 0.96))]
    bins = processor.post_processor.quantize(torch.tensor([box]), picture.size)[0].tolist()
    region = "".join(f"<loc_{at}>" for at in bins)
    inputs, ids, text = generate(model, processor, picture, f"<REGION_TO_DESCRIPTION>{region}")
    answer = processor.post_process_generation(text, task="<REGION_TO_DESCRIPTION>", image_size=picture.size)
    return {
        "picture": path.name, "box": box, "bins": bins, "prompt_ids": [at for at in inputs["input_ids"][0].tolist() if at != processor.image_token_id],
        "ids": ids, "text": text, "answer": answer["<REGION_TO_DESCRIPTION>"],
    }


def answer_cases(processor) -> list[dict]:
    """Answers as the published model gives them: trained weights cannot be had here, the reading of their answers can be tested all the same."""
    texts = [
        "</s><s>car<loc_52><loc_332><loc_932><loc_774>door<loc_709><loc_185><loc_793><loc_550>wheel<loc_144><loc_576><loc_278><loc_770><loc_740><loc_560><loc_869><loc_765></s>",
        "<s>green car parked in front of a yellow building<loc_51><loc_331><loc_933><loc_775></s><pad><pad>",
        "<s>café table<loc_0><loc_0><loc_999><loc_999></s>",
        "<s>no boxes at all</s>",
        "<s>half a box<loc_1><loc_2></s>",
        "<s><loc_1><loc_2><loc_3><loc_4></s>",
        "<s>five<loc_10><loc_20><loc_30><loc_40><loc_50>after<loc_1><loc_2><loc_3><loc_4></s>",
        "",
    ]
    size = (641, 427)
    return [{"text": text, "size": list(size), **processor.post_process_generation(text, task="<OD>", image_size=size)["<OD>"]} for text in texts]
