"""Whether a stranger, or somebody of another dataset, is a person who is trained on here, by recogniser."""

from collections.abc import Mapping, Sequence

from generators.checks.finding import CheckReport, Finding
from generators.checks.photos import Photo
from generators.checks.recognition import Judge, Vectors, person_means, photos_of
from scenarios.people import Person

CHECK = "overlap"


def check_strangers(people: Sequence[Person], photos: Sequence[Photo], features: Vectors, judge: Judge) -> CheckReport:
    """Strangers who look like a person that is trained on: each a warning. ``features`` are (photos, width)."""
    strangers = {person.person_id for person in people if person.role == "stranger"}
    own = {person: indices for person, indices in photos_of(photos, "probe").items() if person in strangers}
    return _lookalikes(own, judge.gallery.similarities(features), judge, "highest_similarity_of_strangers", "people")


def check_people_against(judge: Judge, photos: Sequence[Photo], features: Vectors, name: str) -> CheckReport:
    """People of another dataset who look like one that is trained on here: each a warning."""
    own = photos_of(photos, "training") | photos_of(photos, "probe")  # the new photos, where there are any
    similarities = judge.gallery.similarities(features)
    return _lookalikes(own, similarities, judge, f"highest_similarity_to {name}", f"{name}, people")


def _lookalikes(
    own: Mapping[str, Sequence[int]], similarities: Vectors, judge: Judge, figure: str, table: str
) -> CheckReport:
    """``own`` is person id -> rows of ``similarities``; the figure is the highest mean similarity to anybody."""
    if not own:
        return CheckReport()
    means = person_means(similarities, own)
    findings = []
    for person, row in zip(own, means, strict=True):
        if row.max() >= judge.threshold:
            twin = judge.gallery.people[int(row.argmax())]
            message = (
                f"looks like {twin}, who is trained on ({row.max():.2f}, and {judge.threshold:.2f} can be one person):"
                " are they one?"
            )
            findings.append(Finding("warning", CHECK, f"{table} {person}", message))
    return CheckReport(tuple(findings), {figure: float(means.max())})
