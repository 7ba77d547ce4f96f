"""Whether photos show the people under whom they are filed, by recogniser."""

from collections.abc import Iterator, Sequence

import numpy as np

from generators.checks.finding import CheckReport, Finding
from generators.checks.photos import Photo
from generators.checks.recognition import Gallery, Judge, Vectors, person_means, photos_of

CHECK = "identity"
FEWEST_PEOPLE = 5
"""Fewer people give no scale for what similar is."""
LEAST_AUC = 0.8
"""A recogniser that tells a person's photos from other people's less often than this is not believed."""
SAME_PERSON_PERCENTILE = 1.0
MISFILED_SHARE = 0.5
"""A photo less like its person than this share of the threshold, and like somebody else, is asked about.

On veilbench-mini, where two people look much alike, no photo is; with 0.75 one would be.
"""


def check_identity(photos: Sequence[Photo], features: Vectors) -> tuple[CheckReport, Judge | None]:
    """How well people are recognised in photos that are not trained on, and which photos and people do not fit.

    ``features`` are the recogniser's (photos, width). The judge is None, and no single person or photo is named,
    where there are too few people or the recogniser is not believed; a finding says which.
    """
    trained = photos_of(photos, "training")
    new = {person: own for person, own in photos_of(photos, "probe").items() if person in trained}
    if len(new) < FEWEST_PEOPLE:
        message = f"{len(new)} people have both training and other photos, {FEWEST_PEOPLE} are needed to judge faces."
        return CheckReport((Finding("note", CHECK, "", message),)), None
    gallery = Gallery(photos, features)
    similarities = gallery.similarities(features)
    figures = _figures(gallery, similarities, new)
    if figures["auc"] < LEAST_AUC:
        return CheckReport((_not_believed(figures["auc"]),), figures), None
    means = person_means(similarities, new)
    columns = [gallery.people.index(person) for person in new]
    threshold = float(np.percentile(means[np.arange(len(new)), columns], SAME_PERSON_PERCENTILE))
    judge = Judge(gallery, threshold)
    findings = [*_people(list(new), means, judge), *_misfiled(photos, similarities, new, judge)]
    others = means.copy()
    others[np.arange(len(new)), columns] = -1
    figures |= {"same_person_threshold": threshold, "highest_similarity_between_people": float(others.max())}
    return CheckReport(tuple(findings), figures), judge


def _figures(gallery: Gallery, similarities: Vectors, new: dict[str, list[int]]) -> dict[str, float]:
    rows = [index for own in new.values() for index in own]
    columns = [gallery.people.index(person) for person, own in new.items() for _ in own]
    asked = similarities[rows]
    others = np.ones_like(asked, bool)
    others[np.arange(len(rows)), columns] = False
    return {
        "rank1_probe_to_train": float((asked.argmax(1) == columns).mean()),
        "rank1_chance": 1 / len(gallery.people),
        "auc": _auc(asked[~others], asked[others]),
    }


def _auc(genuine: Vectors, others: Vectors) -> float:
    """How often a similarity to the own person is above one to another person; ties count half."""
    ordered = np.sort(others)
    below, up_to = np.searchsorted(ordered, genuine, "left"), np.searchsorted(ordered, genuine, "right")
    return float((below + up_to).mean() / 2 / len(ordered))


def _not_believed(auc: float) -> Finding:
    message = (
        f"the recogniser tells a person's photos from other people's with an AUC of {auc:.2f}, below {LEAST_AUC}:"
        " many photos are filed under the wrong person, or another checkpoint has to look; no person is judged."
    )
    return Finding("warning", CHECK, "", message)


def _people(ids: list[str], means: Vectors, judge: Judge) -> Iterator[Finding]:
    """People whose new photos look more like somebody else, or so like somebody else that both could be one."""
    for person, row in zip(ids, means, strict=True):
        own = judge.gallery.people.index(person)
        other, similar = _closest(row, own)
        told = f"{judge.gallery.people[other]} ({similar:.2f})"
        if similar >= row[own]:
            message = f"the new photos look more like {told} than like the person's training photos ({row[own]:.2f})."
            yield Finding("warning", CHECK, f"people {person}", message)
        elif similar >= judge.threshold:
            message = f"looks like {told}, and {judge.threshold:.2f} can be one person: are they two?"
            yield Finding("warning", CHECK, f"people {person}", message)


def _misfiled(
    photos: Sequence[Photo], similarities: Vectors, new: dict[str, list[int]], judge: Judge
) -> Iterator[Finding]:
    """Photos that are hardly like their own person, and as like somebody else as one person's photos are."""
    gallery = judge.gallery
    trained = [(i, person, gallery.left_out(person, i)) for person, own in gallery.own.items() for i in own]
    asked = [(i, person, similarities[i, gallery.people.index(person)]) for person, own in new.items() for i in own]
    for index, person, alike in (*trained, *asked):
        other, similar = _closest(similarities[index], gallery.people.index(person))
        if alike < MISFILED_SHARE * judge.threshold and similar >= judge.threshold:
            message = (
                f"the photo looks like {gallery.people[other]} ({similar:.2f}) and not like {person} ({alike:.2f}):"
                " is it filed under the right person?"
            )
            yield Finding("warning", CHECK, photos[index].row, message)


def _closest(row: Vectors, own: int) -> tuple[int, float]:
    """The column of whom a row of similarities is closest to beside ``own``, and how close."""
    others = row.copy()
    others[own] = -np.inf
    return int(others.argmax()), float(others.max())
