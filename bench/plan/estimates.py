"""How long stages will take, from what earlier ones of their kind took."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.core.store import ArtifactStore
from bench.stages.base import Stage


def estimated_seconds(stages: Sequence[Stage], store: ArtifactStore) -> dict[str, float | None]:
    """Stage name -> seconds, scaled by the work there is; None where the store has no earlier stage of the kind."""
    kinds = {stage.kind for stage in stages}
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    for entry in store.entries() if kinds else ():
        costs = store.costs(entry.stage, entry.key) if entry.stage in kinds else {}
        if costs.get("units", 0) > 0 and "seconds" in costs:
            rates[entry.stage].append(costs["seconds"] / costs["units"])
    medians = {kind: statistics.median(known) if known else None for kind, known in rates.items()}
    return {stage.name: None if (rate := medians[stage.kind]) is None else rate * stage.spec.units for stage in stages}


def expected_seconds(stages: Sequence[Stage], store: ArtifactStore) -> dict[str, float]:
    """The same with a rough guess where nothing is known: good enough to put stages in order."""
    estimates = estimated_seconds(stages, store)
    return {stage.name: known if (known := estimates[stage.name]) is not None else stage.guess for stage in stages}


def finish_seconds(stages: Sequence[Stage], seconds: Mapping[str, float], workers: int) -> float:
    """At least how long all of it takes: the longest chain, or the work shared by the workers."""
    if not stages:
        return 0.0
    return max(max(chain_seconds(stages, seconds).values()), sum(seconds.values()) / workers)


def chain_seconds(stages: Sequence[Stage], seconds: Mapping[str, float]) -> dict[str, float]:
    """For each stage, the seconds from its start to the end of the longest chain that waits for it.

    ``stages`` come in an order in which each stands after those it depends on.
    """
    chains: dict[str, float] = {}
    behind: defaultdict[str, float] = defaultdict(float)
    for stage in reversed(stages):
        chains[stage.name] = seconds[stage.name] + behind[stage.name]
        for name in stage.depends_on:
            behind[name] = max(behind[name], chains[stage.name])
    return chains
