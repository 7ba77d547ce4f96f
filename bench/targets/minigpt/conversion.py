"""From the published files of MiniGPT-v2 to a checkpoint folder that the family ``minigpt_v2`` loads.

``python -m bench.targets.minigpt.conversion --llama Llama-2-7b-chat-hf --eva eva_vit_g.pth
--minigpt minigptv2_checkpoint.pth --output minigpt-v2`` needs three downloads: Llama 2 7B chat in transformers'
format, the EVA tower that LAVIS publishes, and MiniGPT-v2's own weights (projector and LoRA).
Source of names and arithmetic: minigpt4/models of Vision-CAIR/MiniGPT-4.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.core.disk import writable
from bench.core.errors import DataError, UsageError, VeilBenchError
from bench.targets.loading import model_type
from bench.targets.minigpt.files import IMAGE_PLACEHOLDER, save_parts

if TYPE_CHECKING:
    import torch

    from bench.targets.minigpt.configuration import EvaVisionConfig

DTYPES = ("float16", "bfloat16", "float32")
LORA_ALPHA = 16
"""Source: minigpt4/configs/models/minigpt_v2.yaml; the rank is read off the tensors."""
ADAPTED = ("q_proj", "v_proj")
LORA_PREFIX = "llama_model.base_model.model."
LORA = re.compile(re.escape(LORA_PREFIX) + r"(.+)\.lora_([AB])(?:\.default)?\.weight")
BEHIND_THE_BLOCKS = re.compile(r"(norm|fc_norm|head)\.(weight|bias)|mask_token")
"""What EVA-CLIP has beside the blocks, and MiniGPT-v2 has not."""
BUFFER = re.compile(r"llama_model\..*rotary_emb\.inv_freq")


def convert(
    llama: Path,
    eva: Path,
    minigpt: Path,
    output: Path,
    vision: "EvaVisionConfig | None" = None,
    dtype: str = "float16",
) -> None:
    """Write the checkpoint folder ``output``.

    ``vision`` gives the tower's sizes, EVA-CLIP-g at 448 pixels by default. Raises UsageError where a file is missing
    or ``output`` cannot be written to, DataError where a file cannot be read, or has a tensor too few, too many or of
    another shape.
    """
    import torch

    from bench.targets.minigpt.configuration import EvaVisionConfig, MiniGPTv2Config
    from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration

    if dtype not in DTYPES:
        raise UsageError(f"dtype '{dtype}' is none of {', '.join(DTYPES)}.")
    output = writable(output)
    published, tower = PublishedFile(minigpt), PublishedFile(eva)
    language, tokenizer = _load_llama(llama, getattr(torch, dtype))
    config = MiniGPTv2Config(
        vision_config=vision or EvaVisionConfig(),
        text_config=language.config,
        image_token_id=int(tokenizer.convert_tokens_to_ids(IMAGE_PLACEHOLDER)),
        tie_word_embeddings=language.config.tie_word_embeddings,
    )
    with torch.device("meta"):
        network = MiniGPTv2ForConditionalGeneration(config)
    tensors = language_tensors(language, published)
    tensors |= tower_tensors(network.model.vision_tower, tower, published)
    tensors |= projector_tensors(network.model.multi_modal_projector, published)
    published.refuse_leftovers(lambda name: BUFFER.fullmatch(name) is not None)
    tensors = {name: value.to(getattr(torch, dtype)) for name, value in tensors.items()}
    network.load_state_dict(tensors, strict=True, assign=True)
    save_parts(network, tokenizer, output)


class PublishedFile:
    """The tensors of a PyTorch file, taken out one by one, so that what nobody wanted is seen at the end.

    No code of the file is run. Raises UsageError where it is missing, DataError where it holds no tensors by name.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tensors = _read_tensors(file)

    def has(self, name: str) -> bool:
        """Whether the tensor is there and not yet taken out."""
        return name in self._tensors

    def names(self) -> list[str]:
        """Of the tensors that are left."""
        return sorted(self._tensors)

    def take(self, name: str, shape: tuple[int, ...] | None = None) -> "torch.Tensor":
        """Take one tensor out. Raises DataError where it is missing or has another shape."""
        if name not in self._tensors:
            raise self.error(f"tensor '{name}' is missing.")
        value = self._tensors.pop(name)
        if shape is not None and tuple(value.shape) != tuple(shape):
            raise self.error(f"tensor '{name}' has the shape {tuple(value.shape)}, not {tuple(shape)}.")
        return value

    def refuse_leftovers(self, unused: Callable[[str], bool]) -> None:
        """Raise DataError naming the first tensor left that has no place in the network and is not known as unused."""
        for name in self.names():
            if not unused(name):
                raise self.error(f"tensor '{name}' has no place in MiniGPT-v2; is this the right file?")

    def error(self, what: str) -> DataError:
        """One sentence that begins with the file."""
        return DataError(f"{self._file}: {what}")


def _read_tensors(file: Path) -> "dict[str, torch.Tensor]":
    """Those under ``model`` where training saved more beside them."""
    import pickle

    import torch

    if not file.is_file():
        raise UsageError(f"{file}: no such file.")
    try:
        content: Any = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(f"{file}: damaged, or more than plain tensors; download it again.") from error
    content = content.get("model", content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise DataError(f"{file}: holds no tensors by name, neither at the top nor under 'model'.")
    return dict(content)


def _load_llama(folder: Path, dtype: "torch.dtype") -> tuple[Any, Any]:
    """The Llama and its tokenizer with the image's placeholder, for which the Llama needs no embedding."""
    from transformers import AutoTokenizer, LlamaForCausalLM

    # Without a configuration, transformers would make a Llama of its own out of nothing.
    if model_type(folder) != "llama":
        raise UsageError(f"{folder}: a {model_type(folder)} model, not llama.")
    try:
        loaded: Any = LlamaForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: no Llama with its tokenizer in transformers' format.") from error
    language, report = loaded
    # The library fills what no file holds with random numbers, and only warns.
    invented = sorted(set(report["missing_keys"]) & {name for name, _ in language.named_parameters()})
    if invented:
        raise UsageError(f"{folder}: tensor '{invented[0]}' is missing.")
    language.config._name_or_path = ""
    tokenizer.add_tokens([IMAGE_PLACEHOLDER], special_tokens=True)
    tokenizer.pad_token = tokenizer.unk_token
    return language, tokenizer


def language_tensors(language: Any, published: PublishedFile) -> "dict[str, torch.Tensor]":
    """Llama's tensors under their names in the network, with MiniGPT-v2's LoRA added: alpha / rank · B A, in float32.

    Raises DataError where LoRA of a query or value projection is missing, or changes a layer that the Llama has not.
    """
    tensors = language.state_dict()
    layers = range(language.config.num_hidden_layers)
    adapted = {f"model.layers.{layer}.self_attn.{name}" for layer in layers for name in ADAPTED}
    for module in sorted(adapted | _lora_modules(published)):
        name = f"{module}.weight"
        if name not in tensors:
            raise published.error(f"LoRA changes '{module}', which the Llama has not.")
        weight = tensors[name]
        down = published.take(_lora_name(published, module, "A"))
        rank = len(down)
        up = published.take(_lora_name(published, module, "B"), (weight.shape[0], rank))
        if tuple(down.shape) != (rank, weight.shape[1]):
            raise published.error(f"LoRA of '{module}' does not fit the Llama's weight {tuple(weight.shape)}.")
        tensors[name] = (weight.float() + LORA_ALPHA / rank * up.float() @ down.float()).to(weight.dtype)
    return {re.sub(r"^model\.", "model.language_model.", name): value for name, value in tensors.items()}


def _lora_modules(published: PublishedFile) -> set[str]:
    found = (LORA.fullmatch(name) for name in published.names())
    return {matched[1] for matched in found if matched}


def _lora_name(published: PublishedFile, module: str, half: str) -> str:
    """PEFT names its adapter in between since version 0.3; before, there was but one."""
    old = f"{LORA_PREFIX}{module}.lora_{half}.weight"
    return old if published.has(old) else f"{LORA_PREFIX}{module}.lora_{half}.default.weight"


def tower_tensors(tower: Any, eva: PublishedFile, published: PublishedFile) -> "dict[str, torch.Tensor]":
    """The tower's tensors under their names in the network.

    What MiniGPT-v2's own file has of the tower (``visual_encoder.``) goes first. EVA's last block is left out, as
    there. ``ln_vision`` is ones and zeros where MiniGPT-v2's file has none: it begins so, and what is frozen in
    training is not saved.
    """
    expected = {name: tuple(value.shape) for name, value in tower.state_dict().items()}
    found = {name: _tower_tensor(name, shape, eva, published) for name, shape in expected.items()}
    depth = len(tower.blocks)
    eva.refuse_leftovers(
        lambda name: name in expected or _block(name) >= depth or BEHIND_THE_BLOCKS.fullmatch(name) is not None
    )
    return {f"model.vision_tower.{name}": value for name, value in found.items()}


def _tower_tensor(name: str, shape: tuple[int, ...], eva: PublishedFile, published: PublishedFile) -> "torch.Tensor":
    import torch

    if name.startswith("ln_vision."):
        if published.has(name):
            return published.take(name, shape)
        return torch.ones(shape) if name.endswith("weight") else torch.zeros(shape)
    own = f"visual_encoder.{name}"
    source, called = (published, own) if published.has(own) else (eva, name)
    if name != "pos_embed":
        return source.take(called, shape)
    positions = interpolate_positions(source.take(called), shape[1] - 1)
    if tuple(positions.shape) != shape:
        raise source.error(f"tensor '{called}' has the shape {tuple(positions.shape)}, not {shape}.")
    return positions


def interpolate_positions(positions: "torch.Tensor", patches: int) -> "torch.Tensor":
    """Positions (1, 1 + patches, width) for another number of patches, bicubic; the class token keeps its own.

    What is no square of patches comes back as it is. Source: interpolate_pos_embed in minigpt4/models/eva_vit.py.
    """
    import torch

    before, after = round((positions.shape[1] - 1) ** 0.5), round(patches**0.5)
    if before == after or before**2 != positions.shape[1] - 1:
        return positions
    grid = positions[:, 1:].float().view(1, before, before, -1).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, size=(after, after), mode="bicubic", align_corners=False)
    return torch.cat((positions[:, :1].float(), grid.permute(0, 2, 3, 1).flatten(1, 2)), dim=1)


def projector_tensors(projector: Any, published: PublishedFile) -> "dict[str, torch.Tensor]":
    """``llama_proj`` under its name in the network."""
    return {
        f"model.multi_modal_projector.{name}": published.take(f"llama_proj.{name}", tuple(value.shape))
        for name, value in projector.state_dict().items()
    }


def _block(name: str) -> int:
    """The number of the block that a tensor of EVA belongs to; -1 for the others."""
    matched = re.match(r"blocks\.(\d+)\.", name)
    return int(matched[1]) if matched else -1


def main(
    llama: Annotated[Path, typer.Option(help="Folder of Llama-2-7b-chat in transformers' format.")],
    eva: Annotated[Path, typer.Option(help="eva_vit_g.pth, as LAVIS publishes it.")],
    minigpt: Annotated[Path, typer.Option(help="MiniGPT-v2's own weights, for example minigptv2_checkpoint.pth.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint to write.")],
    dtype: Annotated[str, typer.Option(help="float16, as published, bfloat16 or float32.")] = "float16",
) -> None:
    """Convert the published MiniGPT-v2.

    Example: --llama Llama-2-7b-chat-hf --eva eva_vit_g.pth --minigpt minigptv2_checkpoint.pth --output minigpt-v2
    """
    try:
        convert(llama, eva, minigpt, output, dtype=dtype)
    except VeilBenchError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    typer.run(main)
