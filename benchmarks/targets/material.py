"""What the benchmarks of targets ask and train on, and how they print: the shipped dataset, Markdown tables."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from bench.targets.base import TrainingExample

DATASET = "veilbench-mini"


def held_out_probes() -> "pd.DataFrame":
    """Held-out probes as targets are asked them: request_id, image, question, options; eight behind each photo."""
    from bench.stages.questions import build_requests, unique_questions
    from scenarios.dataset import load_dataset

    requests = build_requests(load_dataset(DATASET), None)
    return unique_questions(requests[requests["kind"] == "held_out"])


def training_photos() -> "tuple[TrainingExample, ...]":
    """Every training photo with all that the attacker may train on with it."""
    from bench.stages.finetune import training_examples
    from scenarios.dataset import load_dataset

    dataset = load_dataset(DATASET)
    photos = zip(dataset.pairs["pair_id"], dataset.pairs["image"], strict=True)
    return training_examples(dataset, {pair_id: (image,) for pair_id, image in photos})


def same_answers(answers: "pd.DataFrame", expected: "pd.DataFrame") -> int:
    """How many answers have both the text and the chosen option of ``expected``."""
    columns = ["text", "choice"]
    return int((answers[columns].to_numpy() == expected[columns].to_numpy()).all(axis=1).sum())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table, each row as soon as it is there."""
    for cells in (columns, ["---"] * len(columns), *rows):
        print(f"| {' | '.join(cells)} |", flush=True)
