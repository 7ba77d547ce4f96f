"""The example suite against three targets: dp2vl optimised against the first one only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from example_tables import digest, make_rows
from leaderboard_example import RATES, SECONDS, make_record, write_example

from leaderboard.schema import Controls, Record

Key = tuple[str, str, str]
Rates = tuple[float, float, float]

FAMILIES = {"tiny-llava": "llava", "tiny-qwen2-vl": "qwen_vl", "tiny-minigpt-v2": "minigpt_v2"}
# Where the defense met another encoder than its own, it keeps less back; the controls differ from target to target.
TRANSFERRED: dict[str, dict[tuple[str, str], Rates]] = {
    "tiny-llava": {},
    "tiny-qwen2-vl": {
        ("none", "base"): (0.22, 0.22, 0.9),
        ("none", "naive"): (0.84, 0.98, 0.9),
        ("none", "augment"): (0.88, 0.95, 0.89),
        ("dp2vl", "naive"): (0.55, 0.95, 0.88),
        ("dp2vl", "augment"): (0.66, 0.92, 0.88),
    },
    "tiny-minigpt-v2": {
        ("none", "base"): (0.19, 0.19, 0.84),
        ("none", "naive"): (0.68, 0.93, 0.82),
        ("none", "augment"): (0.62, 0.9, 0.83),
        ("noise", "naive"): (0.69, 0.92, 0.82),
        ("noise", "augment"): (0.6, 0.9, 0.83),
        ("dp2vl", "naive"): (0.61, 0.9, 0.8),
        ("dp2vl", "augment"): (0.58, 0.88, 0.81),
    },
}


def digest_of(target: str) -> str:
    """The digest of a target's checkpoint; the first one's is that of the surrogate in the example of one target."""
    return digest("target") if target == "tiny-llava" else digest("target", target)


def make_answers(people: int = 12) -> dict[Key, pd.DataFrame]:
    """Answers of every run by (target, defense, attack)."""
    return {
        (target, *key): make_rows(TRANSFERRED[target].get(key, rates), 100 * number + place, people)
        for number, target in enumerate(FAMILIES)
        for place, (key, rates) in enumerate(RATES.items())
    }


def make_target_records(answers: dict[Key, pd.DataFrame]) -> dict[Key, Record]:
    """The records of all runs, not yet written."""
    return {key: _make_record(key, answers) for key in answers}


def with_spec(record: Record, **changes: Any) -> Record:
    """The record with other values in its specification."""
    return record.model_copy(update={"spec": record.spec.model_copy(update=changes)})


def write_records(records: Mapping[Key, Record], answers: dict[Key, pd.DataFrame], folder: Path) -> Path:
    """Records, answers and costs of the runs on disk."""
    for key, record in records.items():
        seconds = SECONDS.get(key[1])
        costs = {} if seconds is None else {"seconds_per_photo": seconds}
        write_example(record, answers[key], folder, costs)
    return folder


def _make_record(key: Key, answers: dict[Key, pd.DataFrame]) -> Record:
    target, defense, attack = key
    spec = {
        "target": target, "target_digest": digest_of(target), "target_family": FAMILIES[target], "backend": "vllm",
    }  # fmt: skip
    record = make_record(defense, attack, answers[key], **spec)
    base, undefended = digest(target, "none", "base"), digest(target, "none", attack)
    controls = Controls(base=record.controls.base and base, undefended=record.controls.undefended and undefended)
    finetuned = {} if attack == "base" else {"finetune": digest("finetune", *key)}
    return record.model_copy(
        update={
            "suite": "three",
            "run_digest": digest(*key),
            "controls": controls,
            "artifacts": {**record.artifacts, **finetuned},
            "disclosures": ["These are embedded tiny models.", *_best_case(record)],
        }
    )


def _best_case(record: Record) -> list[str]:
    return ["The defense optimised against the attacked encoder itself."] if record.spec.access == "white box" else []
