"""The renderer's parts that need no path tracer: solids, backdrops, things."""

import numpy as np
import pytest

from generators.render import backdrops, meshes, things
from scenarios.schema import load_scenarios, load_visible


@pytest.mark.parametrize("name", sorted(things.THINGS))
def test_every_thing_is_a_closed_set_of_valid_triangles(name: str) -> None:
    mesh = things.THINGS[name]()
    assert mesh.vertices.shape == mesh.colours.shape
    assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
    assert np.isfinite(mesh.vertices).all() and mesh.colours.min() >= 0 and mesh.colours.max() <= 1
    assert 0.3 < np.ptp(mesh.vertices[:, 1]) < 2


def test_every_fact_of_property_and_work_has_a_thing() -> None:
    for scenario in load_scenarios().values():
        for option in scenario.options:
            assert option.scene.shape in things.THINGS or scenario.id in ("partner", "friends")


def test_every_surrounding_that_is_asked_for_can_be_painted() -> None:
    assert set(load_visible()["surroundings"].options) == set(backdrops.SURROUNDINGS)
    for name in backdrops.SURROUNDINGS:
        first, again, other = (backdrops.paint(name, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first.shape == (backdrops.SIZE, backdrops.SIZE, 3) and first.min() > 0 and first.max() < 1
        assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_box_and_a_ball_have_normals_that_point_outwards() -> None:
    for mesh in (meshes.box((0, 0, 0), (1, 2, 3), (1, 0, 0)), meshes.ellipsoid((0, 0, 0), (1, 2, 3), (1, 0, 0))):
        normals = meshes.vertex_normals(mesh.vertices, mesh.faces)
        outward = (normals * mesh.vertices).sum(1)
        assert (outward > 0).mean() > 0.9 or (outward < 0).mean() > 0.9


def test_merged_and_placed_meshes_keep_their_triangles() -> None:
    one = meshes.box((0, 0, 0), (1, 1, 1), (1, 0, 0))
    both = meshes.merge([one, meshes.placed(one, (5, 0, 0), scale=2.0)])
    assert len(both.faces) == 2 * len(one.faces)
    assert both.vertices[:, 0].max() == 7 and both.vertices[both.faces[-1]][:, 0].min() >= 3
