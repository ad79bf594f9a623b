# SPDX-License-Identifier: GPL-3.0-or-later
"""A coarse mesh takes on the detail of a normal map, where the picture sees it and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from backend.arrays import BoolArray, Float64Array
from backend.detail import stages
from backend.detail.correct import correct
from backend.errors import Cancelled
from backend.flow.products import Mesh, NormalMap, Noted
from backend.mesh.check import is_closed
from backend.raster.render import vertex_normals
from backend.raster.vectors import unit
from backend.texture.raster import look
from tests.backend.texture.shapes import ball, together

SIDE = 192
RADIUS = 70.0  # pixels
DISTANCE = 500.0  # of the eye


def picture_of(points: Float64Array, *, parallel: bool = True) -> Float64Array:
    """UVs of points, x right, y up, z to the viewer, in pixels about the map's middle."""
    wide = 1.0 if parallel else DISTANCE / (DISTANCE - points[:, 2])[:, None]
    return 0.5 + points[:, :2] * wide / SIDE


def mesh_of(rings: int = 20, *, parallel: bool = True, flatter: float = 1.0) -> Mesh:
    """A coarse ball, in Blender's axes."""
    points, triangles = ball(rings, RADIUS, (0, 0, 0))
    points[:, 2] *= flatter
    uv = picture_of(points, parallel=parallel)
    return Mesh((points[:, [0, 2, 1]] * (1, -1, 1) / SIDE).astype(np.float32), triangles, uv.astype(np.float32))


def bumpy_map(waves: float = 12.0, height: float = 1.0, flatter: float = 1.0) -> NormalMap:
    """The normals of a ball with bumps, as parallel rays see it. waves: their length in pixels."""
    row, column = np.indices((SIDE, SIDE)) + 0.5
    x, y = column - SIDE / 2, SIDE / 2 - row
    inside = x**2 + y**2 < RADIUS**2
    z = np.sqrt(np.maximum(RADIUS**2 - x**2 - y**2, 1.0))
    slope = flatter * np.stack([-x / z, -y / z], axis=-1)
    turn = 2 * np.pi / waves
    slope += height * turn * np.stack([np.cos(turn * x) * np.cos(turn * y), -np.sin(turn * x) * np.sin(turn * y)], -1)
    normals = unit(np.concatenate([-slope, np.ones((SIDE, SIDE, 1))], axis=-1))
    return NormalMap(normals.astype(np.float32), inside.astype(np.float32))


def nothing(step: int, of: int) -> None:
    """A report that nobody follows."""


def seen_by(mesh: Mesh) -> tuple[Float64Array, BoolArray]:
    """The smooth normals that the map's pixels see, (H, W, 3), in the camera's axes, and which see the mesh."""
    places = np.column_stack([mesh.uv[:, 0] * SIDE, (1 - mesh.uv[:, 1]) * SIDE, mesh.vertices[:, 1] * SIDE])
    seen = look(places.astype(np.float64), mesh.triangles, (SIDE, SIDE), perspective=False)
    normals = vertex_normals(mesh)[:, [0, 2, 1]] * (1, 1, -1)
    found = np.einsum("hwk,hwkc->hwc", seen.weights, normals[mesh.triangles[seen.triangles]])
    return unit(found), seen.triangles >= 0


def across(mesh: Mesh) -> Float64Array:
    """The triangles' normals, as long as twice their areas, (T, 3)."""
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64)[mesh.triangles], 1, 0)
    return np.cross(b - a, c - a)


def error(mesh: Mesh, normal_map: NormalMap) -> float:
    """The mean angle between the mesh's normals and the map's well inside the outline, in degrees."""
    normals, there = seen_by(mesh)
    row, column = np.indices((SIDE, SIDE)) + 0.5 - SIDE / 2
    there &= row**2 + column**2 < (0.9 * RADIUS) ** 2
    cosines = (normals * normal_map.normals).sum(axis=-1)[there]
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean())


def test_bumps_of_the_map_are_bumps_of_the_mesh() -> None:
    mesh, normal_map = mesh_of(), bumpy_map()
    carved = correct(mesh, normal_map, 1.0, nothing)
    assert error(mesh, normal_map) > 12
    assert error(carved, normal_map) < 5
    assert is_closed(carved.triangles)


def test_nothing_moves_behind_and_at_the_outline_and_in_the_picture() -> None:
    mesh = mesh_of()
    carved = correct(mesh, bumpy_map(), 1.0, nothing)
    count = len(mesh.vertices)
    moved = np.abs(carved.vertices[:count] - mesh.vertices).max(axis=1) * SIDE
    front = mesh.vertices[:, 1] < 0
    assert (moved[~front] == 0).all()
    at_outline = np.linalg.norm(mesh.vertices[:, [0, 2]], axis=1) * SIDE > RADIUS - 0.5
    assert (moved[at_outline] < 1e-3).all()
    assert moved[front].max() > 0.5
    np.testing.assert_array_equal(carved.uv[:count], mesh.uv)
    np.testing.assert_allclose(carved.uv, picture_of(carved.vertices[:, [0, 2, 1]] * SIDE), atol=1e-6)


def test_what_the_picture_sees_from_near_stays_in_its_place_there() -> None:
    mesh = mesh_of(parallel=False)
    carved = correct(mesh, bumpy_map(), 1.0, nothing)
    assert np.abs(carved.vertices[: len(mesh.vertices)] - mesh.vertices).max() * SIDE > 0.5
    np.testing.assert_allclose(shown_at(carved, parallel=False), carved.uv, atol=1e-5)


@pytest.mark.parametrize("parallel", [True, False])
def test_no_triangle_turns_by_more_than_a_right_angle(monkeypatch: pytest.MonkeyPatch, *, parallel: bool) -> None:
    """A rough mesh under a smooth map, exaggerated: its slopes turn into their opposites."""
    monkeypatch.setattr("backend.detail.correct._MOST_POINTS", 0)  # nothing is split, so that both can be compared
    mesh = mesh_of(60, parallel=parallel)
    mesh.vertices[:, 1] += 1.5 / SIDE * np.random.default_rng(0).standard_normal(len(mesh.vertices))
    mesh = replace(mesh, uv=shown_at(mesh, parallel=parallel).astype(np.float32))
    carved = correct(mesh, bumpy_map(height=0.0), 2.0, nothing)
    before, after = (unit(across(each)) for each in (mesh, carved))
    assert (before * after).sum(axis=1).min() >= 0
    assert np.abs(carved.vertices - mesh.vertices).max() * SIDE > 4
    np.testing.assert_allclose(shown_at(carved, parallel=parallel), mesh.uv, atol=1e-5)


def shown_at(mesh: Mesh, *, parallel: bool) -> Float64Array:
    """Where the picture shows the vertices, (V, 2)."""
    return picture_of(mesh.vertices.astype(np.float64)[:, [0, 2, 1]] * (1, 1, -1) * SIDE, parallel=parallel)


def test_the_strength_is_how_far_it_goes() -> None:
    mesh, normal_map = mesh_of(), bumpy_map()
    count = len(mesh.vertices)
    ways = [correct(mesh, normal_map, strength, nothing).vertices[:count] - mesh.vertices for strength in (0.5, 1.0)]
    np.testing.assert_allclose(2 * ways[0], ways[1], atol=1e-6)
    assert stages.DETAILED.run(mesh, normal_map, detail=0.0, report=nothing) is mesh


def test_long_waves_stay_as_they_are() -> None:
    """A map that leans as a whole, by what the estimator has wrong, does not bend the body."""
    tilted = bumpy_map(height=0.0)
    leaning = unit(tilted.normals + np.array([0.2, 0.0, 0.0], np.float32))
    mesh = mesh_of()
    carved = correct(mesh, replace(tilted, normals=leaning), 1.0, nothing)
    assert np.abs(carved.vertices[: len(mesh.vertices)] - mesh.vertices).max() * SIDE < 1.5


def test_a_thin_body_is_not_pierced() -> None:
    mesh = mesh_of(flatter=0.03)
    normal_map = bumpy_map(height=2.0, flatter=0.03)
    carved = correct(mesh, normal_map, 2.0, nothing)
    places = np.column_stack([carved.uv[:, 0] * SIDE, (1 - carved.uv[:, 1]) * SIDE, carved.vertices[:, 1] * SIDE])
    front, back = (
        look(places * (1, 1, sign), carved.triangles, (SIDE, SIDE), perspective=False) for sign in (1.0, -1.0)
    )
    both = front.triangles >= 0
    a, b, c = np.moveaxis(places[carved.triangles][..., :2], 1, 0)
    is_front = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    assert is_front[front.triangles[both]].mean() > 0.995
    assert (~is_front[back.triangles[both]]).mean() > 0.995


def test_a_step_between_two_bodies_stays() -> None:
    """What stands before something else is neither drawn to it nor takes it along."""
    near, far = ball(16, 30.0, (0, 0, 60)), ball(20, RADIUS, (0, 0, -40))
    points, triangles = together(near, far)
    mesh = Mesh(
        (points[:, [0, 2, 1]] * (1, -1, 1) / SIDE).astype(np.float32), triangles, picture_of(points).astype(np.float32)
    )
    carved = correct(mesh, bumpy_map(), 1.0, nothing)
    moved = (carved.vertices[: len(points)] - mesh.vertices)[:, 1] * SIDE
    beside = np.abs(np.linalg.norm(points[:, :2], axis=1) - 30.0) < 1.0
    assert np.abs(moved[beside]).max() < 0.5
    assert np.abs(moved).max() < 6


def test_decoded_normals_turn_with_the_surface() -> None:
    mesh, normal_map = mesh_of(), bumpy_map()
    own = vertex_normals(mesh).astype(np.float32)
    carved = correct(replace(mesh, normals=own, colours=np.abs(own)), normal_map, 1.0, nothing)
    assert carved.normals is not None
    assert carved.colours is not None
    assert len(carved.normals) == len(carved.colours) == len(carved.vertices)
    off = np.degrees(np.arccos(np.clip((carved.normals * vertex_normals(carved)).sum(axis=1), -1, 1)))
    middle = np.linalg.norm(carved.vertices[:, [0, 2]], axis=1) * SIDE < 0.8 * RADIUS
    assert off[middle].mean() < 6
    behind = own[:, 1] > 0.1
    np.testing.assert_allclose(carved.normals[: len(own)][behind], own[behind], atol=1e-6)


def test_a_map_of_something_else_changes_nothing_and_a_note_says_so() -> None:
    mesh = mesh_of()
    scattered = replace(mesh, uv=np.random.default_rng(0).random(mesh.uv.shape).astype(np.float32))
    inward = replace(bumpy_map(), normals=bumpy_map().normals * np.array([-1, -1, 1], np.float32))
    for other, normal_map in ((scattered, bumpy_map()), (mesh, inward)):
        noted = stages.DETAILED.run(other, normal_map, detail=1.0, report=nothing)
        assert isinstance(noted, Noted)
        assert noted.product is other
        assert noted.notes == (
            "The mesh did not get the normal map's detail, because the map does not show it well enough.",
        )


@pytest.mark.parametrize("last", [0, 5, 12, 15])
def test_it_can_be_cancelled(last: int) -> None:
    def report(step: int, of: int) -> None:
        if step >= last:
            raise Cancelled

    with pytest.raises(Cancelled):
        correct(mesh_of(), bumpy_map(), 1.0, report)


def test_a_map_without_anything_trusted_changes_nothing() -> None:
    mesh, normal_map = mesh_of(), bumpy_map()
    carved = correct(mesh, replace(normal_map, alpha=np.zeros_like(normal_map.alpha)), 1.0, nothing)
    np.testing.assert_array_equal(carved.vertices, mesh.vertices)
    np.testing.assert_array_equal(carved.triangles, mesh.triangles)
