"""Plausible records whose numbers are those of their tables: controls and three defenses under two attackers."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from example_tables import digest, make_people, make_photos
from PIL import Image, ImageDraw

from evaluators.registry import evaluators
from leaderboard.evidence.scorer import scorer_digest
from leaderboard.measuring import run_metrics
from leaderboard.pictures import Picture
from leaderboard.records import write_record
from leaderboard.schema import Controls, Invocation, Record, RunSpec

# (defense, attack) -> chance of a right answer on new photos, on protected training photos, about visible things
RATES = {
    ("none", "base"): (0.20, 0.20, 0.88),
    ("none", "naive"): (0.79, 0.97, 0.87),
    ("none", "augment"): (0.75, 0.93, 0.86),
    ("noise", "naive"): (0.78, 0.96, 0.87),
    ("noise", "augment"): (0.74, 0.92, 0.86),
    ("blur", "naive"): (0.43, 0.91, 0.85),
    ("blur", "augment"): (0.47, 0.88, 0.85),
    ("dp2vl", "naive"): (0.22, 0.95, 0.86),
    ("dp2vl", "augment"): (0.30, 0.90, 0.85),
}
SECONDS = {"noise": 0.0021, "blur": 0.0088, "dp2vl": 1.42}
DISCLOSURES = [
    "Measured on a small embedded model (tiny-llava, 4 million parameters) and rendered, fictitious people: these are "
    "not figures of LLaVA-1.5-7B.",
    "DP²-VL is reimplemented from the public abstract; its loss, steps and step size are our choices.",
    "One training seed: a quick look, not a record to cite.",
]


def make_record(defense: str, attack: str, rows: pd.DataFrame, **changes: Any) -> Record:
    """The record of one run with these answers; ``changes`` replace fields of its spec."""
    base, undefended = digest("none", "base"), digest("none", attack)
    is_base, is_undefended = attack == "base", defense == "none"
    recipe: dict[str, Any] = {"epochs": 30, "learning_rate": 0.002, "lora_rank": 16, "augmentation": None}
    plain = {
        "dataset": "veilbench-mini",
        "dataset_digest": digest("dataset"),
        "limit": None,
        "defense": defense,
        "defense_options": {"steps": 60, "transformations": True} if defense == "dp2vl" else {},
        "defense_seed": 0,
        "surrogates": [{"checkpoint": "tiny-llava", "digest": digest("target")}] if defense == "dp2vl" else [],
        "budget_norm": "linf",
        "budget_eps": 0 if defense == "none" else 8,
        "visible": defense == "blur",
        "ratio": 1.0,
        "attack": attack,
        "target": "tiny-llava",
        "target_digest": digest("target"),
        "recipe": {} if is_base else recipe,
        "seed": 0,
        "bootstrap": {"resamples": 200, "seed": 0},
    }
    spec = RunSpec.model_validate({**plain, **changes})
    names = evaluators.built_in()
    return Record(
        run_digest=digest(defense, attack),
        suite="quick",
        invocation=Invocation(suite="quick"),
        spec=spec,
        controls=Controls(base=None if is_base else base, undefended=None if is_base or is_undefended else undefended),
        environment={
            "python": "3.11.9", "torch": "2.9.1", "transformers": "5.1.0", "device": "cpu", "git": None,
            "dtype": "float32",
        },
        metrics=run_metrics(rows, photos_of(spec), names, spec.attack, spec.seed),
        evaluators=names,
        scorer=scorer_digest(names),
        artifacts={"protect": digest("protect", defense), "finetune": digest("finetune", defense, attack)},
        disclosures=DISCLOSURES,
    )  # fmt: skip


def photos_of(spec: RunSpec) -> pd.DataFrame | None:
    """The protected photos of a run; None for the base control."""
    return None if "base" in (spec.attack, spec.defense) else make_photos(spec.defense, spec.cohort)


def write_example(
    record: Record,
    rows: pd.DataFrame,
    folder: Path,
    costs: Mapping[str, Any] | None = None,
    cohorts: tuple[str, ...] = ("",),
) -> Path:
    """Write a record with its tables; its metrics are made anew, so that it is honest whatever was changed in it.

    ``cohorts`` are those of the whole dataset.
    """
    photos, spec = photos_of(record.spec), record.spec
    metrics = run_metrics(rows, photos, record.evaluators, spec.attack, spec.seed)
    honest = record.model_copy(update={"metrics": metrics})
    return write_record(honest, rows, make_people(cohorts), photos, costs or {}, folder)


def png(pixels: np.ndarray) -> bytes:
    """Pixels as an encoded photo."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def portrait() -> np.ndarray:
    """A drawn face, 224 pixels a side."""
    image = Image.new("RGB", (224, 224), (173, 196, 206))
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((0, 150, 224, 224), fill=(120, 138, 116))
    drawing.ellipse((40, 150, 184, 300), fill=(58, 84, 122))
    drawing.ellipse((70, 45, 154, 165), fill=(214, 170, 140))
    drawing.pieslice((62, 34, 162, 140), 180, 360, fill=(70, 45, 30))
    for left in (90, 122):
        drawing.ellipse((left, 92, left + 12, 104), fill=(40, 30, 30))
    drawing.arc((95, 112, 130, 142), 20, 160, fill=(150, 70, 70), width=3)
    return np.asarray(image)


def draw_pictures() -> list[Picture]:
    """The drawn face before and after each defense."""
    draw = np.random.default_rng(7)
    original = portrait()
    smooth = Image.fromarray(draw.integers(0, 256, (28, 28, 3), dtype=np.uint8)).resize((224, 224))
    changes = {
        "noise": draw.integers(-8, 9, original.shape),
        "dp2vl": np.sign(np.asarray(smooth).astype(int) - 128) * 8,
    }
    shown = [
        Picture(name, png(original), png(np.clip(original + change, 0, 255).astype(np.uint8)))
        for name, change in changes.items()
    ]
    small = Image.fromarray(original[45:165, 62:162]).resize((8, 8)).resize((100, 120))
    blurred = original.copy()
    blurred[45:165, 62:162] = np.asarray(small)
    return [*shown, Picture("blur", png(original), png(blurred))]
