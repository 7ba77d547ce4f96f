"""Open set: can somebody who does not know whether a person was trained on tell, and then learn who it is?

The score of a photo, the same for trained people and strangers, is the highest minus the second log-likelihood of the
options, averaged over the facts asked on that photo. Strangers are people on whom nothing was trained and who are asked
every fact; without such questions there is nothing to measure.

Detection and identification rate at a false alarm rate: Phillips, Grother and Micheals (Handbook of Face Recognition,
2011, chapter 21): photos of trained people whose score lies above the threshold that the stated share of strangers'
photos pass, and whom the answers identify.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluators.base import VALUE_COLUMNS, Evaluator, Metric, choice_scored, value_frame
from evaluators.registry import evaluators
from scenarios.schema import NAME_SCENARIO

IDENTIFIED = 0.5
"""A photo identifies a person where at least so much of what is asked on it is answered with that person's facts."""

STRANGERS_FOR_ONE_PERCENT = 100
"""Below, no threshold can be found that one stranger in a hundred passes."""

T = TypeVar("T", bound=Hashable)
Values = npt.NDArray[np.float64]


@evaluators.register("open_set")
class OpenSet(Evaluator):
    """One value for each new photo of a trained person, where strangers were asked for facts, too."""

    subject = "answers"
    metrics = (
        Metric("found_at_5", "share", "down", "Photos detected and identified where 5 % of strangers' are detected."),
        Metric("found_at_1", "share", "down", "Photos detected and identified where 1 % of strangers' are detected."),
        Metric("detection_auc", "share", "down", "How often a trained person's photo scores above a stranger's."),
        Metric("misattributed", "share", "none", "Photos that are told another trained person's name or facts."),
    )

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Score photos of trained people against photos of strangers; nothing where strangers have no fact probes."""
        photos, strangers = _scored_photos(rows, "held_out"), _scored_photos(rows, "stranger")
        if photos.empty or strangers.empty:
            return pd.DataFrame(columns=list(VALUE_COLUMNS))
        alarms = np.sort(strangers["score"].to_numpy(dtype=np.float64))
        scores = photos["score"].to_numpy(dtype=np.float64)
        identified = (photos["told"] >= IDENTIFIED).to_numpy()
        found = [_values("found_at_5", photos, (scores > _threshold(alarms, 0.05)) & identified)]
        if strangers["person_id"].nunique() >= STRANGERS_FOR_ONE_PERCENT:
            found.append(_values("found_at_1", photos, (scores > _threshold(alarms, 0.01)) & identified))
        below = np.searchsorted(alarms, scores, side="left") + np.searchsorted(alarms, scores, side="right")
        found.append(_values("detection_auc", photos, below / (2 * len(alarms))))
        found.append(_values("misattributed", photos, _misattributed(rows, photos)))
        return pd.concat(found, ignore_index=True)


def _threshold(alarms: Values, share: float) -> float:
    """The lowest score that at most ``share`` of the strangers' scores (ascending) lie above."""
    return float(alarms[len(alarms) - 1 - int(share * len(alarms) + 1e-9)])


def _scored_photos(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row a photo of that kind of person: person_id, photo, score, told (share of facts chosen rightly)."""
    asked = _facts(rows, kind)
    asked = asked[choice_scored(asked) & asked["option_margin"].notna().to_numpy()]
    places = list(zip(asked["person_id"].tolist(), asked["image_digest"].tolist(), strict=True))
    photos = sorted(set(places))
    number = {photo: place for place, photo in enumerate(photos)}
    of_row = np.array([number[place] for place in places], dtype=np.int64)
    counts = np.bincount(of_row, minlength=len(photos))
    sums = [
        np.bincount(of_row, asked[column].to_numpy(dtype=np.float64), minlength=len(photos))
        for column in ("option_margin", "choice_correct")
    ]
    people, digests = zip(*photos, strict=True) if photos else ((), ())
    texts = {"person_id": people, "photo": digests}
    columns = {name: pd.Series(list(column), dtype=object) for name, column in texts.items()}
    return pd.DataFrame({**columns, "score": sums[0] / counts, "told": sums[1] / counts})


def _facts(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The answers about facts to one kind of question."""
    kinds, scenarios = (rows[column].to_numpy(dtype=object) for column in ("kind", "scenario"))
    return rows[(kinds == kind) & (scenarios != NAME_SCENARIO)]


def _misattributed(rows: pd.DataFrame, photos: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether a photo is given another trained person's name, or mostly the facts of one and not its own person's."""
    held_out = rows[rows["kind"].to_numpy(dtype=object) == "held_out"]
    names = held_out[held_out["scenario"].to_numpy(dtype=object) == NAME_SCENARIO]
    named = zip(*(names[column].tolist() for column in ("person_id", "image_digest", "named_person")), strict=True)
    by_name = {(person, photo) for person, photo, said in named if said not in ("", person)}
    facts = _facts(rows, "held_out")
    by_fact = _given_anothers_facts(facts[choice_scored(facts)])
    places = zip(photos["person_id"].tolist(), photos["photo"].tolist(), strict=True)
    return np.array([place in by_name or by_fact[place] for place in places], dtype=np.bool_)


def _given_anothers_facts(answers: pd.DataFrame) -> Mapping[tuple[str, str], bool]:
    """Person and photo -> whether one other person's facts were told in at least half of the answers, and more of them
    than the own.
    """
    columns = ("person_id", "image_digest", "scenario", "answer", "options", "choice")
    people, digests, scenarios, facts, options, choices = (answers[column].tolist() for column in columns)
    photos: dict[tuple[str, str], int] = {}
    persons: dict[str, int] = {}
    topics: dict[str, int] = {}
    texts: dict[str, int] = {}
    photo = _numbered(zip(people, digests, strict=True), photos)
    person, scenario, fact = _numbered(people, persons), _numbered(scenarios, topics), _numbered(facts, texts)
    said = _numbered((some[choice] for some, choice in zip(options, choices, strict=True)), texts)
    known = np.full((len(persons), len(topics)), -1)
    told = np.full((len(photos), len(topics)), -2)
    known[person, scenario] = fact
    told[photo, scenario] = said
    shares = (told[:, None] == known[None]).sum(axis=2) / (told >= 0).sum(axis=1)[:, None]
    whose = np.zeros(len(told), dtype=np.int64)
    whose[photo] = person
    own = shares[np.arange(len(told)), whose]
    anothers = ((shares >= IDENTIFIED) & (shares > own[:, None])).any(axis=1)
    return dict(zip(photos, anothers.tolist(), strict=True))


def _numbered(cells: Iterable[T], known: dict[T, int]) -> npt.NDArray[np.int64]:
    """The number of each cell; new ones are numbered on and join ``known``."""
    return np.array([known.setdefault(cell, len(known)) for cell in cells], dtype=np.int64)


def _values(metric: str, photos: pd.DataFrame, values: npt.NDArray[np.generic]) -> pd.DataFrame:
    people, digests = photos["person_id"].tolist(), photos["photo"].tolist()
    items = [f"{person}/{photo}" for person, photo in zip(people, digests, strict=True)]
    return value_frame(metric, items, people, [""] * len(items), values)
