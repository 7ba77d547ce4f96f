"""What a card says in sentences that rest on the figures: uses, limits, and who is shown."""

from generators.publishing.photos import REAL
from generators.publishing.summary import Summary

INTENDED = (
    "Measuring which private facts about a person a vision-language model gives away after it was fine-tuned on that"
    " person's photos.",
    "Measuring what a defense of photos prevents, and what it costs in looks and in usefulness.",
    "Checking attackers, evaluations and defenses against controls: strangers, questions about what can be seen, and"
    " questions on training photos.",
)
FORBIDDEN = (
    "Training or tuning face recognition, face search or any other system that is to identify real people.",
    "Identifying, tracking or contacting anybody, whether shown here or not.",
    "Making or completing a profile of a real person.",
    "Judging real people by how they look: nothing here relates looks to facts about them.",
)
_ENOUGH_PEOPLE = 100


def sensitive(summary: Summary) -> list[str]:
    """Who is shown, in one sentence each."""
    real, total = summary.sources.get(REAL, 0), sum(summary.sources.values())
    made = " or ".join(sorted(source for source in summary.sources if source != REAL))
    if not real:
        return [f"All photos are declared {made}; none is declared to show a real person."]
    shown = f"{real} of {total} photos show real people, together with facts about them."
    return [shown, f"The others are declared {made}."] if made else [shown]


def limits(summary: Summary) -> list[str]:
    """What the figures cannot carry, each limit only where it holds for this dataset."""
    people = summary.people["evaluation"]
    found = [_made_photos(summary), _few_people(people), _one_person_photos(summary)]
    if summary.majority is not None and summary.chance is not None and summary.majority > summary.chance + 0.02:
        found.append(
            f"Answers are not balanced: who always gives the commonest answer reaches {summary.majority:.2f}, a blind"
            f" choice {summary.chance:.2f}. Compare with the former."
        )
    without = sum(values.get("not stated", {}).get("evaluation", 0) > 0 for values in summary.appearance.values())
    if without:
        found.append("How people look is not stated for everybody, so results cannot be split by it for all.")
    if summary.shows_unstated:
        found.append(f"For {summary.shows_unstated} photos nobody said which things and companions they show.")
    if summary.without_face_box:
        found.append(
            f"{summary.without_face_box} training photos have no face box: a defense that needs one refuses them."
        )
    found.append("Questions, options and template descriptions are in English.")
    return [sentence for sentence in found if sentence]


def _made_photos(summary: Summary) -> str:
    made = [source for source in ("rendered", "synthesized") if source in summary.sources]
    if not made:
        return ""
    return (
        f"{' and '.join(made).capitalize()} photos do not look like photos from a camera. What leaks from them need"
        " not leak alike from real ones, and how people look is spread by design, as no population is."
    )


def _few_people(people: int) -> str:
    if people >= _ENOUGH_PEOPLE:
        return ""
    noun = "person" if people == 1 else "people"
    return f"With {people} evaluation {noun} intervals are wide: small differences between defenses stay open."


def _one_person_photos(summary: Summary) -> str:
    spread = summary.training_photos
    if spread is None or spread.most - spread.least <= 1:
        return ""
    return f"People have unequal numbers of training photos, from {spread.least} to {spread.most}."
