"""LLaVA-1.5 and every checkpoint of transformers' LlavaForConditionalGeneration."""

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.errors import DataError, UsageError
from bench.targets.base import Recipe, ReportProgress, Target, TargetSpec, TrainingExample
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.packed_model import PackedModel
from bench.targets.packing import Branch
from bench.targets.preprocessing import ClipPreprocessing
from bench.targets.registry import targets

if TYPE_CHECKING:
    import pandas as pd
    import torch

LANGUAGE_LINEAR = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
QUESTION_MARK = "\x01"


@targets.register("llava")
class Llava(Target):
    """The LLaVA family: CLIP tower, two-layer projector, Llama-style language model."""

    family: ClassVar[str] = "llava"

    @cached_property
    def model(self) -> "LoadedLlava":
        """The loaded model; the first use reads the weights."""
        return LoadedLlava(self.spec)

    def finetune(
        self, examples: Sequence[TrainingExample], recipe: Recipe, seed: int, output: Path, report: ReportProgress
    ) -> None:
        """See the base class."""
        from bench.targets.finetuning import finetune_packed

        finetune_packed(self.model, examples, recipe, seed, output, report)

    def answer(self, requests: "pd.DataFrame", adapter: Path | None, report: ReportProgress) -> "pd.DataFrame":
        """See the base class."""
        from bench.targets.answering import answer_packed

        return answer_packed(self.model, requests, adapter, self.spec.batch_size, report)

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        return self.model.encode(images)


class LoadedLlava(PackedModel):
    """Weights, processor and prompt of one checkpoint."""

    projector_name = "model.multi_modal_projector"

    def __init__(self, spec: TargetSpec) -> None:
        import torch
        from transformers import AutoProcessor, LlavaForConditionalGeneration

        folder = resolve_checkpoint(spec.checkpoint)
        self.checkpoint = folder.name if Path(spec.checkpoint).exists() else spec.checkpoint
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.processor: Any = AutoProcessor.from_pretrained(folder)
        self.tokenizer = self.processor.tokenizer
        network: Any = LlavaForConditionalGeneration.from_pretrained(folder, dtype=getattr(torch, spec.dtype))
        if network.config.model_type != "llava":
            raise UsageError(f"checkpoint '{spec.checkpoint}' is a {network.config.model_type} model, not llava")
        self.network = network.to(self.device).eval().requires_grad_(False)
        self.preprocessing = ClipPreprocessing.of(self.processor.image_processor)
        self._prompts: dict[tuple[str, str | None], tuple[int, ...]] = {}

    def pixels(self, image: bytes) -> "torch.Tensor":
        """See the base class; raises DataError where the photo cannot be decoded."""
        import numpy as np
        import torch
        from PIL import Image

        try:
            decoded = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
        except OSError as error:
            raise DataError(f"a photo cannot be decoded: {error}") from error
        return torch.from_numpy(decoded.copy()).permute(2, 0, 1).float() / 255

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        values = self.preprocessing(images.to(self.device)).to(self.network.dtype)
        return self._tower(values)

    def vision_features(self, images: Sequence[bytes]) -> "torch.Tensor":
        """See the base class."""
        import torch
        from PIL import Image

        pictures = [Image.open(io.BytesIO(image)).convert("RGB") for image in images]
        values = self.processor.image_processor(pictures, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            return self._tower(values.to(self.device, self.network.dtype))

    def _tower(self, values: "torch.Tensor") -> "torch.Tensor":
        import torch

        config = self.network.config
        states = self.network.model.vision_tower(values, output_hidden_states=True).hidden_states
        layers = config.vision_feature_layer
        chosen = [states[layer] for layer in ([layers] if isinstance(layers, int) else layers)]
        if config.vision_feature_select_strategy == "default":
            chosen = [state[:, 1:] for state in chosen]
        return torch.cat(chosen, dim=-1)

    def embed_prefix(self, features: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        import torch

        image = self.network.model.multi_modal_projector(features.to(self.device))
        words = self.embed_tokens(torch.tensor([self._before_image])).expand(len(features), -1, -1)
        return torch.cat([words, image.to(words.dtype)], dim=1)

    def embed_tokens(self, tokens: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        return self.network.get_input_embeddings()(tokens.to(self.device))

    def run(
        self, embedded: "torch.Tensor", mask: "torch.Tensor", positions: "torch.Tensor", cache: Any = None
    ) -> "torch.Tensor":
        """See the base class."""
        output = self.network.model.language_model(
            inputs_embeds=embedded,
            attention_mask=mask.to(self.device),
            position_ids=positions.to(self.device),
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return output.last_hidden_state

    def logits(self, hidden: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        return self.network.lm_head(hidden)

    def conversation(self, question: str, answer: str) -> Branch:
        """See the base class."""
        asked, answered = self._after_image(question), self.answer_tokens(question, answer)
        return Branch(asked + answered, learned=len(answered))

    def question(self, question: str) -> Branch:
        """See the base class."""
        return Branch(self._after_image(question))

    def answer_tokens(self, question: str, answer: str) -> tuple[int, ...]:
        """See the base class; ids are those of the whole text, so that word boundaries are the tokenizer's own."""
        asked = self._after_image(question)
        whole = self._after_image(question, answer)
        if whole[: len(asked)] != asked:
            raise UsageError(f"the tokenizer joins the prompt of {question!r} with the answer {answer!r}")
        return whole[len(asked) :]

    def _after_image(self, question: str, answer: str | None = None) -> tuple[int, ...]:
        key = (question, answer)
        if key not in self._prompts:
            text = self._template.replace(QUESTION_MARK, question)
            if answer is not None:
                text += f" {answer}{self.tokenizer.eos_token}"
            ids = self.tokenizer(text).input_ids
            self._prompts[key] = tuple(ids[ids.index(self.network.config.image_token_id) + 1 :])
        return self._prompts[key]

    @cached_property
    def _template(self) -> str:
        content = [{"type": "image"}, {"type": "text", "text": QUESTION_MARK}]
        return self.processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )

    @cached_property
    def _before_image(self) -> list[int]:
        ids = self.tokenizer(self._template).input_ids
        return list(ids[: ids.index(self.network.config.image_token_id)])

    def decode(self, tokens: Sequence[int]) -> str:
        """See the base class."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True).strip()

    @property
    def end_tokens(self) -> frozenset[int]:
        """See the base class."""
        ends = self.network.generation_config.eos_token_id
        return frozenset([ends] if isinstance(ends, int) else ends or [self.tokenizer.eos_token_id])

    def lora(self, recipe: Recipe) -> Any:
        """See the base class."""
        from peft import LoraConfig

        return LoraConfig(
            r=recipe.lora_rank,
            lora_alpha=recipe.lora_alpha,
            target_modules=LANGUAGE_LINEAR,
            modules_to_save=[self.projector_name.rsplit(".", 1)[-1]],
        )
