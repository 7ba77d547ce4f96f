"""The fictitious people that shipped checkpoints are trained on; none of them is in a shipped evaluation split."""

from scenarios.people import Person, fictitious_people

BATCH = 120


def training_people(count: int) -> list[Person]:
    """``count`` training people; first names repeat from batch to batch, as they do in the world."""
    people: list[Person] = []
    for seed in range(-(-count // BATCH)):
        people += fictitious_people(BATCH, 1000 + seed, f"training{seed}")
    return people[:count]
