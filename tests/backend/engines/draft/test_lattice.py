# SPDX-License-Identifier: GPL-3.0-or-later
"""The lattice is closed at every tolerance, spends points where they matter, and is cut cleanly along any outline."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.engines.draft import lattice

Array = NDArray[np.float64]

SIZE = 2 * lattice.BLOCK + 1


def over(height: Array) -> Array:
    """A height as a surface over the lattice."""
    row, column = np.mgrid[: height.shape[0], : height.shape[1]].astype(np.float64)
    return np.stack([column, row, height])


def area(triangles: NDArray[np.int64], width: int) -> Array:
    """Twice each triangle's signed area in the picture, counter-clockwise positive as seen."""
    row, column = np.divmod(triangles, width)
    x, y = column, -row
    return (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])


def inner_edges_match(triangles: NDArray[np.int64], width: int) -> bool:
    """Whether every edge that is not on the lattice's border is shared by two triangles, once each way."""
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
    error = lattice.importance(over(height), np.ones((SIZE, SIZE), np.bool_))
    triangles = lattice.triangulate(error, tolerance)
    areas = area(triangles, SIZE)
    assert (areas > 0).all()
    assert areas.sum() == 2 * (SIZE - 1) ** 2
    assert inner_edges_match(triangles, SIZE)


def test_flat_parts_take_few_triangles_and_a_bump_takes_many() -> None:
    row, column = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    bump = 5 * np.exp(-((row - 16) ** 2 + (column - 16) ** 2) / 20)
    inside = np.ones((SIZE, SIZE), np.bool_)
    flat = lattice.triangulate(lattice.importance(over(np.zeros((SIZE, SIZE))), inside), 0.01)
    assert len(flat) == 16  # four for each block
    error = lattice.importance(over(bump), inside)
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
    error = lattice.importance(over(np.zeros((SIZE, SIZE))), alpha > 0.5)
    sheet = lattice.cut(lattice.triangulate(error, 0.1), alpha)
    assert (alpha.ravel()[sheet.points] > 0.5).all()
    edges = np.concatenate([sheet.triangles[:, [0, 1]], sheet.triangles[:, [1, 2]], sheet.triangles[:, [2, 0]]])
    there = {(int(a), int(b)) for a, b in edges}
    open_edges = [edge for edge in there if edge[::-1] not in there]
    first_rim = len(sheet.points)
    starts = [a for a, _ in open_edges]
    assert len(there) == len(edges)
    assert all(a >= first_rim and b >= first_rim for a, b in open_edges)
    assert sorted(starts) == list(range(first_rim, first_rim + len(sheet.rim_fraction)))


def test_the_rim_lies_where_alpha_crosses_one_half() -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[10:50, 10:50] = 1.0
    alpha[10:50, 9] = 0.25
    error = lattice.importance(over(np.zeros((SIZE, SIZE))), alpha > 0.5)
    sheet = lattice.cut(lattice.triangulate(error, 0.1), alpha)
    level = (sheet.rim_inside // SIZE == sheet.rim_outside // SIZE) & (sheet.rim_outside % SIZE == 9)
    assert level.sum() == 40
    assert sheet.rim_fraction[level] == pytest.approx(2 / 3)


def test_points_that_fold_the_sheet_are_found() -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[10:50, 10:50] = 1.0
    surface = over(np.zeros((SIZE, SIZE)))
    error = np.full((SIZE, SIZE), np.inf)
    sheet = lattice.cut(lattice.triangulate(error, 0.1), alpha)
    assert len(lattice.folded(sheet, surface)) == 0
    surface[0, 30, 30] += 3.0  # past its right neighbour
    surface[0, 20, 10] -= 0.9  # across the rim
    found = {tuple(divmod(point, SIZE)) for point in lattice.folded(sheet, surface).tolist()}
    assert {(30, 30), (20, 10)} <= found
    assert all(np.hypot(r - 30, c - 30) <= 4 or np.hypot(r - 20, c - 10) <= 2 for r, c in found)
