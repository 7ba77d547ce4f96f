"""What a suite's boards conclude, as plain JSON values: no record holds these, they rest on all records together."""

from collections.abc import Sequence
from typing import Any

from leaderboard.boards.board import Board
from leaderboard.boards.lines import BoardLine
from leaderboard.figures import Figure


def described_headlines(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """One object a defense and board, in the order of the page.

    ``headline`` is the highest excess over ``attackers`` by the highest undefended one, ``leakage`` what the strongest
    of them (``attack``) reaches, ``upper_bound`` the one-sided 95 % bound of the headline. Null is a number that was
    refused; ``refusal`` says why. ``rank`` is null on boards that are not ranked, for the reason in ``unranked``.
    """
    return [_described(board, line) for board in boards for line in board.defenses]


def _described(board: Board, line: BoardLine) -> dict[str, Any]:
    setting, told = board.setting, line.conclusion
    leakage = line.strongest.figure("leakage") if line.strongest else Figure(None)
    comparison = told.comparison
    return {
        "dataset": setting.dataset,
        "target": setting.target,
        "target_digest": setting.target_digest,
        "backend": setting.backend,
        "ratio": setting.ratio,
        "defense": line.defense,
        "label": line.label,
        "access": line.access,
        "attackers": list(board.attacks),
        "attackers_in_words": board.attackers,
        "attack": told.attack or None,
        "leakage": leakage.value,
        "leakage_ci95": _ends(leakage),
        "headline": told.headline.value,
        "headline_ci95": _ends(told.headline),
        "upper_bound": told.bound,
        "nothing_leaks": told.nothing_leaks,
        "refusal": told.headline.refusal,
        "difference": comparison.difference.value if comparison else None,
        "difference_ci95": _ends(comparison.difference) if comparison else None,
        "p_value": comparison.p_value if comparison else None,
        "remaining": {attack: figure.value for attack, figure in told.remaining.items()},
        "rank": list(told.rank) if told.rank else None,
        "unranked": board.unranked_because or None,
    }


def _ends(figure: Figure) -> list[float] | None:
    return None if figure.low is None or figure.high is None else [figure.low, figure.high]
