# SPDX-License-Identifier: GPL-3.0-or-later
"""Floaters and specks are dropped; the body and its real parts stay."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Float64Array, Int64Array
from backend.flow.products import Mesh
from backend.mesh.parts import drop_floaters, drop_specks, parts_of

Drop = Callable[[Mesh], tuple[Mesh, int]]


def ball(radius: float = 1.0, around: int = 24) -> tuple[Float64Array, Int64Array]:
    """Return a ball of rings between two poles, outward."""
    turn, rings = np.arange(around) / around * 2 * np.pi, around // 2
    slope = np.arange(1, rings)[:, None] / rings * np.pi
    ring = np.stack([np.sin(slope) * np.cos(turn), np.sin(slope) * np.sin(turn), np.cos(slope) + 0 * turn], axis=-1)
    points = np.concatenate([ring.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]]) * radius
    here, there = np.arange(around), (np.arange(around) + 1) % around
    top, bottom = len(points) - 2, len(points) - 1
    last = (rings - 2) * around
    triangles = [
        np.stack([here, there, here * 0 + top], 1),
        np.stack([last + there, last + here, here * 0 + bottom], 1),
    ]
    for row in range(0, last, around):
        a, b, c, d = row + here, row + there, row + around + here, row + around + there
        triangles += [np.stack([a, c, d], 1), np.stack([a, d, b], 1)]
    return points, np.concatenate(triangles)


def squashed(x: float, y: float, z: float) -> tuple[Float64Array, Int64Array]:
    """Return an ellipsoid by its half axes."""
    points, triangles = ball()
    return points * np.array([x, y, z]), triangles


def turned(points: Float64Array, seed: int) -> Float64Array:
    """Return points in a random direction."""
    return points @ np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0].T


def curled(radius: float, thickness: float) -> tuple[Float64Array, Int64Array]:
    """Return half of a hollow sphere, with a wall of this thickness."""
    points, triangles = ball(1.0)
    inner = points[:, 2] < 0
    points = np.where(inner[:, None], points * np.array([1, 1, -1]) * (1 - thickness / radius), points) * radius
    return points, triangles


def mesh_of(*bodies: tuple[Float64Array, Int64Array]) -> Mesh:
    """Return bodies side by side as one mesh."""
    points: list[Float64Array] = []
    triangles: list[Int64Array] = []
    count = 0
    for place, (own, faces) in enumerate(bodies):
        points.append(own + np.array([3.0 * place, 0, 0]))
        triangles.append(faces + count)
        count += len(own)
    vertices = np.concatenate(points).astype(np.float32)
    numbers = np.arange(count, dtype=np.float32)
    return Mesh(
        vertices,
        np.concatenate(triangles).astype(np.int32),
        np.stack([numbers, numbers], axis=1),
        np.stack([numbers] * 3, axis=1),
        np.stack([numbers] * 3, axis=1),
    )


def test_a_ball_has_the_measures_of_a_ball() -> None:
    parts = parts_of(mesh_of(ball(0.5, 64)))
    assert parts.of.max() == 0
    np.testing.assert_allclose(parts.extents, [[1, 1, 1]], atol=0.01)
    assert parts.thickness[0] == pytest.approx(1, abs=0.01)
    assert parts.plate_thickness[0] == pytest.approx(1 / 3, abs=0.01)
    assert parts.area[0] == pytest.approx(np.pi, abs=0.02)


@given(thick=st.floats(0.118, 0.3), thin=st.floats(0.001, 0.014), seed=st.integers(0, 99))
def test_flakes_are_dropped_and_parts_stay(*, thick: float, thin: float, seed: int) -> None:
    """In any direction; the body is 2 long, and thicknesses are those found in results of the network."""
    points, triangles = squashed(0.3, 0.2, thin)
    flake = turned(points, seed), triangles
    points, triangles = squashed(thick, thick, thick)
    part = turned(points, seed), triangles
    body = ball()
    cleaned, count = drop_floaters(mesh_of(flake, body, part))
    assert count == 1
    assert len(cleaned.triangles) == len(body[1]) + len(part[1])
    assert len(cleaned.vertices) == len(body[0]) + len(part[0])


def test_a_curled_flake_is_dropped() -> None:
    _, count = drop_floaters(mesh_of(ball(), curled(0.2, 0.02)))
    assert count == 1
    _, count = drop_floaters(mesh_of(ball(), curled(0.2, 0.15)))
    assert count == 0


def test_a_large_thin_part_stays_and_so_does_a_thin_body() -> None:
    cape = squashed(0.8, 0.8, 0.01)
    assert drop_floaters(mesh_of(ball(), cape))[1] == 0
    assert drop_floaters(mesh_of(cape))[1] == 0


def test_an_inner_wall_stays() -> None:
    points, triangles = ball(0.9)
    shell = mesh_of(ball(), (points - np.array([3.0, 0, 0]), triangles[:, ::-1]))
    cleaned, count = drop_floaters(shell)
    assert count == 0
    assert len(cleaned.triangles) == len(shell.triangles)


@pytest.mark.parametrize("drop", [drop_floaters, drop_specks])
def test_uv_colours_and_normals_stay_with_their_vertices(drop: Drop) -> None:
    small = ball(0.005)
    cleaned, count = drop(mesh_of(small, ball(), small))
    assert count == 2
    kept = np.arange(len(small[0]), len(small[0]) * 2)
    np.testing.assert_array_equal(cleaned.uv[:, 0], kept)
    assert cleaned.colours is not None
    np.testing.assert_array_equal(cleaned.colours[:, 0], kept)
    assert cleaned.normals is not None
    np.testing.assert_array_equal(cleaned.normals[:, 0], kept)
    assert cleaned.triangles.dtype == np.int32


def test_a_long_thin_part_is_a_floater_and_not_a_speck() -> None:
    twig = squashed(0.2, 0.01, 0.01)
    assert drop_floaters(mesh_of(ball(), twig))[1] == 1
    assert drop_specks(mesh_of(ball(), twig))[1] == 0


@pytest.mark.parametrize("drop", [drop_floaters, drop_specks])
def test_uvs_by_corner_stay_with_their_triangles(drop: Drop) -> None:
    by_vertex = mesh_of(ball(0.005), ball(), ball(0.005))
    by_corner = replace(by_vertex, uv=by_vertex.corner_uv)
    np.testing.assert_array_equal(drop(by_corner)[0].uv, drop(by_vertex)[0].corner_uv)


@pytest.mark.parametrize("drop", [drop_floaters, drop_specks])
def test_a_mesh_without_triangles_has_no_parts(drop: Drop) -> None:
    empty = Mesh(np.zeros((2, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((2, 2), np.float32))
    assert drop(empty) == (empty, 0)


def test_an_object_of_specks_stays() -> None:
    body = np.array(squashed(0.01, 0.01, 0.01)[0]), squashed(1, 1, 1)[1]
    specks = mesh_of(*((body[0] + [x, 0, 0], body[1]) for x in range(4)))
    assert drop_specks(specks)[1] == 0
    assert len(drop_specks(specks)[0].triangles) == len(specks.triangles)
