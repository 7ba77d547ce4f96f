"""From the lines of a board to what they say: headlines, differences, ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.core.statistics.headlines import AttackedLine, Headline, Reference, difference, headline
from leaderboard.boards.cells import Cell
from leaderboard.boards.differences import Comparison
from leaderboard.boards.gains import People
from leaderboard.boards.lines import BoardLine, Conclusion
from leaderboard.boards.ranks import Comparisons, compare
from leaderboard.figures import NOT_MEASURED, Figure, interval_figure


def concluded(
    lines: Sequence[BoardLine], undefended: BoardLine | None, attacks: Sequence[str], ranked: bool
) -> tuple[list[BoardLine], BoardLine | None]:
    """The defenses with their conclusions, lowest headline first, those without one last; and the undefended line.

    ``attacks`` are all attackers that were asked for; a defense that lacks one, or any of its cohorts and seeds, has no
    headline, as the highest of the others would be no maximum.
    """
    if undefended is None:
        return [replace(line, conclusion=_refused("there is no undefended control")) for line in lines], None
    faults = [_fault(line, undefended, attacks) for line in lines]
    complete = [line for line, fault in zip(lines, faults, strict=True) if not fault]
    people = People.of(run for line in (undefended, *complete) for run in line.runs)
    without = people.line(undefended.cells)
    bootstrap = undefended.first.record.spec.bootstrap
    reference = Reference.of(without, bootstrap.resamples, bootstrap.seed)
    attacked = [people.line(_in_order(line, attacks)) for line in complete]
    compared = compare(attacked, people.line(_in_order(undefended, attacks)), bootstrap.seed) if complete else None
    told = {
        id(line): _conclusion(one, place, attacks, undefended, people, reference, compared, ranked)
        for place, (line, one) in enumerate(zip(complete, attacked, strict=True))
    }
    found = [
        replace(line, conclusion=told[id(line)] if not fault else _refused(fault))
        for line, fault in zip(lines, faults, strict=True)
    ]
    strongest = "" if _unscored(undefended) else undefended.cells[without.strongest].attack
    in_order = sorted(found, key=lambda line: (_last_if_unknown(line.headline.value), line.label))
    return in_order, replace(undefended, conclusion=Conclusion(Figure(None, refusal=NOT_MEASURED), strongest))


def _fault(line: BoardLine, undefended: BoardLine, attacks: Sequence[str]) -> str:
    """Why the line has no headline, whatever the numbers; empty where nothing is missing."""
    own = [f"against {attack}: {reason}" for attack in attacks for reason in line.reasons(attack)]
    if own:
        return "; ".join(own)
    lacking = [f"undefended against {attack}: {reason}" for attack in attacks for reason in undefended.reasons(attack)]
    lacking += [one for attack in attacks for one in _unpaired(line, undefended, attack)]
    if lacking:
        return "; ".join(lacking)
    unscored = [(one, attack) for one in (line, undefended) for attack in _unscored(one)]
    return "; ".join(f"no answer of {one.title} against {attack} could be scored" for one, attack in unscored)


def _unscored(line: BoardLine) -> list[str]:
    """The attackers under whom no answer about a fact could be scored, in any run."""
    return [
        cell.attack for cell in line.cells if not any(gain.answers for run in cell.runs for gain in run.gains.values())
    ]


def _unpaired(line: BoardLine, undefended: BoardLine, attack: str) -> list[str]:
    """Cohorts and seeds that only one of the two was run on: nothing of other people or runs is compared."""
    own, without = (one.cell(attack) for one in (line, undefended))
    if own is None or without is None or own.drawn == without.drawn:
        return []
    apart = sorted(own.drawn ^ without.drawn)
    named = [f"{f'cohort {cohort}, ' if cohort else ''}seed {seed}" for cohort, seed in apart]
    return [f"against {attack}: it was not run on the same cohorts and seeds as undefended ({'; '.join(named)})"]


def _conclusion(
    attacked: AttackedLine,
    place: int,
    attacks: Sequence[str],
    undefended: BoardLine,
    people: People,
    reference: Reference,
    compared: Comparisons | None,
    ranked: bool,
) -> Conclusion:
    assert compared is not None, "a complete line was compared"
    told = headline(attacked, reference)
    change, interval = difference(attacked, reference)
    return Conclusion(
        headline=_figure(told),
        attack=attacks[attacked.strongest],
        bound=told.bound,
        nothing_leaks=told.nothing_leaks,
        remaining=_remaining(attacked, attacks, undefended, people, reference),
        comparison=Comparison(interval_figure(change, interval), compared.p_undefended[place]),
        rank=compared.ranks[place] if ranked and told.value is not None else None,
    )


def _remaining(
    attacked: AttackedLine, attacks: Sequence[str], undefended: BoardLine, people: People, reference: Reference
) -> Mapping[str, Figure]:
    """What is left of each attacker's own gain; it ranks nothing."""
    found = {}
    for place, attack in enumerate(attacks):
        cell = undefended.cell(attack)
        if cell is not None:
            alone = Reference(people.line([cell]), reference.weights)
            one = AttackedLine((attacked.excess[place],), (attacked.leakage[place],))
            found[attack] = _figure(headline(one, alone))
    return found


def _in_order(line: BoardLine, attacks: Sequence[str]) -> list[Cell]:
    cells = [line.cell(attack) for attack in attacks]
    return [cell for cell in cells if cell is not None]


def _figure(told: Headline) -> Figure:
    if told.value is None:
        return Figure(None, refusal=told.refusal)
    return interval_figure(told.value, told.interval)


def _refused(reason: str) -> Conclusion:
    return Conclusion(Figure(None, refusal=reason))


def _last_if_unknown(value: float | None) -> float:
    return float("inf") if value is None else value
