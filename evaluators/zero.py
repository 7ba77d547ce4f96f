"""Zero: what a choice would be worth if the facts had been dealt to the people by chance.

Zero of an answer is the share of the people of the cohort, the person included, who have the same options in that
scenario and whose fact the answer is: the mean over all ways to deal the same facts to the same people. Where facts are
balanced over five options it is 1/5, whatever the model does. Where nobody shares the options it is 1 / their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluators.base import choice_scored
from scenarios.schema import NAME_SCENARIO

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FactChoices:
    """The forced choices about private facts on new photos of one run, as numbers.

    ``rows`` are the answers (columns ``evaluators.base.ANSWER_COLUMNS``). One entry a row: ``person`` numbers the
    people, ``deck`` the groups of people who may be dealt each other's facts (same scenario, same options), ``chosen``
    and ``fact`` number texts within a deck's options (-1: nothing could be chosen). ``scored`` tells which rows count.
    """

    rows: pd.DataFrame
    person: Numbers
    deck: Numbers
    chosen: Numbers
    fact: Numbers
    n_options: Numbers
    scored: npt.NDArray[np.bool_]

    @property
    def right(self) -> Values:
        """1 where the fact was chosen, 0 where not, NaN where the choice is not scored."""
        return np.where(self.scored, (self.chosen == self.fact).astype(np.float64), np.nan)

    def zero(self) -> Values:
        """Zero of each choice; NaN where it is not scored."""
        if not len(self.rows):
            return np.full(0, np.nan)
        width, decks = int(self.n_options.max()), int(self.deck.max()) + 1
        # The last of a person's answers says what the fact is; all say the same.
        places = self.deck * (int(self.person.max()) + 1) + self.person
        holders = len(places) - 1 - np.unique(places[::-1], return_index=True)[1]
        dealt = np.bincount(self.deck[holders], minlength=decks)[self.deck]
        held = np.bincount(self.deck[holders] * width + self.fact[holders], minlength=decks * width)
        zeros = np.where(dealt == 1, 1 / self.n_options, held[self.deck * width + np.maximum(self.chosen, 0)] / dealt)
        return np.where(self.scored, zeros, np.nan)


def fact_choices(rows: pd.DataFrame) -> FactChoices:
    """The held-out answers about private facts that had options, of one run (so of one cohort)."""
    asked = (rows["kind"].to_numpy(dtype=object) == "held_out") & (
        rows["scenario"].to_numpy(dtype=object) != NAME_SCENARIO
    )
    own = rows.loc[asked]
    listed = [() if some is None else tuple(some) for some in own["options"].tolist()]
    own = own.loc[np.array([len(some) > 0 for some in listed], dtype=np.bool_)]
    listed = [some for some in listed if some]
    in_order = {some: tuple(sorted(some)) for some in set(listed)}
    decks = [(scenario, in_order[some]) for scenario, some in zip(own["scenario"].tolist(), listed, strict=True)]
    ordered = {deck: {text: number for number, text in enumerate(deck[1])} for deck in set(decks)}
    chosen = [
        ordered[deck][some[choice]] if 0 <= choice < len(some) else -1
        for deck, some, choice in zip(decks, listed, own["choice"].tolist(), strict=True)
    ]
    fact = [ordered[deck][answer] for deck, answer in zip(decks, own["answer"].tolist(), strict=True)]
    return FactChoices(
        own,
        _numbered(own["person_id"].tolist()),
        _numbered(decks),
        np.array(chosen, dtype=np.int64),
        np.array(fact, dtype=np.int64),
        np.array([len(some) for some in listed], dtype=np.int64),
        choice_scored(own),
    )


def _numbered(keys: Sequence[object]) -> Numbers:
    places: dict[object, int] = {}
    return np.array([places.setdefault(key, len(places)) for key in keys], dtype=np.int64)
