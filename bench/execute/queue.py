"""Which stage comes next: of those that can start, a short one, else the one with the longest chain behind it."""

import heapq
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from bench.plan.estimates import chain_seconds
from bench.stages.base import Stage

SHORT_SECONDS = 10.0
"""Stages that are expected to be over by then do not wait for the long ones: a score is read while training goes on."""


class StageQueue:
    """Stages that are ready, under way, finished and lost. ``first`` names stages that come before all others."""

    def __init__(self, stages: Sequence[Stage], seconds: Mapping[str, float], first: Set[str] = frozenset()) -> None:
        names = {stage.name for stage in stages}
        self._stages = {stage.name: stage for stage in stages}
        # What is not asked for here was there before.
        self._missing = {stage.name: {name for name in stage.depends_on if name in names} for stage in stages}
        self._dependents: defaultdict[str, list[str]] = defaultdict(list)
        for name, missing in self._missing.items():
            for before in missing:
                self._dependents[before].append(name)
        self._unfinished = dict.fromkeys(self._stages)
        self._seconds = {name: seconds[name] for name in self._stages}
        chains = chain_seconds(stages, seconds)
        places = {name: place for place, name in enumerate(self._stages)}
        self._urgency = {
            name: (name not in first, seconds[name] > SHORT_SECONDS, -chains[name], places[name])
            for name in self._stages
        }
        self._ready = [(self._urgency[name], name) for name, missing in self._missing.items() if not missing]
        heapq.heapify(self._ready)
        self.seconds_in_all = math.ceil(sum(self._seconds.values()))
        self._seconds_left = sum(self._seconds.values())

    @property
    def done(self) -> bool:
        """Whether every stage is finished or lost."""
        return not self._unfinished

    @property
    def counted(self) -> str:
        """How many stages are finished, in words."""
        return f"{len(self._stages) - len(self._unfinished)} of {len(self._stages)} stages"

    @property
    def seconds_finished(self) -> int:
        """Expected seconds of finished stages."""
        return self.seconds_in_all if self.done else self.seconds_in_all - math.ceil(self._seconds_left)

    @property
    def has_ready(self) -> bool:
        """Whether a stage can start now."""
        return bool(self._ready)

    def take(self) -> Stage:
        """The most urgent stage of those that can start."""
        return self._stages[heapq.heappop(self._ready)[1]]

    def finish(self, stage: Stage) -> None:
        """Note that a stage's artifact is there: others may start."""
        self._leave(stage.name)
        for name in self._dependents[stage.name]:
            self._missing[name].discard(stage.name)
            if not self._missing[name] and name in self._unfinished:
                heapq.heappush(self._ready, (self._urgency[name], name))

    def lose(self, stage: Stage) -> list[str]:
        """Note that a stage will have no artifact; return the names of all that rest on it, which are lost, too."""
        self._leave(stage.name)
        lost: list[str] = []
        waiting = [stage.name]
        while waiting:
            for name in self._dependents[waiting.pop()]:
                if name in self._unfinished:
                    self._leave(name)
                    lost.append(name)
                    waiting.append(name)
        return lost

    def _leave(self, name: str) -> None:
        del self._unfinished[name]
        self._seconds_left -= self._seconds[name]
