# SPDX-License-Identifier: GPL-3.0-or-later
"""Needles and caps are removed; the surface stays closed and does not move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array, Int64Array
from backend.mesh import check
from backend.mesh.slivers import SLIVER, remove_slivers, roundness


def ignore() -> None:
    """Watch nothing."""


def ball(around: int, up: int) -> tuple[Float64Array, Int64Array]:
    """Return a sphere of rings and two poles, outward."""
    i, j = (part.ravel() for part in np.mgrid[: up - 1, :around])
    tilt, turn = np.pi * (i + 1) / up, 2 * np.pi * j / around
    rings = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)], axis=1)
    i, j = (part.ravel() for part in np.mgrid[: up - 2, :around])
    a, b = i * around + j, i * around + (j + 1) % around
    first, last = np.arange(around), (up - 2) * around + np.arange(around)
    top = np.full(around, len(rings))
    triangles = [
        np.stack([a, a + around, b + around], axis=1),
        np.stack([a, b + around, b], axis=1),
        np.stack([top, first, np.roll(first, -1)], axis=1),
        np.stack([top + 1, np.roll(last, -1), last], axis=1),
    ]
    return np.concatenate([rings, [[0, 0, 1], [0, 0, -1]]]), np.concatenate(triangles)


def with_points_in(
    points: Float64Array, triangles: Int64Array, chosen: Int64Array, near: float
) -> tuple[Float64Array, Int64Array]:
    """Put a vertex into each chosen triangle, at `near` of its height from its first side: a cap and two others."""
    a, b, c = triangles[chosen].T
    new = len(points) + np.arange(len(chosen))
    inner = (1 - near) * (points[a] + points[b]) / 2 + near * points[c]
    parts = [np.stack(corners, axis=1) for corners in ((a, b, new), (b, c, new), (c, a, new))]
    return np.concatenate([points, inner]), np.concatenate([np.delete(triangles, chosen, axis=0), *parts])


@given(st.integers(12, 24), st.integers(8, 16), st.integers(0, 1000), st.floats(0.001, 0.01))
@settings(deadline=None, max_examples=30)
def test_caps_are_removed_and_the_surface_stays(around: int, up: int, seed: int, near: float) -> None:
    points, triangles = ball(around, up)
    chosen = np.random.default_rng(seed).choice(len(triangles), 10, replace=False)
    points, triangles = with_points_in(points, triangles, chosen, near)
    assert (roundness(points[triangles]) < SLIVER).sum() >= 10
    changed, uv, left = remove_slivers(points, points[:, :2], triangles, np.zeros(len(points), np.bool_), ignore)
    assert (roundness(changed[left]) < SLIVER).sum() == 0
    assert check.is_closed(left)
    assert check.pinched_vertices(left) == 0
    assert check.signed_volume(changed, left) == pytest.approx(check.signed_volume(points, triangles), rel=1e-3)
    np.testing.assert_allclose(uv[np.unique(left)], changed[np.unique(left)][:, :2])


def test_a_mesh_without_slivers_is_returned_unchanged() -> None:
    points, triangles = ball(16, 8)
    changed, _, left = remove_slivers(points, points[:, :2], triangles, np.zeros(len(points), np.bool_), ignore)
    np.testing.assert_array_equal(changed, points)
    np.testing.assert_array_equal(left, triangles)


def test_a_needle_stays_if_the_surface_would_have_to_move() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.03, 0], [0.5, 0.015, 0.03]])
    needle = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    changed, _, left = remove_slivers(corners, corners[:, :2], needle, np.zeros(len(corners), np.bool_), ignore)
    np.testing.assert_array_equal(changed, corners)
    np.testing.assert_array_equal(left, needle)


def test_roundness_is_one_for_equilateral_triangles_and_zero_for_lines() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0], [2, 0, 0]])
    np.testing.assert_allclose(roundness(points[[[0, 1, 2], [0, 1, 3]]]), [1, 0], atol=1e-12)
