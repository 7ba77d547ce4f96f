"""Fine-tuning on frozen vision features that are computed once, against encoding every photo in every epoch.

Run ``python -m benchmarks.targets.cached_features [--epochs N] [--questions N] [CHECKPOINT ...]``; without names,
every shipped checkpoint is measured. Without a GPU the seconds are the processor's own, so that what else runs does
not count. Prints a Markdown table, and compares the adapters.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file

from bench.core.progress import quiet
from bench.targets.base import Recipe, TrainingExample
from bench.targets.checkpoints import shipped_checkpoints
from bench.targets.packed.features import FeatureCache
from bench.targets.packed.model import PackedModel
from bench.targets.recipes import load_recipe
from bench.targets.training.finetuning import Views, train
from bench.targets.training.rows import FrozenViews, TrainedViews
from benchmarks.targets.packing import load
from scenarios.dataset import load_dataset
from scenarios.language import training_conversations

PHOTOS = 32


def examples() -> list[TrainingExample]:
    """The first photos of the shipped dataset with all that is said about them."""
    dataset = load_dataset("veilbench-mini")
    people = {person.person_id: person for person in dataset.persons("evaluation")}
    rows = dataset.pairs[dataset.pairs["scenario"] != ""].head(PHOTOS).to_dict("records")
    return [
        TrainingExample(
            row["pair_id"],
            (row["image"],),
            training_conversations(people[row["person_id"]], row["scenario"], row["description"]),
        )
        for row in rows
    ]


def seconds(model: PackedModel, recipe: Recipe, views: Callable[[], Views], output: Path) -> float:
    """How long it takes to fine-tune, the features included."""
    output.mkdir()
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    begun = clock()
    train(model, views(), examples(), recipe, 0, output, quiet())
    return clock() - begun


def measure(checkpoint: str, recipe: Recipe, folder: Path) -> str:
    """One row of the table."""
    model, photos = load(checkpoint).model, examples()
    ways: dict[str, Callable[[], Views]] = {
        "every-epoch": lambda: TrainedViews(model, photos, recipe, 0),
        "once": lambda: FrozenViews(model, FeatureCache(folder / "features", checkpoint), photos, recipe, 0),
        "kept": lambda: FrozenViews(model, FeatureCache(folder / "features", checkpoint), photos, recipe, 0),
    }
    took = {name: seconds(model, recipe, views, folder / name) for name, views in ways.items()}
    tensors = {name: load_file(folder / name / "adapter_model.safetensors") for name in ways}
    differences = [float((value - tensors["once"][name]).abs().max()) for name, value in tensors["every-epoch"].items()]
    times = " | ".join(f"{value:.1f}" for value in took.values())
    ratios = f"{took['every-epoch'] / took['once']:.2f} | {took['every-epoch'] / took['kept']:.2f}"
    return f"| {checkpoint} | {times} | {ratios} | {max(differences):.1e} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="*", default=shipped_checkpoints())
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--questions", type=int, default=8, help="asked about a photo in each epoch")
    chosen = parser.parse_args()
    recipe = replace(load_recipe("veilbench").recipe(), epochs=chosen.epochs, questions_per_photo=chosen.questions)
    asked = f"{chosen.questions} questions a photo, {torch.get_num_threads()} threads"
    print(f"{PHOTOS} photos, {recipe.epochs} epochs, {asked}\n")
    print(
        "| checkpoint | s, encoded every epoch | s, once | s, kept from before | ratio once | ratio kept | difference |"
    )
    print("|---|---|---|---|---|---|---|")
    for checkpoint in chosen.checkpoints:
        with TemporaryDirectory() as folder:
            print(measure(checkpoint, recipe, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
