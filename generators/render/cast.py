"""Which rendered identity plays which person, so that no two groups of people ever share a face."""

from collections.abc import Mapping

from generators.render.identity import Identity, looks
from scenarios.schema import load_scenarios

BLOCK = 1_000_000
CIRCLE = 8
"""Seeds set aside for the people around one person."""
GROUPS = (
    "training",
    "development",
    "evaluation",
    "stranger",
    "companion",
    "development-stranger",
    "full",
    "full-stranger",
)


def cast(group: str, index: int) -> Identity:
    """Looks of person ``index`` of a group; groups draw from disjoint blocks of seeds.

    Raises ValueError for an unknown group or an index outside the group's block.
    """
    return looks(_block(group, index) + index, index)


def circle(group: str, index: int, facts: Mapping[str, str]) -> dict[str, tuple[Identity, ...]]:
    """The rendered people beside person ``index`` of a group by scenario; ``facts`` maps scenario to answer.

    They are the same in every photo of that person and are nobody else's. A partner also stands among the friends
    of every second person. Raises ValueError as `cast` does.
    """
    first = (len(GROUPS) * BLOCK) + (_block(group, index) + index) * CIRCLE
    around: dict[str, tuple[Identity, ...]] = {}
    drawn = 0
    for name, scenario in load_scenarios().items():
        genders = _companions(scenario, facts.get(name, ""))
        if genders:
            people = range(drawn, drawn + len(genders))
            around[name] = tuple(
                looks(first + k, 3 * index + k, man=gender == "man") for k, gender in zip(people, genders, strict=True)
            )
            drawn += len(genders)
    if index % 2 and "partner" in around and "friends" in around:
        around["friends"] += around["partner"][:1]
    return around


def _companions(scenario: object, answer: str) -> tuple[str, ...]:
    options = getattr(scenario, "options", ())
    return next((tuple(option.scene.companions) for option in options if option.answer == answer), ())


def _block(group: str, index: int) -> int:
    if group not in GROUPS or not 0 <= index < BLOCK:
        raise ValueError(f"no person {index} in group '{group}'; groups are {', '.join(GROUPS)}")
    return GROUPS.index(group) * BLOCK
