"""Meshes that things and people are put together from."""

from generators.render import meshes


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
