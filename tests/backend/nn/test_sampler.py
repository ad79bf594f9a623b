# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler against flows whose paths are known, and against guidance written out."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import Cancelled
from backend.nn.sampler import Sampling, sample, time_grid

Floats = NDArray[np.float64]
NOISE = np.array([1.5, -0.25, 3.0])
DATA = np.array([0.5, 2.0, -1.0])


def nobody(step: int, of: int) -> None:
    """Watches a sampler without wishes."""


@given(steps=st.integers(1, 60), rescale_t=st.floats(0.2, 8))
def test_a_straight_path_is_walked_exactly(steps: int, rescale_t: float) -> None:
    def straight(x: Floats, t: float, *, conditional: bool) -> Floats:
        return NOISE - DATA

    found = sample(straight, NOISE, Sampling(steps, 0, rescale_t=rescale_t), nobody)
    np.testing.assert_allclose(found, DATA, rtol=0, atol=1e-12)


def test_the_error_on_a_curved_path_is_of_the_first_order() -> None:
    """dx/dt = a x takes the noise n to n exp(-a)."""
    rate = 0.8

    def curved(x: Floats, t: float, *, conditional: bool) -> Floats:
        return rate * x

    exact = NOISE * math.exp(-rate)
    coarse, fine = (
        float(np.abs(sample(curved, NOISE, Sampling(steps, 0), nobody) - exact).max()) for steps in (100, 200)
    )
    assert fine < 0.01
    assert coarse / fine == pytest.approx(2, rel=0.03)


def test_every_step_starts_at_the_time_that_the_last_one_ended_at() -> None:
    """dx/dt = t over one walk sums the times: sum t_i (t_i - t_{i+1})."""

    def slope(x: Floats, t: float, *, conditional: bool) -> Floats:
        return np.full_like(x, t)

    grid = [1, 6 / 7, 2 / 3, 0.4, 0]
    assert time_grid(4, 2.0) == pytest.approx([1, 6 / 7, 2 / 3, 0.4, 0])
    expected = NOISE - sum(t * (t - after) for t, after in pairwise(grid))
    np.testing.assert_allclose(sample(slope, NOISE, Sampling(4, 0, rescale_t=2.0), nobody), expected, atol=1e-12)


def test_guidance_acts_inside_its_interval_and_at_both_ends() -> None:
    asked: list[tuple[float, bool]] = []

    def velocity(x: Floats, t: float, *, conditional: bool) -> Floats:
        asked.append((t, conditional))
        return np.full_like(x, 5.0 if conditional else 1.0)

    found = sample(velocity, NOISE, Sampling(4, 2.0, (0.25, 0.75), 1.0), nobody)
    assert asked == [(1, True), (0.75, True), (0.75, False), (0.5, True), (0.5, False), (0.25, True), (0.25, False)]
    guided = 3 * 5.0 - 2 * 1.0
    np.testing.assert_allclose(found, NOISE - (0.25 * 5.0 + 0.75 * guided), atol=1e-12)


@pytest.mark.parametrize(("steps", "evaluations"), [(50, 88), (6, 11), (25, 44)])
def test_the_published_settings_need_the_published_number_of_evaluations(steps: int, evaluations: int) -> None:
    assert Sampling(steps).evaluations == evaluations


def test_progress_counts_finished_steps_and_can_end_the_walk() -> None:
    told: list[tuple[int, int]] = []

    def velocity(x: Floats, t: float, *, conditional: bool) -> Floats:
        return x

    def report(step: int, of: int) -> None:
        told.append((step, of))
        if len(told) == 6:
            raise Cancelled

    sample(velocity, NOISE, Sampling(2, 3.0, (0.6, 1.0)), lambda step, of: told.append((step, of)))
    assert told == [(0, 2), (0, 2), (1, 2), (1, 2), (2, 2)]
    with pytest.raises(Cancelled):
        sample(velocity, NOISE, Sampling(2), report)
