"""VeilBench's fine-tuning and answering against what one would reach for otherwise: TRL, and transformers' generate.

``python -m benchmarks.targets.peers [--people 20] [--epochs 20] [--rounds 3]``, from the repository's root (as a file
where VeilBench is installed), in an environment that has TRL besides: ``pip install trl``.

Fine-tuning. tiny-llava, the first people of veilbench-mini, the shipped recipe ``veilbench``: LoRA on the language
model, the whole projector. Both start from equal weights and see equal photos, questions and answers in equal order in
every step, under one prompt, optimiser, schedule and gradient clip; the tokens are compared before the clock starts.

- VeilBench: ``Target.finetune``; a photo is encoded once, and its questions of a step share one image prefix.
- TRL: ``SFTTrainer``; every (photo, question) is a sequence of its own, encoded when it is shown, and a step has as
  many sequences as the packed one has questions, accumulated over passes of ``--at-once`` of them (20 took TRL the
  least time). float32, without gradient checkpointing, which would only slow it down.

Answering. The held-out probes of the same people, open answers alone, by the adapter that VeilBench trained last:
``Target.answer`` against the processor and ``generate`` for one probe after another, both greedy.

The ways take turns, each in a process of its own that has done a little of the same work before the clock starts.
Reading the checkpoint is left out; encoding, saving the adapter and all between are timed. Prints Markdown tables.
"""

import argparse
import io
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.llava import Llava, LoadedLlava
from bench.targets.packed.answering import adapted
from bench.targets.packed.text import SHORTEST_LIMIT
from bench.targets.recipes import load_recipe
from benchmarks.targets.material import held_out_probes, print_table, training_photos
from benchmarks.targets.peers_trl import check_same_tokens, finetune_trl, sequences_a_step

if TYPE_CHECKING:
    import pandas as pd

SPEC = TargetSpec("tiny-llava")
PHOTOS_A_PERSON, PROBES_A_PERSON = 7, 32
SEED = 0
WARM_UP_PROBES = 16


@dataclass(frozen=True)
class Cell:
    """What is trained and asked; ``at_once`` sequences go through the model in TRL's passes."""

    people: int
    recipe: Recipe
    at_once: int

    @property
    def photos(self) -> list[TrainingExample]:
        """The people's training photos, cut to whole batches: TRL's batches know no epochs."""
        whole = self.people * PHOTOS_A_PERSON // self.recipe.batch_size * self.recipe.batch_size
        return list(training_photos()[:whole])

    @property
    def probes(self) -> "pd.DataFrame":
        """The people's held-out probes without options, so that open answers are all that is asked for."""
        probes = held_out_probes().head(self.people * PROBES_A_PERSON)
        return probes.assign(options=[[] for _ in range(len(probes))])


@dataclass(frozen=True)
class Taken:
    """What one run took: wall time, the processor's own time, the process's largest memory; and what it made."""

    seconds: float
    processor_seconds: float
    megabytes: float
    made: Any


Way = Callable[[Cell, Path], Taken]


def timed(compute: Callable[[], Any]) -> Taken:
    """What ``compute`` takes and returns."""
    wall, processor = time.perf_counter(), time.process_time()
    made = compute()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Taken(wall, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, made)


# Fine-tuning: the loss of every step.


def train_veilbench(cell: Cell, output: Path) -> Taken:
    """``Target.finetune``."""
    warm, target = Llava(SPEC), Llava(SPEC)
    _train_packed(warm, cell.photos[: cell.recipe.batch_size], replace(cell.recipe, epochs=1), _folder(output, "warm"))
    photos, folder = cell.photos, _folder(output, "adapter")
    assert target.model.network is not None  # reads the checkpoint
    return timed(lambda: _train_packed(target, photos, cell.recipe, folder))


def _train_packed(target: Llava, photos: Sequence[TrainingExample], recipe: Recipe, output: Path) -> list[float]:
    losses: list[float] = []

    def report(done: int, total: int, note: str) -> None:
        del done, total
        losses.append(float(note.rsplit(" ", 1)[-1]))

    target.finetune(photos, recipe, SEED, output, report)
    return losses


def train_trl(cell: Cell, output: Path) -> Taken:
    """``SFTTrainer``."""
    warm, model = LoadedLlava(SPEC), LoadedLlava(SPEC)
    photos, recipe, folder = cell.photos, cell.recipe, _folder(output, "adapter")
    check_same_tokens(model, photos, recipe, SEED)
    first = photos[: recipe.batch_size]
    finetune_trl(warm, first, replace(recipe, epochs=1), SEED, _folder(output, "warm"), cell.at_once)
    return timed(lambda: finetune_trl(model, photos, recipe, SEED, folder, cell.at_once))


def _folder(output: Path, name: str) -> Path:
    folder = output / name
    folder.mkdir(parents=True)
    return folder


# Answering: the open answer to every probe.


def answer_veilbench(cell: Cell, adapter: Path) -> Taken:
    """``Target.answer``."""
    target, probes = Llava(SPEC), cell.probes
    target.answer(probes.tail(WARM_UP_PROBES), adapter, quiet())
    return timed(lambda: target.answer(probes, adapter, quiet())["text"].tolist())


def answer_generate(cell: Cell, adapter: Path) -> Taken:
    """The processor and ``generate``, one probe after another."""
    from transformers import AutoProcessor

    model, probes = LoadedLlava(SPEC), cell.probes
    processor = AutoProcessor.from_pretrained(model.folder)
    with adapted(model, adapter):
        _generate(model, processor, probes.tail(WARM_UP_PROBES))
        return timed(lambda: _generate(model, processor, probes))


def _generate(model: LoadedLlava, processor: Any, probes: "pd.DataFrame") -> list[str]:
    from PIL import Image

    texts = []
    for image, question in zip(probes["image"], probes["question"], strict=True):
        photo = Image.open(io.BytesIO(image)).convert("RGB")
        asked = processor(images=photo, text=model.text.prompt(question), return_tensors="pt").to(model.device)
        ids = model.network.generate(**asked, max_new_tokens=SHORTEST_LIMIT, do_sample=False)
        answer = ids[0, asked["input_ids"].shape[1] :]
        texts.append(processor.decode(answer, skip_special_tokens=True).strip())
    return texts


# In turn, and what is printed.


def in_own_process(way: Way, cell: Cell, folder: Path) -> Taken:
    """What ``way`` takes in a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(way, cell, folder).result()


def in_turn(ways: dict[str, Way], rounds: int, cell: Cell, folder: Callable[[str], Path]) -> dict[str, list[Taken]]:
    """What each way takes, ``rounds`` times in turn: A, B, A, B; ``folder`` gives a run's by the way's name."""
    taken: dict[str, list[Taken]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            taken[name].append(in_own_process(way, cell, folder(f"{name} {number}")))
            print(f"{name}, round {number + 1}: {taken[name][-1].seconds:.1f} s", file=sys.stderr, flush=True)
    return taken


def medians(runs: Sequence[Taken], base: Sequence[Taken]) -> list[str]:
    """Cells of the table: seconds, the processor's seconds, both as multiples of the first way's, memory."""
    wall, own = median(run.seconds for run in runs), median(run.processor_seconds for run in runs)
    ratio = wall / median(run.seconds for run in base)
    own_ratio = own / median(run.processor_seconds for run in base)
    listed = ", ".join(f"{run.seconds:.1f}" for run in runs)
    memory = max(run.megabytes for run in runs)
    return [listed, f"{wall:.1f}", f"{ratio:.2f}x", f"{own:.1f}", f"{own_ratio:.2f}x", f"{memory:.0f}"]


COLUMNS = ["wall s, each round", "median", "ratio", "processor s, median", "ratio", "most memory, MB"]


def compare_training(cell: Cell, rounds: int, folder: Path) -> Path:
    """Print both trainings' table and how far their adapters are apart; returns VeilBench's last adapter."""
    ways: dict[str, Way] = {"VeilBench": train_veilbench, "TRL SFTTrainer": train_trl}
    taken = in_turn(ways, rounds, cell, lambda name: folder / name)
    steps = len(cell.photos) // cell.recipe.batch_size
    pairs = len(cell.photos) * cell.recipe.questions_per_photo
    each = (
        f"{cell.recipe.epochs} epochs, {pairs} question-answer pairs an epoch, {sequences_a_step(cell.recipe)} a step"
    )
    print(f"\nFine-tuning on {len(cell.photos)} photos, {each}; TRL {cell.at_once} sequences at once\n")
    rows = [
        [name, *medians(runs, taken["VeilBench"]), f"{losses[0]:.3f}", f"{losses[-1]:.3f}", f"{fmean(last):.4f}"]
        for name, runs in taken.items()
        for losses in [runs[-1].made]
        for last in [losses[-steps:]]
    ]
    print_table(["", *COLUMNS, "first loss", "last loss", "mean loss, last epoch"], rows)
    ours, theirs = (folder / f"{name} {rounds - 1}" / "adapter" for name in ways)
    apart, largest = difference(ours, theirs)
    losses = zip(*(runs[-1].made for runs in taken.values()), strict=True)
    print(f"\nLosses of one step are at most {max(abs(a - b) for a, b in losses):.4f} apart,", end=" ")
    print(f"weights of the adapters {apart:.1e}; the largest weight is {largest:.2f}.")
    return ours


def difference(ours: Path, theirs: Path) -> tuple[float, float]:
    """The largest difference between two adapters' weights, and the largest weight."""
    from safetensors.torch import load_file

    mine, other = (load_file(folder / "adapter_model.safetensors") for folder in (ours, theirs))
    assert mine.keys() == other.keys(), "the adapters train other tensors"
    apart = max(float((values - other[name]).abs().max()) for name, values in mine.items())
    return apart, max(float(values.abs().max()) for values in mine.values())


def compare_answering(cell: Cell, rounds: int, adapter: Path) -> None:
    """Print both ways' table and how many answers are equal."""
    ways: dict[str, Way] = {"VeilBench": answer_veilbench, "generate, one by one": answer_generate}
    taken = in_turn(ways, rounds, cell, lambda _: adapter)
    ours, theirs = (runs[-1].made for runs in taken.values())
    equal = sum(a == b for a, b in zip(ours, theirs, strict=True))
    print(f"\nOpen answers to {len(ours)} held-out probes, {len(set(ours))} different ones\n")
    rows = [[name, *medians(runs, taken["VeilBench"])] for name, runs in taken.items()]
    print_table(["", *COLUMNS], rows)
    print(f"\nEqual letter for letter: {equal} of {len(ours)}.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=4, choices=range(2, 21), metavar="2-20")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=20, help="sequences in a forward pass of TRL; divides a step's")
    chosen = parser.parse_args()
    if find_spec("trl") is None:
        sys.exit("This comparison needs TRL beside VeilBench: pip install trl")
    # The processes that measure are started with these.
    os.environ.update(OMP_NUM_THREADS=str(chosen.threads), OMP_WAIT_POLICY="PASSIVE", HF_HUB_OFFLINE="1")
    recipe = replace(load_recipe("veilbench").recipe(), epochs=chosen.epochs)
    if sequences_a_step(recipe) % chosen.at_once:
        parser.error(f"--at-once must divide the {sequences_a_step(recipe)} sequences of a step")
    cell = Cell(chosen.people, recipe, chosen.at_once)
    versions = ", ".join(f"{name} {version(name)}" for name in ("trl", "transformers", "peft", "torch"))
    print(f"tiny-llava, {versions}; {chosen.threads} thread(s), load {os.getloadavg()[0]:.1f}", flush=True)
    with TemporaryDirectory(prefix="veilbench-benchmark-") as folder:
        compare_answering(cell, chosen.rounds, compare_training(cell, chosen.rounds, Path(folder)))
    print(f"\nLoad at the end {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
