# SPDX-License-Identifier: GPL-3.0-or-later
"""The triangulation has no gaps at any tolerance, is fine where the surface bends, and is cut along any outline."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array, Int64Array
from backend.engines.draft import lattice

SIZE = 2 * lattice.BLOCK + 1


def surface_of(height: Float64Array) -> Float64Array:
    """Return heights as a surface over the lattice."""
    row, column = np.mgrid[: height.shape[0], : height.shape[1]].astype(np.float64)
    return np.stack([column, row, height])


def area(triangles: Int64Array, width: int) -> Float64Array:
    """Return twice each triangle's signed area in the picture, positive if it is seen counter-clockwise."""
    row, column = np.divmod(triangles, width)
    x, y = column, -row
    return (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])


def inner_edges_match(triangles: Int64Array, width: int) -> bool:
    """Whether every edge inside the lattice belongs to two triangles, once in each direction."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    there = {(int(a), int(b)) for a, b in edges}
    last = width - 1

    def on_border(a: int, b: int) -> bool:
        (ra, ca), (rb, cb) = divmod(a, width), divmod(b, width)
        return (ra == rb and ra in (0, last)) or (ca == cb and ca in (0, last))

    return len(there) == len(edges) and all((b, a) in there or on_border(a, b) for a, b in there)


@given(st.integers(0, 1000), st.floats(0.0, 3.0))
@settings(deadline=None, max_examples=30)
def test_no_tolerance_leaves_gaps_or_overlaps(seed: int, tolerance: float) -> None:
    random = np.random.default_rng(seed)
    height = random.normal(size=(SIZE, SIZE)) * (random.random((SIZE, SIZE)) < 0.02)
    error = lattice.errors(surface_of(height), np.ones((SIZE, SIZE), np.bool_))
    triangles = lattice.triangulate(error, tolerance)
    areas = area(triangles, SIZE)
    assert (areas > 0).all()
    assert areas.sum() == 2 * (SIZE - 1) ** 2
    assert inner_edges_match(triangles, SIZE)


def test_flat_parts_take_few_triangles_and_a_bump_takes_many() -> None:
    row, column = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    bump = 5 * np.exp(-((row - 16) ** 2 + (column - 16) ** 2) / 20)
    inside = np.ones((SIZE, SIZE), np.bool_)
    flat = lattice.triangulate(lattice.errors(surface_of(np.zeros((SIZE, SIZE))), inside), 0.01)
    assert len(flat) == 16  # four for each block
    error = lattice.errors(surface_of(bump), inside)
    corners = [np.divmod(lattice.triangulate(error, limit).ravel(), SIZE) for limit in (0.01, 0.3)]
    near = [(np.hypot(r - SIZE // 2 - 16, c - SIZE // 2 - 16) < 16).mean() for r, c in corners]
    assert near[0] > 0.5
    assert len(corners[1][0]) < len(corners[0][0]) / 4


@given(seed=st.integers(0, 1000), density=st.floats(0.2, 0.8), hard=st.booleans())
@settings(deadline=None, max_examples=40)
def test_the_rim_runs_through_each_of_its_vertices_once(*, seed: int, density: float, hard: bool) -> None:
    random = np.random.default_rng(seed)
    alpha = np.zeros((SIZE, SIZE))
    alpha[1:-1, 1:-1] = random.random((SIZE - 2, SIZE - 2))
    if hard:
        alpha = (alpha > 1 - density).astype(np.float64)
    error = lattice.errors(surface_of(np.zeros((SIZE, SIZE))), alpha > 0.5)
    found = lattice.cut(lattice.triangulate(error, 0.1), alpha)
    assert (alpha.ravel()[found.points] > 0.5).all()
    edges = np.concatenate([found.triangles[:, [0, 1]], found.triangles[:, [1, 2]], found.triangles[:, [2, 0]]])
    there = {(int(a), int(b)) for a, b in edges}
    open_edges = [edge for edge in there if edge[::-1] not in there]
    first_rim = len(found.points)
    starts = [a for a, _ in open_edges]
    assert len(there) == len(edges)
    assert all(a >= first_rim and b >= first_rim for a, b in open_edges)
    assert sorted(starts) == list(range(first_rim, first_rim + len(found.rim_fraction)))


def test_the_rim_lies_where_alpha_crosses_one_half() -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[10:50, 10:50] = 1.0
    alpha[10:50, 9] = 0.25
    error = lattice.errors(surface_of(np.zeros((SIZE, SIZE))), alpha > 0.5)
    found = lattice.cut(lattice.triangulate(error, 0.1), alpha)
    level = (found.rim_inside // SIZE == found.rim_outside // SIZE) & (found.rim_outside % SIZE == 9)
    assert level.sum() == 40
    assert found.rim_fraction[level] == pytest.approx(2 / 3)


def test_points_that_turn_triangles_over_are_found() -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[10:50, 10:50] = 1.0
    surface = surface_of(np.zeros((SIZE, SIZE)))
    error = np.full((SIZE, SIZE), np.inf)
    triangulation = lattice.cut(lattice.triangulate(error, 0.1), alpha)
    assert len(lattice.folded(triangulation, surface)) == 0
    surface[0, 30, 30] += 3.0  # past its right neighbour
    surface[0, 20, 10] -= 0.9  # across the rim
    found = {tuple(divmod(point, SIZE)) for point in lattice.folded(triangulation, surface).tolist()}
    assert {(30, 30), (20, 10)} <= found
    assert all(np.hypot(r - 30, c - 30) <= 4 or np.hypot(r - 20, c - 10) <= 2 for r, c in found)
