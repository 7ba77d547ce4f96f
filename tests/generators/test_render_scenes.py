"""Every scenario's thing stands in the picture, whole and not behind the person. Needs `make render-deps`."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

pytest.importorskip("mitsuba", reason="needs `make render-deps`")

from bench.core.errors import UsageError
from generators.render import backdrops, makehuman, photo, solids
from generators.render.camera import Camera
from generators.render.cast import cast, circle
from generators.render.meshes import Mesh
from generators.render.photo import Composition, Shot, compose
from generators.render.things import library, mesh_of, thing_of
from scenarios.scenes import OptionScene
from scenarios.schema import load_scenarios, load_visible

PICTURE = 96
WITH_THINGS = [
    (scenario.id, option.answer)
    for scenario in load_scenarios().values()
    for option in scenario.options
    if not option.scene.companions
]
WITH_COMPANIONS = [
    (scenario.id, option.answer)
    for scenario in load_scenarios().values()
    for option in scenario.options
    if option.scene.companions
]


def composed(scenario: str, answer: str, number: int) -> Composition:
    group, index = "development", 40 + number
    facts = {name: each.answers[0] for name, each in load_scenarios().items()} | {scenario: answer}
    beside = circle(group, index, facts).get(scenario, ())
    shot = Shot(cast(group, index), number, scenario, answer, beside)
    return compose(shot, np.random.default_rng([17, shot.identity.seed, shot.seed]))


def silhouette(camera: Camera, vertices: np.ndarray) -> np.ndarray:
    """The body and its clothes as a mask (PICTURE, PICTURE)."""
    picture = Image.new("1", (PICTURE, PICTURE))
    draw = ImageDraw.Draw(picture)
    place = camera.project(vertices, PICTURE)
    for face in np.unique(makehuman.base_mesh()[2]["body"][..., 0], axis=0):
        draw.polygon([tuple(point) for point in place[face]], fill=1)
    return np.asarray(picture)


def evenly(mesh: Mesh, count: int = 3000) -> np.ndarray:
    """Points (count, 3) spread evenly over the mesh."""
    random = np.random.default_rng(3)
    corner = mesh.vertices[mesh.faces]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    chosen = corner[random.choice(len(corner), count, p=area / area.sum())]
    share = random.dirichlet((1, 1, 1), count)
    return (chosen * share[..., None]).sum(1)


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "answer"), WITH_THINGS)
def test_the_thing_is_whole_in_the_picture_and_not_behind_the_person(scenario: str, answer: str) -> None:
    for number in range(3):
        composition = composed(scenario, answer, number)
        assert composition.thing is not None
        place = composition.camera.project(composition.thing.vertices, PICTURE)
        inside = ((place >= 0) & (place < PICTURE)).all(1)
        assert inside.mean() >= 0.9
        seen = place[inside]
        assert np.ptp(seen[:, 0]) > 0.14 * PICTURE and np.ptp(seen[:, 1]) > 0.14 * PICTURE
        behind = composition.thing.vertices[:, 2] < composition.centre[2] - 1
        if behind.all():
            points = composition.camera.project(evenly(composition.thing), PICTURE).astype(int)
            points = points[((points >= 0) & (points < PICTURE)).all(1)]
            hidden = silhouette(composition.camera, composition.person)[points[:, 1], points[:, 0]]
            assert hidden.mean() < 1 / 3


@pytest.mark.parametrize(("scenario", "answer"), WITH_COMPANIONS[::3])
def test_every_face_is_in_the_picture(scenario: str, answer: str) -> None:
    for number in range(2):
        composition = composed(scenario, answer, number)
        assert len(composition.people) >= 2
        for vertices in composition.people:
            left, top, right, bottom = composition.camera.face_box(vertices, 1000)
            assert left > 0 and top > 0 and right < 1000 and bottom < 1000 and right - left > 100


def test_a_third_friend_has_a_place_of_its_own() -> None:
    options = load_scenarios()["friends"]
    three = tuple(cast("development", index) for index in (3, 4, 5))
    shot = Shot(cast("development", 1), 1, "friends", options.answers[0], three)
    composition = compose(shot, np.random.default_rng(1))
    boxes = sorted(composition.camera.face_box(vertices, 1000) for vertices in composition.people)
    assert len(boxes) == 4 and boxes[0][0] > 0 and boxes[-1][2] < 1000
    assert all(first[2] < second[2] - 50 for first, second in pairwise(boxes))


def test_more_companions_than_places_is_told() -> None:
    one = cast("development", 1)
    with pytest.raises(UsageError, match="places"):
        compose(Shot(one, 1, "pet", "dog", (one,)), np.random.default_rng(1))


def test_a_thing_that_a_file_spells_out_needs_no_code() -> None:
    kite = {
        "phrase": "a red kite",
        "solids": [{"kind": "box", "centre": [0, 0.5, 0], "half": [0.3, 0.5, 0.02], "colour": [0.7, 0, 0]}],
    }
    thing = thing_of(OptionScene.model_validate(kite), "toy", "kite", depth=1.9)
    assert thing is not None and thing.setting == "table"
    assert np.ptp(mesh_of(thing).vertices[:, 1]) == pytest.approx(1.0)


def test_an_unknown_shape_is_told_with_scenario_answer_and_near_names() -> None:
    scene = OptionScene(phrase="a doge", shape="dogg")
    with pytest.raises(UsageError, match=r"'pet'.*'doge'.*'dogg'.*'dog'"):
        thing_of(scene, "pet", "doge", depth=0)


def test_an_unknown_answer_is_told() -> None:
    with pytest.raises(UsageError, match=r"'dogg'.*'dog'"):
        compose(Shot(cast("development", 1), 1, "pet", "dogg"), np.random.default_rng(1))


@pytest.mark.parametrize("name", sorted(library()))
def test_every_shape_is_a_set_of_valid_triangles_with_detail(name: str) -> None:
    mesh = mesh_of(library()[name])
    assert mesh.vertices.shape == mesh.colours.shape
    assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
    assert np.isfinite(mesh.vertices).all() and mesh.colours.min() >= 0 and mesh.colours.max() <= 1
    assert len(mesh.faces) > 1500
    if library()[name].setting != "room":
        assert mesh.vertices[:, 1].min() > -0.1 and 0.5 < np.ptp(mesh.vertices[:, 1]) < 2


def test_layouts_and_shapes_come_from_the_scenario_files() -> None:
    for scenario in load_scenarios().values():
        told = yaml.safe_load((Path(photo.__file__).parents[2] / "scenarios" / f"{scenario.id}.yaml").read_text())
        assert told["scene"]["layout"]["person_x"] == scenario.scene.layout.person_x
        for option in scenario.options:
            assert option.scene.companions or thing_of(option.scene, scenario.id, option.answer, 0) is not None


def test_every_surrounding_that_is_asked_for_can_be_painted() -> None:
    view = backdrops.View(Camera(np.array([0, 7.0, 9.0]), np.array([0, 7.0, 0])), ground=-8.0)
    assert set(load_visible()["surroundings"].options) == set(backdrops.SURROUNDINGS)
    for name in backdrops.SURROUNDINGS:
        first, again, other = (backdrops.paint(name, np.random.default_rng(seed), view) for seed in (1, 1, 2))
        assert first.shape == (backdrops.SIZE, backdrops.SIZE, 3) and first.min() > 0 and first.max() < 1
        assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_what_stands_on_the_ground_casts_shade_there() -> None:
    camera = Camera(np.array([0, 7.0, 9.0]), np.array([0, 6.0, -100.0]))
    foot = backdrops.Footprint(np.array([0.0, -120.0]), np.array([12.0, 6.0]), 0.3)
    lit, shaded = (
        backdrops.paint("park", np.random.default_rng(1), backdrops.View(camera, -8.0, feet)) for feet in ((), (foot,))
    )
    column, row = camera.project(np.array([[0.0, -8.0, -120.0]]), backdrops.SIZE)[0].astype(int)
    assert shaded[row, column].mean() < 0.5 * lit[row, column].mean()
    assert np.allclose(shaded[:40], lit[:40])


def test_a_smooth_loft_is_closed_and_has_its_ends_where_the_path_ends() -> None:
    loft = solids.lofted(np.array([(0, 0, 0), (0, 1, 0), (0, 2, 0)]), np.array([(1, 1)] * 3), (1, 0, 0), rows=9)
    edges = np.sort(loft.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    rounded = np.unique(loft.vertices.round(6), axis=0, return_inverse=True)[1].ravel()
    _, count = np.unique(
        np.sort(rounded[edges], axis=1)[rounded[edges][:, 0] != rounded[edges][:, 1]], axis=0, return_counts=True
    )
    assert (count >= 2).all()
    assert loft.vertices[:, 1].min() == pytest.approx(0) and loft.vertices[:, 1].max() == pytest.approx(2)
