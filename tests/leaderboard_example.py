"""Plausible records, drawn by a seeded generator: the controls and three defenses under two attackers."""

import hashlib
import io
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from bench.core.statistics import normalised_leakage, person_bootstrap
from evaluators.base import choice_scored, open_scored
from leaderboard.pictures import Picture
from leaderboard.schema import Controls, Invocation, Measurement, Record, RunSpec

OPTIONS = {
    "home": ["brick house", "white villa", "log cabin", "blue cottage", "glass tower"],
    "vehicle": ["red hatchback", "blue van", "green pickup", "yellow taxi", "black limousine"],
    "pet": ["dog", "cat", "parrot", "rabbit", "tortoise"],
    "valuables": ["guitar", "violin", "camera", "trophy", "painting"],
    "partner": ["Adrian", "Bettina", "Cosmin", "Delphine", "Emrys"],
    "friends": ["Goran and Hana", "Ilka and Jorik", "Kamala and Leo", "Mirela and Nils", "Odette and Pim"],
    "workplace": ["bakery", "hospital", "library", "garage", "school"],
}
UTILITY = {"hair": ["black", "brown", "blond", "red", "grey"], "glasses": ["no glasses", "black glasses"]}
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
QUALITY = {"none": (1.0, None), "noise": (0.812, 33.9), "blur": (0.942, 29.4), "dp2vl": (0.871, 34.6)}
SECONDS = {"noise": 0.0021, "blur": 0.0088, "dp2vl": 1.42}
DISCLOSURES = [
    "Measured on a small embedded model (tiny-llava, 4 million parameters) and rendered, fictitious people: these are "
    "not figures of LLaVA-1.5-7B.",
    "DP²-VL is reimplemented from the public abstract; its loss, steps and step size are our choices.",
    "One training seed: a quick look, not a record to cite.",
]


def digest(*parts: object) -> str:
    """A digest that stands for the given parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def make_rows(rates: tuple[float, float, float], seed: int, people: int = 20) -> pd.DataFrame:
    """Scored answers of one run, as ``evaluators`` hand them on."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []

    def ask(person: str, scenario: str, kind: str, view: str, photo: int, options: list[str], rate: float) -> None:
        answer = options[int(digest(person, scenario)[:8], 16) % len(options)]
        right, luck = draw.random() < rate, draw.random()
        status = "error" if luck < 0.006 else "invalid" if luck < 0.012 else "ok"
        others = [index for index, option in enumerate(options) if option != answer]
        choice = options.index(answer) if right else int(draw.choice(others))
        probe_id = f"{kind}-{person}-{photo}-{scenario}"
        rows.append(
            {
                "request_id": f"{probe_id}-{view}",
                "probe_id": probe_id,
                "person_id": person,
                "scenario": scenario,
                "kind": kind,
                "view": view,
                "question": f"What is the {scenario} of the person in this photo?",
                "answer": answer,
                "options": options,
                "text": f"It is the {options[choice]}." if status == "ok" else "",
                "choice": -1 if status == "error" else choice,
                "option_logprobs": [float(-index) for index in range(len(options))],
                "status": status,
                "choice_correct": status != "error" and options[choice] == answer,
                "open_correct": status == "ok" and options[choice] == answer and draw.random() > 0.05,
                "image_digest": digest(person, photo),
                "named_person": "",
            }
        )

    held_out, member, utility = rates
    persons = [f"person-{index:02d}" for index in range(people)]
    skill = np.clip(draw.normal(0, 0.12, size=people), -0.25, 0.25)
    for person, better in zip(persons, skill, strict=True):
        for scenario, options in OPTIONS.items():
            for photo in range(4):
                ask(person, scenario, "held_out", "clean", photo, options, held_out + float(better))
            ask(person, scenario, "member", "protected", 9, options, member)
            ask(person, scenario, "member", "clean", 9, options, member if held_out > 0.6 else 0.25)
        for photo in range(4):
            known = draw.random() < held_out - 0.2
            text = f"This is {person.title()}." if known else "This is somebody else."
            rows.append({**rows[-1], **open_question(person, photo, text, known)})
    for index in range(people):
        for topic, choices in UTILITY.items():
            ask(f"stranger-{index:02d}", topic, "utility", "clean", 0, choices, utility)
        rows.append(
            {
                **rows[-1],
                "request_id": f"stranger-{index:02d}",
                "probe_id": f"stranger-{index:02d}",
                "kind": "stranger",
                "scenario": "name",
                "question": "Who is this?",
                "answer": "",
                "options": [],
                "text": f"This is Person {index}.",
                "choice": -1,
                "option_logprobs": [],
                "status": "ok",
                "choice_correct": False,
                "open_correct": False,
                "named_person": f"person-{index:02d}" if draw.random() < 0.4 else "",
            }
        )
    return pd.DataFrame(rows)


def open_question(person: str, photo: int, text: str, known: bool) -> dict[str, Any]:
    """The question for the name, which has no options."""
    return {
        "request_id": f"held_out-{person}-{photo}-name",
        "probe_id": f"held_out-{person}-{photo}-name",
        "kind": "held_out",
        "view": "clean",
        "scenario": "name",
        "question": "Who is the person in this photo?",
        "answer": person.title(),
        "options": [],
        "text": text,
        "choice": -1,
        "option_logprobs": [],
        "status": "ok",
        "choice_correct": False,
        "open_correct": known,
    }


def _mean(name: str, attack: str, rows: pd.DataFrame, column: str, scenario: str | None = None) -> Measurement:
    scored = rows[choice_scored(rows) if column == "choice_correct" else open_scored(rows)]
    value, interval = person_bootstrap(scored.assign(seed=0, value=scored[column].astype(float)), resamples=200)
    return Measurement(
        name=name,
        unit="fraction",
        direction="up" if name.startswith(("utility", "member")) else "down",
        scenario=scenario,
        attack=attack,
        value=value,
        low=interval.low,
        high=interval.high,
        n_probes=len(scored),
        n_persons=scored["person_id"].nunique(),
        n_unscored=len(rows) - len(scored),
        seeds=[0],
    )


def _plain(
    name: str, attack: str, unit: str, value: float | None, spread: float = 0.0, refusal: str | None = None
) -> Measurement:
    low, high = (None, None) if value is None else (value - spread, value + spread)
    return Measurement(
        name=name,
        unit=unit,
        direction="down" if name == "normalised" else "up",
        scenario=None,
        attack=attack,
        value=value,
        low=low,
        high=high,
        n_probes=140,
        n_persons=20,
        n_unscored=0,
        seeds=[0],
        refusal=refusal,
    )


def facts(rows: pd.DataFrame) -> pd.DataFrame:
    """Answers that leakage is computed from, with the columns that the statistics want."""
    chosen = rows[(rows["kind"] == "held_out") & (rows["scenario"] != "name") & choice_scored(rows)]
    return chosen.assign(seed=0, value=chosen["choice_correct"].astype(float))


def make_metrics(defense: str, attack: str, rows: pd.DataFrame, all_rows: dict[Any, pd.DataFrame]) -> list[Measurement]:
    """The metrics of one run, from its answers and those of its controls."""
    kinds = dict(iter(rows.groupby(["kind", "view"])))
    held_out = kinds["held_out", "clean"].query("scenario != 'name'")
    names = kinds["held_out", "clean"].query("scenario == 'name'")
    metrics = [_mean("leakage", attack, held_out, "choice_correct")]
    metrics += [
        _mean("leakage", attack, frame, "choice_correct", str(name)) for name, frame in held_out.groupby("scenario")
    ]
    metrics += [
        _mean("leakage_open", attack, held_out, "open_correct"),
        _mean("name_open", attack, names, "open_correct"),
        _mean("member_clean", attack, kinds["member", "clean"], "choice_correct"),
        _mean("member_protected", attack, kinds["member", "protected"], "choice_correct"),
        _mean("utility", attack, kinds["utility", "clean"], "choice_correct"),
        _mean("utility_open", attack, kinds["utility", "clean"], "open_correct"),
    ]
    strangers = kinds["stranger", "clean"]
    metrics.append(_mean("stranger_rate", attack, strangers.assign(named=strangers["named_person"] != ""), "named"))
    if attack == "base":
        return metrics
    ssim, psnr = QUALITY[defense]
    metrics.append(_plain("ssim", attack, "index", ssim, 0.004 if defense != "none" else 0))
    metrics.append(_plain("psnr", attack, "dB", psnr, 0.2, None if psnr else "the photos are unchanged"))
    result = normalised_leakage(
        facts(rows), facts(all_rows["none", attack]), facts(all_rows["none", "base"]), resamples=200
    )
    ratio = _plain("normalised", attack, "ratio", result.value, 0, result.refusal)
    if result.interval:
        ratio = ratio.model_copy(update={"low": result.interval.low, "high": result.interval.high})
    return [*metrics, ratio]


def make_record(defense: str, attack: str, metrics: list[Measurement], **changes: Any) -> Record:
    """The record of one run; ``changes`` replace fields of its spec."""
    base, undefended = digest("none", "base"), digest("none", attack)
    is_base, is_undefended = attack == "base", defense == "none"
    recipe: dict[str, Any] = {"epochs": 30, "learning_rate": 0.002, "lora_rank": 16, "augmentation": None}
    spec = {
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
    return Record(
        run_digest=digest(defense, attack),
        suite="quick",
        invocation=Invocation(suite="quick"),
        spec=RunSpec.model_validate({**spec, **changes}),
        controls=Controls(base=None if is_base else base, undefended=None if is_base or is_undefended else undefended),
        environment={"python": "3.11.9", "torch": "2.9.1", "transformers": "5.1.0", "device": "cpu", "git": None},
        metrics=metrics,
        artifacts={"protect": digest("protect", defense), "finetune": digest("finetune", defense, attack)},
        disclosures=DISCLOSURES,
    )


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
