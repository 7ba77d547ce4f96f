"""Which photos of whom a diffusion build consists of, and the rows that they become."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from generators.diffusion.references import PORTRAIT_KINDS, References, references_of
from generators.diffusion.settings import Settings
from generators.diffusion.synthesis import SynthesisRequest, photo_seed
from scenarios.dataset import Dataset
from scenarios.people import Person
from scenarios.photos import PHOTO_COLUMNS, PROVENANCE_COLUMNS
from scenarios.prompts import portrait_prompt, scene_prompt
from scenarios.schema import load_scenarios, load_visible

WHOLE_PHOTO = 10.0
MARGINS = {"embedded": WHOLE_PHOTO, "ip-adapter": 0.35, "dreambooth": 0.8}
"""What is left around a face, in sizes of the face. A face adapter reads faces; DreamBooth also learns hair and
shoulders. Whole photos would teach every reference's private thing along with the person; the embedded model is used
to them and takes from them only who it is."""
AGE_WORDS = {"young adult": "young", "middle-aged": "middle-aged", "older": "older"}


@dataclass(frozen=True)
class PlannedPhoto:
    """A photo to synthesize, and its row in the photo table but for the image and the generator."""

    request: SynthesisRequest
    row: Mapping[str, Any]


def plan_photos(dataset: Dataset, settings: Settings) -> list[PlannedPhoto]:
    """Every photo to synthesize, person by person, so that photos of one person stand side by side.

    Raises DataError for people without usable references.
    """
    planned: list[PlannedPhoto] = []
    for person in dataset.persons():
        photos = list(_photos_of(person, settings))
        if photos:
            references = references_of(dataset, person, settings.references, MARGINS[settings.method])
            planned += [_planned(person, photo, references, settings) for photo in photos]
    return planned


def synthesized_rows(planned: Sequence[PlannedPhoto], images: Mapping[str, bytes], generator: str) -> pd.DataFrame:
    """The photo table of the synthesized photos."""
    rows = [{**photo.row, "image": images[photo.request.photo_id], "generator": generator} for photo in planned]
    return pd.DataFrame(rows, columns=list(PHOTO_COLUMNS))


def reference_portraits(dataset: Dataset) -> pd.DataFrame:
    """The photo table of the dataset's own portraits, under the ids that their probes carry."""
    portraits = dataset.probes[dataset.probes["kind"].isin(PORTRAIT_KINDS)]
    rows: dict[str, dict[str, Any]] = {}
    for probe in portraits.to_dict("records"):
        photo_id = probe["probe_id"].removeprefix(f"{probe['kind']}-").removesuffix(f"-{probe['scenario']}")
        row = rows.setdefault(
            photo_id,
            {
                "photo_id": photo_id,
                "person_id": probe["person_id"],
                "scenario": "",
                "image": probe["image"],
                "face_box": None,
                "visible": {},
                "shows": probe["shows"],
                "description": "",
                **{column: probe[column] for column in PROVENANCE_COLUMNS},
            },
        )
        if probe["kind"] == "utility":
            row["visible"][probe["scenario"]] = probe["answer"]
    return pd.DataFrame(list(rows.values()), columns=list(PHOTO_COLUMNS))


def noun(person: Person) -> str:
    """The word for somebody like this: woman, man, or person where nothing is stated."""
    stated = person.appearance.get("gender_presentation", "")
    return stated if stated in ("woman", "man") else "person"


def person_phrase(person: Person, settings: Settings) -> str:
    """Who is in the photo, in the words of a prompt: "a young woman", or the learned word and "woman"."""
    if settings.method == "dreambooth":
        return f"{settings.identifier} {noun(person)}"
    words = [AGE_WORDS.get(person.appearance.get("age_group", ""), ""), noun(person)]
    text = " ".join(filter(None, words))
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


@dataclass(frozen=True)
class _Photo:
    photo_id: str
    prompt: str
    scenario: str
    visible: dict[str, str]
    shows: list[str]


def _photos_of(person: Person, settings: Settings) -> Iterator[_Photo]:
    phrase = person_phrase(person, settings)
    if person.role == "evaluation":
        for scenario in load_scenarios():
            if scenario in person.facts:
                for number in range(settings.photos_per_scenario):
                    yield _scene(person, phrase, scenario, number)
    if settings.probes == "synthesized":
        yield from _portraits(person, phrase, settings)


def _scene(person: Person, phrase: str, scenario: str, number: int) -> _Photo:
    answer = person.facts[scenario]
    is_name = load_scenarios()[scenario].group == "relationship"
    shows = answer.split(" and ") if is_name else [answer]
    photo_id = f"{person.person_id}-{scenario}" + (f"-{number}" if number else "")
    # Everybody begins with a prompt of one's own, so that one photo a scenario still uses them all.
    variant = number + photo_seed(0, f"{person.person_id} {scenario}") % 1000
    return _Photo(photo_id, scene_prompt(scenario, answer, phrase, variant), scenario, {}, shows)


def _portraits(person: Person, phrase: str, settings: Settings) -> Iterator[_Photo]:
    """Portraits in clothes and surroundings of which neighbours differ; both are what anybody can see in them."""
    draw = random.Random(f"portraits {settings.seed} {person.person_id}")
    topics = load_visible()
    looks = {
        topic: draw.sample(topics[topic].options, len(topics[topic].options)) for topic in ("clothes", "surroundings")
    }
    for number in range(settings.portraits):
        visible = {topic: options[number % len(options)] for topic, options in looks.items()}
        prompt = portrait_prompt(phrase, visible["clothes"], visible["surroundings"], number)
        yield _Photo(f"{person.person_id}-portrait-{number}", prompt, "", visible, [])


def _planned(person: Person, photo: _Photo, references: References, settings: Settings) -> PlannedPhoto:
    request = SynthesisRequest(
        photo_id=photo.photo_id,
        person_id=person.person_id,
        prompt=photo.prompt,
        references=references.photos,
        seed=photo_seed(settings.seed, photo.photo_id),
        subject=noun(person),
    )
    row = {
        "photo_id": photo.photo_id,
        "person_id": person.person_id,
        "scenario": photo.scenario,
        "face_box": None,
        "visible": photo.visible,
        "shows": photo.shows,
        "source": "synthesized",
        "licence": references.licence,
        "consent": f"{references.consent} (synthesized from {len(references.photos)} of this person's photos)",
        "description": "",
    }
    return PlannedPhoto(request, row)
