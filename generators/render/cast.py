"""Which rendered identity plays which person, so that no two groups of people ever share a face."""

from generators.render.identity import Identity, looks

BLOCK = 1_000_000
GROUPS = ("training", "development", "evaluation", "stranger", "companion", "development-stranger")


def cast(group: str, index: int) -> Identity:
    """Looks of person ``index`` of a group; groups draw from disjoint blocks of seeds.

    Raises ValueError for an unknown group or an index outside the group's block.
    """
    if group not in GROUPS or not 0 <= index < BLOCK:
        raise ValueError(f"no person {index} in group '{group}'; groups are {', '.join(GROUPS)}")
    return looks(GROUPS.index(group) * BLOCK + index)
