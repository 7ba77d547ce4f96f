"""Training on several questions behind one image prefix, against one question a sample.

Run ``python -m benchmarks.targets.packing [CHECKPOINT ...]``; without names, every shipped checkpoint is measured.
Both sides compute the gradient of the same conversations from the same frozen features, with the same number of rows
a forward pass. Prints a Markdown table.
"""

import sys
import time
from collections.abc import Callable, Sequence

import torch

from bench.targets.base import TargetSpec
from bench.targets.checkpoints import family_of, shipped_checkpoints
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.model import PackedModel
from bench.targets.packed.packing import Branch
from bench.targets.packed.target import PackedTarget
from bench.targets.recipes import load_recipe
from bench.targets.registry import build_target
from bench.targets.training.finetuning import packed_loss
from bench.targets.training.tuned_weights import trained_network
from scenarios.dataset import load_dataset
from scenarios.language import training_conversations

PHOTOS, QUESTIONS, ROUNDS = 16, 8, 3


def load(checkpoint: str) -> PackedTarget:
    """The target of a checkpoint, whatever its family."""
    family = family_of(checkpoint)
    target = build_target(TargetSpec(checkpoint, family=family))
    assert isinstance(target, PackedTarget)
    return target


def lessons(model: PackedModel) -> tuple[list[PhotoFeatures], list[list[Branch]]]:
    """Frozen features of the first training photos, and conversations on each."""
    dataset = load_dataset("veilbench-mini")
    people = {person.person_id: person for person in dataset.persons("evaluation")}
    rows = dataset.pairs[dataset.pairs["scenario"] != ""].head(PHOTOS).to_dict("records")
    with torch.no_grad():
        photos = [model.features(model.pixels(row["image"])[None]) for row in rows]
    told = [training_conversations(people[row["person_id"]], row["scenario"], row["description"]) for row in rows]
    return photos, [[model.text.conversation(*pair) for pair in pairs[:QUESTIONS]] for pairs in told]


def packed(model: PackedModel, photos: Sequence[PhotoFeatures], rows: Sequence[Sequence[Branch]]) -> float:
    """Loss and gradient of all questions of all photos in one forward pass."""
    loss = packed_loss(model, photos, rows)
    loss.backward()
    return loss.item()


def one_by_one(model: PackedModel, photos: Sequence[PhotoFeatures], rows: Sequence[Sequence[Branch]]) -> float:
    """The same with a sample for each question, accumulated over forward passes of as many rows."""
    samples = [(photo, [branch]) for photo, row in zip(photos, rows, strict=True) for branch in row]
    total = sum(branch.learned for row in rows for branch in row)
    sum_of_losses = 0.0
    for start in range(0, len(samples), len(photos)):
        chosen = samples[start : start + len(photos)]
        tokens = sum(row[0].learned for _, row in chosen)
        loss = packed_loss(model, [photo for photo, _ in chosen], [row for _, row in chosen]) * (tokens / total)
        loss.backward()
        sum_of_losses += loss.item()
    return sum_of_losses


def timed(compute: Callable[[], float]) -> tuple[float, float]:
    """What ``compute`` returns, and the seconds of its fastest call."""
    result, seconds = compute(), []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        compute()
        seconds.append(time.perf_counter() - begun)
    return result, min(seconds)


def main() -> None:
    """Measure and print."""
    print(f"{PHOTOS} photos, {QUESTIONS} questions each, LoRA and projector, {torch.get_num_threads()} threads\n")
    print("| checkpoint | loss packed | loss one by one | questions/s packed | questions/s one by one | ratio |")
    print("|---|---|---|---|---|---|")
    for checkpoint in sys.argv[1:] or shipped_checkpoints():
        model = load(checkpoint).model
        photos, rows = lessons(model)
        with trained_network(model, load_recipe("veilbench").recipe()):
            loss, fast = timed(lambda: packed(model, photos, rows))  # noqa: B023
            other, slow = timed(lambda: one_by_one(model, photos, rows))  # noqa: B023
        asked = sum(len(row) for row in rows)
        rates = f"{asked / fast:.0f} | {asked / slow:.0f} | {slow / fast:.1f}"
        print(f"| {checkpoint} | {loss:.6f} | {other:.6f} | {rates} |", flush=True)
        assert abs(loss - other) < 1e-5, "packing changed the loss"


if __name__ == "__main__":
    main()
