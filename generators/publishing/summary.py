"""Figures about a dataset: how many of what, how it is spread, where it comes from, and what guessing reaches."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from statistics import median
from typing import Any

import pandas as pd

from bench.core.errors import DataError
from generators.publishing.photos import DatasetPhoto, dataset_photos
from scenarios.dataset import ROLES, Dataset
from scenarios.pairs import Provenance
from scenarios.people import APPEARANCE
from scenarios.photo_files import describe_file
from scenarios.probes import KINDS
from scenarios.schema import NAME_SCENARIO, load_scenarios

NOT_STATED = "not stated"
_SIZES_NAMED = 6


@dataclass(frozen=True)
class ScenarioFigures:
    """One scenario: pairs and their people, and how many evaluation people each answer is right for.

    ``answers`` holds the scenario's own options; ``other_people`` have one of ``other_answers`` different answers
    outside of them. ``majority`` is the share of held-out questions that the commonest answer gets right, ``chance``
    what a blind choice among the options does; both None where nothing is asked.
    """

    id: str
    title: str
    pairs: int
    people: int
    answers: dict[str, int]
    other_people: int
    other_answers: int
    questions: int
    majority: float | None
    chance: float | None


@dataclass(frozen=True)
class KindFigures:
    """One kind of probe: questions, the photos they are asked on, their people, and how many have options."""

    kind: str
    questions: int
    photos: int
    people: int
    with_options: int


@dataclass(frozen=True)
class Spread:
    """Least, middle and most of something that is counted a person."""

    least: int
    middle: float
    most: int


@dataclass(frozen=True)
class Origin:
    """Photos of one provenance, and how many people they show."""

    provenance: Provenance
    photos: int
    people: int


@dataclass(frozen=True)
class Summary:
    """Everything that a card says in numbers. Mappings are ordered for reading; ``people`` counts by role.

    ``cohorts`` counts evaluation people by cohort, all under the empty one for a dataset without. ``appearance`` is
    attribute -> value -> role -> people, with "not stated" last. ``training_photos`` and ``asked_photos`` are a
    person's photos that are trained on, and that are only asked about; the latter by role.
    """

    people: dict[str, int]
    cohorts: dict[str, int]
    pairs: int
    probes: int
    photos: int
    photo_bytes: int
    scenarios: tuple[ScenarioFigures, ...]
    kinds: tuple[KindFigures, ...]
    appearance: dict[str, dict[str, dict[str, int]]]
    training_photos: Spread | None
    asked_photos: dict[str, Spread]
    sizes: dict[str, int]
    origins: tuple[Origin, ...]
    shows_unstated: int
    without_face_box: int
    majority: float | None
    chance: float | None

    @property
    def sources(self) -> dict[str, int]:
        """Photos by source: rendered, real or synthesized; the commonest first."""
        return self._by("source")

    @property
    def licences(self) -> dict[str, int]:
        """Photos by licence, the commonest first."""
        return self._by("licence")

    @property
    def consents(self) -> dict[str, int]:
        """Photos by statement of consent, the commonest first."""
        return self._by("consent")

    @property
    def generators(self) -> dict[str, int]:
        """Photos by what made them, the commonest first."""
        return self._by("generator")

    def _by(self, field: str) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for origin in self.origins:
            counts[getattr(origin.provenance, field)] += origin.photos
        return _commonest_first(counts)


def summarise(dataset: Dataset) -> Summary:
    """The figures of a dataset. Raises ``DataError`` naming the pair or probe whose photo cannot be opened."""
    photos = dataset_photos(dataset)
    roles = dict(zip(dataset.people["person_id"], dataset.people["role"], strict=True))
    facts = _facts_questions(dataset.probes)
    distinct = {photo.digest: photo for photo in reversed(photos)}
    return Summary(
        people={role: sum(other == role for other in roles.values()) for role in ROLES},
        cohorts=dict(sorted(Counter(person.cohort for person in dataset.persons("evaluation")).items())),
        pairs=len(dataset.pairs),
        probes=len(dataset.probes),
        photos=len(distinct),
        photo_bytes=sum(len(photo.image) for photo in distinct.values()),
        scenarios=_scenario_figures(dataset, facts),
        kinds=_kind_figures(dataset.probes),
        appearance=_appearance(dataset.people),
        training_photos=_spread(photos, [person for person in roles if roles[person] == "evaluation"], trained=True),
        asked_photos=_asked_photos(photos, roles),
        sizes=_sizes(list(distinct.values())),
        origins=_origins(photos),
        shows_unstated=sum(photo.shows is None for photo in photos),
        without_face_box=sum(photo.pair is not None and photo.pair["face_box"] is None for photo in photos),
        majority=_majority(facts),
        chance=_chance(facts),
    )


def _facts_questions(probes: pd.DataFrame) -> pd.DataFrame:
    """The held-out questions for private facts: what leakage is measured on."""
    return probes[(probes["kind"] == "held_out") & (probes["scenario"] != NAME_SCENARIO)]


def _scenario_figures(dataset: Dataset, facts: pd.DataFrame) -> tuple[ScenarioFigures, ...]:
    told = [json.loads(row) for row in dataset.people.loc[dataset.people["role"] == "evaluation", "facts"].tolist()]
    figures = []
    for name, scenario in load_scenarios().items():
        pairs = dataset.pairs[dataset.pairs["scenario"] == name]
        asked = facts[facts["scenario"] == name]
        counts = Counter(person[name] for person in told if name in person)
        others = {answer: count for answer, count in counts.items() if answer not in scenario.answers}
        figures.append(
            ScenarioFigures(
                id=name,
                title=scenario.title,
                pairs=len(pairs),
                people=pairs["person_id"].nunique(),
                answers={answer: counts[answer] for answer in scenario.answers},
                other_people=sum(others.values()),
                other_answers=len(others),
                questions=len(asked),
                majority=_majority(asked),
                chance=_chance(asked),
            )
        )
    return tuple(figures)


def _majority(questions: pd.DataFrame) -> float | None:
    """Share of right answers of who gives each scenario's commonest answer, whoever is in the photo."""
    if questions.empty:
        return None
    commonest = questions.groupby("scenario")["answer"].agg(lambda answers: answers.value_counts().iloc[0])
    return float(commonest.sum()) / len(questions)


def _chance(questions: pd.DataFrame) -> float | None:
    """Expected share of right answers of a blind choice; a question without options is never guessed."""
    if questions.empty:
        return None
    return fsum(1 / len(options) if len(options) else 0.0 for options in questions["options"]) / len(questions)


def _kind_figures(probes: pd.DataFrame) -> tuple[KindFigures, ...]:
    figures = []
    for kind in KINDS:
        asked = probes[probes["kind"] == kind]
        with_options = sum(len(options) > 0 for options in asked["options"])
        figures.append(
            KindFigures(kind, len(asked), asked["image"].nunique(), asked["person_id"].nunique(), with_options)
        )
    return tuple(figure for figure in figures if figure.questions)


def _appearance(people: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    looks = [(role, json.loads(stated)) for role, stated in zip(people["role"], people["appearance"], strict=True)]
    names = dict.fromkeys((*APPEARANCE, *sorted({name for _, stated in looks for name in stated})))
    spread = {}
    for name in names:
        counts = Counter((str(stated.get(name, NOT_STATED)), str(role)) for role, stated in looks)
        values = sorted({value for value, _ in counts}, key=lambda value: (value == NOT_STATED, value))
        spread[name] = {value: {role: counts[value, role] for role in ROLES} for value in values}
    return spread


def _spread(photos: Sequence[DatasetPhoto], people: Sequence[str], trained: bool) -> Spread | None:
    counts = Counter(photo.person_id for photo in photos if (photo.pair is not None) == trained)
    each = [counts[person] for person in people]
    return Spread(min(each), median(each), max(each)) if each else None


def _asked_photos(photos: Sequence[DatasetPhoto], roles: dict[str, str]) -> dict[str, Spread]:
    spreads = {
        role: _spread(photos, [person for person in roles if roles[person] == role], trained=False) for role in ROLES
    }
    return {role: spread for role, spread in spreads.items() if spread is not None}


def _sizes(photos: Sequence[DatasetPhoto]) -> dict[str, int]:
    """Photos by "width × height format", the commonest first; rarer sizes are counted together."""
    counts: Counter[str] = Counter()
    for photo in photos:
        try:
            file = describe_file(photo.image)
        # A damaged file makes PIL raise nearly anything, SyntaxError and struct.error included.
        except Exception as error:
            raise DataError(f"'{photo.row_id}': the photo cannot be opened: {error}; replace it.") from error
        width, height = file.size
        counts[f"{width} × {height} {file.form}"] += 1
    ordered = list(_commonest_first(counts).items())
    rest = ordered[_SIZES_NAMED:]
    named = dict(ordered[:_SIZES_NAMED])
    return named | ({f"{len(rest)} other sizes": sum(count for _, count in rest)} if rest else {})


def _origins(photos: Sequence[DatasetPhoto]) -> tuple[Origin, ...]:
    counts: Counter[Provenance] = Counter()
    people: dict[Provenance, set[str]] = {}
    for photo in photos:
        counts[photo.provenance] += 1
        people.setdefault(photo.provenance, set()).add(photo.person_id)
    return tuple(Origin(provenance, count, len(people[provenance])) for provenance, count in counts.most_common())


def _commonest_first(counts: "Counter[Any]") -> dict[Any, int]:
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], str(entry[0]))))
