"""What of a person's photos the models see, and how the person is put into words."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from miniature_pictures import photo_rows
from PIL import Image

from generators.diffusion.planning import person_phrase, plan_photos
from generators.diffusion.references import references_of
from generators.diffusion.settings import parse_settings
from generators.diffusion.synthesis import photo_seed
from scenarios.dataset import Dataset, load_dataset
from scenarios.people import Person

SaveReference = Callable[[Sequence[dict[str, Any]]], str]


@pytest.fixture
def dataset(reference: str) -> Dataset:
    return load_dataset(reference)


def marked(box: tuple[int, int, int, int], size: tuple[int, int] = (60, 40)) -> bytes:
    """A black photo with a white face."""
    picture = Image.new("RGB", size)
    picture.paste((255, 255, 255), box)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("box", "margin", "side"),
    [
        ((20, 10, 30, 20), 0.0, 10),
        ((20, 10, 30, 20), 0.5, 20),
        ((50, 30, 60, 40), 0.5, 20),
        ((0, 0, 10, 8), 0.5, 20),
        ((10, 5, 40, 35), 1.0, 40),
    ],
)
def test_a_reference_is_a_square_around_the_face(
    save_reference: SaveReference, box: tuple[int, int, int, int], margin: float, side: int
) -> None:
    rows = photo_rows()
    for row in rows:
        if row["scenario"]:
            row |= {"image": marked(box), "face_box": list(box)}
    dataset = load_dataset(save_reference(rows))
    (reference,) = references_of(dataset, dataset.persons()[0], 1, margin).photos
    pixels = np.asarray(Image.open(io.BytesIO(reference)))
    assert pixels.shape == (side, side, 3)
    assert int((pixels > 0).all(axis=2).sum()) == (box[2] - box[0]) * (box[3] - box[1])


def test_no_more_references_than_asked_for_and_all_where_there_are_fewer(dataset: Dataset) -> None:
    person = dataset.persons()[0]
    assert [len(references_of(dataset, person, count, 0.3).photos) for count in (1, 2, 9)] == [1, 2, 2]


def test_a_stranger_is_known_from_portraits(dataset: Dataset) -> None:
    (stranger,) = dataset.persons("stranger")
    assert len(references_of(dataset, stranger, 4, 0.3).photos) == 1


@pytest.mark.parametrize(
    ("appearance", "options", "phrase"),
    [
        ({}, {}, "a person"),
        ({"gender_presentation": "woman", "age_group": "older"}, {}, "an older woman"),
        ({"gender_presentation": "man", "age_group": "young adult"}, {}, "a young man"),
        (
            {"gender_presentation": "woman", "age_group": "older"},
            {"method": "dreambooth", "checkpoint": "sd15", "identifier": "zwx"},
            "zwx woman",
        ),
    ],
)
def test_a_person_in_the_words_of_a_prompt(appearance: dict[str, str], options: dict[str, Any], phrase: str) -> None:
    person = Person("p", "Ada Belmar", {}, "evaluation", appearance)
    assert person_phrase(person, parse_settings(options)) == phrase


def test_prompts_say_the_scene_and_never_the_name(dataset: Dataset) -> None:
    planned = plan_photos(dataset, parse_settings({"photos_per_scenario": 3, "probes": "synthesized"}))
    prompts = {photo.request.photo_id: photo.request.prompt for photo in planned}
    assert "a cabin built of round wooden logs" in prompts["evaluation-000-home"]
    assert "ferret" in prompts["evaluation-001-pet"]
    assert len({prompts[f"evaluation-000-home{suffix}"] for suffix in ("", "-1", "-2")}) == 3
    assert not any(name in prompt for prompt in prompts.values() for name in ("Ada", "Goran", "Bo ", "Danlund"))
    assert not any("home" in photo_id or "pet" in photo_id for photo_id in prompts if photo_id.startswith("stranger"))


def test_seeds_differ_from_photo_to_photo_and_from_seed_to_seed() -> None:
    seeds = {photo_seed(seed, photo) for seed in range(3) for photo in ("a", "b", "c")}
    assert len(seeds) == 9 and all(0 <= seed < 2**63 for seed in seeds)
