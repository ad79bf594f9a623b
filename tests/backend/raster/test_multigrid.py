# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid solver agrees with a dense solver, for any weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.errors import Cancelled
from backend.raster.multigrid import GridSystem, solve


def random_system(height: int, width: int, spread: float, seed: int) -> tuple[GridSystem, Float64Array]:
    """Return a system with a random mask and random weights over `spread` decades, and a right-hand side."""
    random = np.random.default_rng(seed)
    mask = random.random((height, width)) < 0.8

    def weights() -> Float64Array:
        return 10.0 ** random.uniform(-spread, 0, (height, width))

    right, down = weights() * mask, weights() * mask
    right[:, :-1] *= mask[:, 1:]
    down[:-1] *= mask[1:]
    right[:, -1] = 0
    down[-1] = 0
    return GridSystem(right, down, 0.01 * weights() * mask), random.normal(size=(height, width)) * mask


def dense(system: GridSystem) -> Float64Array:
    """Return the system's matrix."""
    count = system.pin.size
    return np.stack([system.apply(unit.reshape(system.shape)).ravel() for unit in np.eye(count)], axis=1)


grids = st.tuples(st.integers(1, 13), st.integers(2, 13), st.floats(0, 4), st.integers(0, 1000))


@given(grids)
def test_the_matrix_is_symmetric_and_its_rows_sum_to_the_pins(grid: tuple[int, int, float, int]) -> None:
    system, _ = random_system(*grid)
    matrix = dense(system)
    np.testing.assert_allclose(matrix, matrix.T)
    np.testing.assert_allclose(matrix.sum(axis=1), system.pin.ravel(), atol=1e-12)
    np.testing.assert_allclose(np.diag(matrix), system.diagonal.ravel())


@given(grids)
@settings(deadline=None)
def test_solutions_agree_with_a_dense_solver(grid: tuple[int, int, float, int]) -> None:
    system, rhs = random_system(*grid)
    found = solve(system, rhs, np.zeros(system.shape), 1e-12, lambda _: None)
    inside = system.diagonal.ravel() > 0
    expected = np.zeros(rhs.size)
    expected[inside] = np.linalg.solve(dense(system)[np.ix_(inside, inside)], rhs.ravel()[inside])
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max(initial=1e-9))


def test_differences_of_a_surface_give_the_surface_back() -> None:
    random = np.random.default_rng(0)
    surface = random.normal(size=(40, 33))
    right, down = np.zeros(surface.shape), np.zeros(surface.shape)
    right[:, :-1] = 1.0
    down[:-1] = 1.0
    system = GridSystem(right, down, np.zeros(surface.shape))
    rise_right, rise_down = np.zeros(surface.shape), np.zeros(surface.shape)
    rise_right[:, :-1] = np.diff(surface, axis=1)
    rise_down[:-1] = np.diff(surface, axis=0)
    found = solve(system, system.divergence(rise_right, rise_down), np.zeros(surface.shape), 1e-10, lambda _: None)
    np.testing.assert_allclose(found - found.mean(), surface - surface.mean(), atol=1e-6)


def test_ticks_rise_from_zero_towards_one_and_can_end_the_work() -> None:
    system, rhs = random_system(64, 64, 0.0, 1)
    seen: list[float] = []
    solve(system, rhs, np.zeros(system.shape), 1e-6, seen.append)
    assert seen[0] < 0.1
    assert seen[-1] > 0.5
    assert all(0 <= fraction <= 1 for fraction in seen)

    def cancel(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        solve(system, rhs, np.zeros(system.shape), 1e-6, cancel)
