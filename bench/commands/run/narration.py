"""What a run says while it works, in words for somebody who meets it for the first time."""

from collections.abc import Sequence

import pandas as pd

from bench.core.progress import ProgressDisplay, ReportProgress
from bench.core.store import ArtifactStore
from bench.execute.base import ALL_STAGES
from bench.plan.plan import Plan, PlannedRun
from bench.stages.base import Stage
from bench.stages.score import ROWS_FILE, VALUES_FILE
from leaderboard.schema import UNDEFENDED
from scenarios.dataset import Dataset

LEAKAGE, ZERO = "leakage", "zero"
ZERO = "zero"


class Narrator:
    """Tells what is being done, and each leak as soon as it is measured. The executor's watcher."""

    def __init__(self, plan: Plan, store: ArtifactStore, dataset: Dataset, display: ProgressDisplay) -> None:
        self._plan = plan
        self._store = store
        self._dataset = dataset
        self._display = display
        self._scored = {run.stages["score"]: run for run in plan.runs}
        self._words = stage_words(plan)
        self._leak_is_told = False

    @property
    def first(self) -> frozenset[str]:
        """The stages on which the first leak rests: a newcomer should not wait for it longer than must be."""
        run = self._plan.first_leak
        return frozenset() if run is None else frozenset(self._plan.behind(run.stages["score"]))

    def begin(self, missing: Sequence[Stage], seconds: float, workers: int) -> None:
        """Say what is about to be done, and about how long it takes."""
        suite = self._plan.suite
        people = self._dataset.persons("evaluation")
        strangers = self._dataset.persons("stranger")
        labels = ", ".join(label for label in self._plan.protections if label != UNDEFENDED)
        targets = ", ".join(entry.checkpoint for entry in suite.targets)
        cohorts = len(self._plan.cohorts)
        whom = "them" if cohorts == 1 else f"each of their {cohorts} cohorts alone"
        self._display.say(
            f"{len(people)} people share photos with descriptions, and an attacker fine-tunes {targets} on {whom}. "
            f"Then new photos of these people and of {len(strangers)} strangers are shown, and private facts "
            "are asked for."
        )
        self._display.say(f"Defenses: {labels or 'none'}. Attackers: {', '.join(suite.attacks)}.")
        on = "1 worker" if workers == 1 else f"{workers} workers"
        minutes = max(1, round(seconds / 60))
        self._display.say(f"{len(missing)} of {len(self._plan.stages)} steps to compute on {on}, about {minutes} min.")

    def progress(self, name: str) -> ReportProgress:
        """The progress line of a stage, or of the whole."""
        return self._display.task(self._words.get(name, name))

    def finished(self, stage: Stage) -> None:
        """Tell the leak where answers were scored."""
        run = self._scored.get(stage.name)
        folder = self._store.find(stage.kind, stage.key) if run is not None else None
        if run is None or folder is None:
            return
        values = pd.read_parquet(folder / VALUES_FILE)
        leakage, zero = (values.loc[values["metric"] == metric, "value"].mean() for metric in (LEAKAGE, ZERO))
        if pd.isna(leakage):
            return
        rows = pd.read_parquet(folder / ROWS_FILE)
        if run.is_base:
            asked = f", asked about cohort {run.cohort}" if run.cohort else ""
            self._display.say(f"Measured: {run.target}, never fine-tuned{asked}, picks {leakage:.0%} of the facts.")
        elif not self._leak_is_told and run.is_undefended:
            self._leak_is_told = True
            self._display.say(_first_leak(run, leakage, zero, rows, self._dataset))
        else:
            self._display.say(f"Measured: {_trained(run)}, {run.target} picks {leakage:.0%} of the facts.")


def stage_words(plan: Plan) -> dict[str, str]:
    """Name of a stage -> what is done in it."""
    words = {ALL_STAGES: "everything, in expected seconds"}
    for label, stages in plan.protections.items():
        photos = "taking photos as they are" if label == UNDEFENDED else f"protecting photos with {label}"
        words |= {name: f"{photos}{_of_cohort(cohort)}" for cohort, name in stages.items()}
    seeds = len(plan.suite.seeds) > 1
    for run in plan.runs:
        asked = f", about cohort {run.cohort}" if run.is_base and run.cohort else ""
        which = f"{run.target}, {_trained(run)}{asked}{f', seed {run.seed}' if seeds and not run.is_base else ''}"
        if "quality" in run.stages:
            compared = f"comparing photos{_of_cohort(run.cohort)} before and after {run.label}"
            words[run.stages["quality"]] = compared
        told = {"finetune": "fine-tuning", "answer": "asking", "score": "scoring", "record": "measuring"}
        words |= {run.stages[what]: f"{doing} {which}" for what, doing in told.items() if what in run.stages}
    return words


def _trained(run: PlannedRun) -> str:
    """What a model was fine-tuned on, and by whom."""
    if run.is_base:
        return "never fine-tuned"
    done = "as they are" if run.is_undefended else f"protected with {run.label}"
    share = "" if run.ratio == 1 or run.is_undefended else f" ({run.ratio:.0%} of them)"
    return f"fine-tuned on photos{_of_cohort(run.cohort)} {done}{share} by attacker {run.attack}"


def _of_cohort(cohort: str) -> str:
    return f" of cohort {cohort}" if cohort else ""


def _first_leak(run: PlannedRun, leakage: float, zero: float, rows: pd.DataFrame, dataset: Dataset) -> str:
    facts = rows[(rows["kind"] == "held_out") & (rows["options"].map(len) > 0)]
    told = (
        f"THE FIRST LEAK: {_trained(run)}, {run.target} picks {leakage:.0%} of the private facts "
        f"from new photos (dealt to people by chance: {zero:.0%})."
    )
    real = set(dataset.pairs.loc[dataset.pairs["source"] == "real", "person_id"])
    right = facts[facts["choice_correct"].astype(bool) & ~facts["person_id"].isin(real)]
    if right.empty:  # nothing leaked, or only facts of real people, which are nobody's example
        return told
    example = right.iloc[0]
    names = {person.person_id: person.name for person in dataset.persons()}
    return (
        f"{told}\n    For example: shown a new photo of {names[example['person_id']]}, alone, "
        f'it was asked "{example["question"]}" and chose "{example["answer"]}" of '
        f"{len(example['options'])}: right."
    )
