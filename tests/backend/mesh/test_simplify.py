# SPDX-License-Identifier: GPL-3.0-or-later
"""A simplified mesh keeps to its budget, stays a closed manifold, and keeps its shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array, Int64Array
from backend.mesh import check
from backend.mesh.simplify import simplify
from backend.mesh.slivers import roundness


def ignore(_fraction: float) -> None:
    """Watch nothing."""


def torus(around: int, across: int) -> tuple[Float64Array, Int64Array]:
    """Return a torus of radii 1 and 0.4, outward."""
    i, j = (part.ravel() for part in np.mgrid[:around, :across])
    u, v = 2 * np.pi * i / around, 2 * np.pi * j / across
    points = np.stack([(1 + 0.4 * np.cos(v)) * np.cos(u), (1 + 0.4 * np.cos(v)) * np.sin(u), 0.4 * np.sin(v)], axis=1)
    a, b = i * across + j, (i + 1) % around * across + j
    c, d = (i + 1) % around * across + (j + 1) % across, i * across + (j + 1) % across
    return points, np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def box(steps: int) -> tuple[Float64Array, Int64Array]:
    """Return a unit cube, every side a grid of `steps` squares, outward."""
    points: list[Float64Array] = []
    triangles: list[Int64Array] = []
    row, column = (part.ravel() for part in np.mgrid[: steps + 1, : steps + 1] / steps)
    i, j = (part.ravel() for part in np.mgrid[:steps, :steps])
    a = i * (steps + 1) + j
    grid = np.concatenate([np.stack([a, a + steps + 1, a + steps + 2], 1), np.stack([a, a + steps + 2, a + 1], 1)])
    for axis in range(3):
        for side in (0.0, 1.0):
            place = np.empty((len(row), 3))
            place[:, axis], place[:, (axis + 1) % 3], place[:, (axis + 2) % 3] = side, row, column
            triangles.append((grid if side else grid[:, ::-1]) + len(points) * len(row))
            points.append(place)
    welded, numbered = np.unique(np.round(np.concatenate(points) * steps).astype(np.int64), axis=0, return_inverse=True)
    return welded / steps, numbered.reshape(-1)[np.concatenate(triangles)]


@given(st.integers(8, 40), st.integers(6, 30), st.integers(60, 1500))
@settings(deadline=None, max_examples=25)
def test_a_torus_stays_a_closed_torus_at_any_budget(around: int, across: int, budget: int) -> None:
    points, triangles = torus(around, across)
    uv = points[:, :2].copy()
    small, small_uv, left = simplify(points, uv, triangles, budget, ignore)
    assert len(left) <= budget
    assert check.is_closed(left)
    assert check.pinched_vertices(left) == 0
    assert len(small) - len(check.half_edges(left)) // 2 + len(left) == 0  # Euler: one hole
    assert len(small_uv) == len(small)


def test_flat_sides_lose_triangles_and_corners_stay() -> None:
    points, triangles = box(12)
    small, _, left = simplify(points, points[:, :2].copy(), triangles, 60, ignore)
    assert len(left) <= 60
    assert check.signed_volume(small, left) == pytest.approx(1, abs=2e-3)
    for corner in np.ndindex(2, 2, 2):
        assert np.abs(small - corner).max(axis=1).min() < 0.01


def test_shape_and_uv_stay_with_a_tenth_of_the_triangles() -> None:
    points, triangles = torus(120, 60)
    small, uv, left = simplify(points, points[:, :2].copy(), triangles, len(triangles) // 10, ignore)
    ring = np.hypot(np.hypot(small[:, 0], small[:, 1]) - 1, small[:, 2])
    np.testing.assert_allclose(ring, 0.4, atol=0.01)
    assert np.abs(uv - small[:, :2]).max() < 0.05
    assert check.signed_volume(small, left) == pytest.approx(check.signed_volume(points, triangles), rel=0.01)


def test_needles_are_removed_even_within_the_budget() -> None:
    points, triangles = torus(40, 20)
    points = np.where((np.arange(len(points)) % 20 == 3)[:, None], 0.02 * points + 0.98 * np.roll(points, 1, 0), points)
    assert (roundness(points[triangles]) < 0.1).sum() > 30
    small, _, left = simplify(points, points[:, :2].copy(), triangles, 10**6, ignore)
    assert (roundness(small[left]) < 0.1).sum() == 0
    assert check.is_closed(left)


def test_the_same_mesh_gives_the_same_result_to_the_bit() -> None:
    points, triangles = torus(50, 30)
    first, second = (simplify(points, points[:, :2].copy(), triangles, 400, ignore) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_open_border_stays_as_it_is() -> None:
    points, triangles = torus(60, 30)
    middle = points[triangles].mean(axis=1)
    triangles = triangles[middle[:, 0] > -0.5]
    border = check.border_vertices(triangles, len(points))
    small, _, left = simplify(points, points[:, :2].copy(), triangles, 300, ignore)
    assert len(left) < 0.3 * len(triangles)
    assert check.pinched_vertices(left) == 0
    kept = small[check.border_vertices(left, len(small))]
    np.testing.assert_array_equal(np.unique(kept, axis=0), np.unique(points[border], axis=0))


def test_engraved_lines_stay_sharp() -> None:
    """The box's top has grooves a few triangles wide."""
    points, triangles = box(48)
    groove = (points[:, 2] == 1) & (np.isin(np.round(points[:, 0] * 48), (11, 12, 13, 30, 31, 32)))
    points[groove, 2] -= 0.03
    small, _, left = simplify(points, points[:, :2].copy(), triangles, len(triangles) // 20, ignore)
    top = small[(small[:, 2] > 0.9) & (np.abs(small - 0.5).max(axis=1) < 0.499)]
    assert np.minimum(np.abs(top[:, 2] - 1), np.abs(top[:, 2] - 0.97)).max() < 0.002
    before, after = (check.signed_volume(p, t) for p, t in ((points, triangles), (small, left)))
    assert after == pytest.approx(before, abs=2e-4)


@pytest.mark.parametrize("attributes", [np.zeros((7, 3, 2)), np.zeros((5, 2))])
def test_attributes_that_are_not_given_by_vertex_are_refused(attributes: Float64Array) -> None:
    points, triangles = torus(8, 6)
    with pytest.raises(ValueError, match="expected attributes by vertex"):
        simplify(points, attributes, triangles, 100, ignore)


def test_any_number_of_attributes_is_blended() -> None:
    points, triangles = torus(60, 30)
    columns = np.concatenate([points, points**2], axis=1)
    small, blended, _ = simplify(points, columns, triangles, 600, ignore)
    assert blended.shape == (len(small), 6)
    assert np.abs(blended[:, :3] - small).max() < 0.12
    assert np.abs(blended[:, :3] - small).mean() < 0.02
