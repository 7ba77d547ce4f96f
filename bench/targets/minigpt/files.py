"""What a MiniGPT-v2 checkpoint folder holds: weights, tokenizer with its template, settings of the image processor."""

import json
from pathlib import Path
from typing import Any

IMAGE_PLACEHOLDER = "<ImageHere>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<Img><ImageHere></Img> ' }}"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{{ ' [/INST]' }}"
    "{% else %}{{ ' ' }}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{{ '</s>' }}{% endif %}"
    "{% endfor %}"
)
"""The tokenizer puts its start token in front. Source: CONV_VISION_minigptv2 and prepare_texts in
minigpt4/common/eval_utils.py of Vision-CAIR/MiniGPT-4."""
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def save_parts(network: Any, tokenizer: Any, output: Path) -> None:
    """Write weights, tokenizer and image settings; the settings are those of transformers' BlipImageProcessor.

    Source of the settings: Blip2ImageEvalProcessor in minigpt4/processors/blip_processors.py.
    """
    network.generation_config.eos_token_id = tokenizer.eos_token_id
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    network.save_pretrained(output)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(output)
    side = network.config.vision_config.image_size
    settings = {
        "image_processor_type": "BlipImageProcessor",
        "do_resize": True,
        "size": {"height": side, "width": side},
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(CLIP_MEAN),
        "image_std": list(CLIP_STD),
        "do_convert_rgb": True,
    }
    text = json.dumps(settings, indent=2) + "\n"
    (output / "preprocessor_config.json").write_text(text, encoding="utf-8")
