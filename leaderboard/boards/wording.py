"""How a line of a board is put in words: what the defense is made of, what it is called, which ranks it may hold."""

from leaderboard.schema import RunSpec


def defense_name(title: str, defense: str) -> str:
    """A defense in running text; its registered name stands in brackets where the suite calls it otherwise."""
    return title if title == defense else f"{title} ({defense})"


def options_text(spec: RunSpec) -> str:
    """The defense's options and budget in one line."""
    budget = "held to no budget" if spec.visible else budget_text(spec)
    options = [f"{key} {_brief(value)}" for key, value in sorted(spec.defense_options.items())]
    surrogates = ", ".join(one.checkpoint for one in spec.surrogates)
    return " · ".join([budget, *options, *([f"optimised against {surrogates}"] if surrogates else [])])


def budget_text(spec: RunSpec) -> str:
    """How far the defense may move a pixel."""
    norm = {"linf": "L∞", "l2": "L2"}.get(spec.budget_norm, spec.budget_norm)
    return f"{norm} {spec.budget_eps:g}/255"


def attackers_text(attackers: int, adaptive: int) -> str:
    """Among which attackers a maximum was looked for: "2 attackers, none adaptive"."""
    counted = "1 attacker" if attackers == 1 else f"{attackers} attackers"
    return f"{counted}, {adaptive or 'none'} adaptive"


def rank_text(rank: tuple[int, int] | None) -> str:
    """One rank, or the range of those that the defense may hold; empty where it has none."""
    if rank is None:
        return ""
    best, last = rank
    return str(best) if best == last else f"{best}\N{EN DASH}{last}"


def _brief(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
