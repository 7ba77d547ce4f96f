"""One question on one photo as transformers' own network takes it, to compare ours with."""

import io
from collections.abc import Sequence

import torch
from PIL import Image

from bench.targets.loading import load_image_processor
from bench.targets.minigpt_v2 import LoadedMiniGPTv2
from bench.targets.packed.model import PackedModel


def native_inputs(
    model: PackedModel, image: bytes, question: str, answer: str | None = None
) -> dict[str, torch.Tensor]:
    """Inputs of one question on one photo as the plain network takes them.

    The picture comes from the library's image processor. The library's joint processors do no more than repeat the
    image's placeholder; those of the Qwen family cannot be made without a video processor, so it is done here.
    """
    shown = native_picture(model, image)
    before, after = _words(model, question, answer)
    ids = torch.tensor([*before, *[model.image_token] * _image_tokens(model, shown), *after])[None]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **shown}
    if "image_grid_thw" in shown:
        inputs["mm_token_type_ids"] = (ids == model.image_token).long()
    return inputs


def native_picture(model: PackedModel, image: bytes) -> dict[str, torch.Tensor]:
    """What the library's image processor makes of an encoded photo."""
    processor = load_image_processor(model.folder)
    return dict(processor(Image.open(io.BytesIO(image)), return_tensors="pt"))


def _words(model: PackedModel, question: str, answer: str | None) -> tuple[Sequence[int], Sequence[int]]:
    """Ids before and behind the image."""
    if isinstance(model, LoadedMiniGPTv2):
        # There is no library's way; tests/targets/minigpt compares these ids with the published code's.
        return model.text.before_image, model.text.after_image(question, answer)
    content = [{"type": "image"}, {"type": "text", "text": question}]
    conversation = [{"role": "user", "content": content}]
    text = model.tokenizer.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    text += "" if answer is None else f"{model.answer_lead}{answer}{model.tokenizer.eos_token}"
    ids = model.tokenizer(text).input_ids
    place = ids.index(model.image_token)
    return ids[:place], ids[place + 1 :]


def _image_tokens(model: PackedModel, shown: dict[str, torch.Tensor]) -> int:
    config = model.network.config
    if "image_grid_thw" in shown:
        return int(shown["image_grid_thw"].prod()) // config.vision_config.spatial_merge_size**2
    if isinstance(model, LoadedMiniGPTv2):
        return int(config.image_tokens)
    return int((config.vision_config.image_size // config.vision_config.patch_size) ** 2)


def log_likelihood(model: PackedModel, image: bytes, question: str, answer: str) -> tuple[float, int]:
    """Of ``answer`` and its end, and how many tokens these are, by the model's native forward pass."""
    inputs = native_inputs(model, image, question, answer)
    count = inputs["input_ids"].shape[1] - native_inputs(model, image, question)["input_ids"].shape[1]
    with torch.no_grad():
        scores = model.network(**inputs).logits.float().log_softmax(-1)[0, -count - 1 : -1]
    return float(scores.gather(1, inputs["input_ids"][0, -count:, None]).sum()), count
