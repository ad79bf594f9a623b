# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler against flows whose paths are known, and against guidance written out."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import Cancelled
from backend.nn.sampler import Sampling, Velocity, alternating, sample, time_grid

Float32Array = NDArray[np.float64]
NOISE = np.array([1.5, -0.25, 3.0])
DATA = np.array([0.5, 2.0, -1.0])


def no_report(step: int, of: int) -> None:
    """Ignores the progress."""


@given(steps=st.integers(1, 60), rescale_t=st.floats(0.2, 8))
def test_a_straight_path_is_followed_exactly(steps: int, rescale_t: float) -> None:
    def straight(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        return NOISE - DATA

    found = sample(straight, NOISE, Sampling(steps, 0, rescale_t=rescale_t), no_report)
    np.testing.assert_allclose(found, DATA, rtol=0, atol=1e-12)


def test_the_error_on_a_curved_path_is_of_the_first_order() -> None:
    """dx/dt = a x takes the noise n to n exp(-a)."""
    rate = 0.8

    def curved(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        return rate * x

    exact = NOISE * math.exp(-rate)
    coarse, fine = (
        float(np.abs(sample(curved, NOISE, Sampling(steps, 0), no_report) - exact).max()) for steps in (100, 200)
    )
    assert fine < 0.01
    assert coarse / fine == pytest.approx(2, rel=0.03)


def test_every_step_starts_at_the_time_that_the_last_one_ended_at() -> None:
    """dx/dt = t sums the times: sum t_i (t_i - t_{i+1})."""

    def slope(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        return np.full_like(x, t)

    grid = [1, 6 / 7, 2 / 3, 0.4, 0]
    assert time_grid(4, 2.0) == pytest.approx([1, 6 / 7, 2 / 3, 0.4, 0])
    expected = NOISE - sum(t * (t - after) for t, after in pairwise(grid))
    np.testing.assert_allclose(sample(slope, NOISE, Sampling(4, 0, rescale_t=2.0), no_report), expected, atol=1e-12)


def test_guidance_acts_inside_its_interval_and_at_both_ends() -> None:
    asked: list[tuple[float, bool]] = []

    def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        asked.append((t, conditional))
        return np.full_like(x, 5.0 if conditional else 1.0)

    found = sample(velocity, NOISE, Sampling(4, 2.0, (0.25, 0.75), 1.0), no_report)
    assert asked == [(1, True), (0.75, True), (0.75, False), (0.5, True), (0.5, False), (0.25, True), (0.25, False)]
    guided = 3 * 5.0 - 2 * 1.0
    np.testing.assert_allclose(found, NOISE - (0.25 * 5.0 + 0.75 * guided), atol=1e-12)


@pytest.mark.parametrize(("steps", "evaluations"), [(50, 88), (6, 11), (25, 44)])
def test_the_published_settings_need_the_published_number_of_evaluations(steps: int, evaluations: int) -> None:
    assert Sampling(steps).evaluations == evaluations


def test_a_velocity_that_changes_evenly_is_extrapolated_exactly() -> None:
    """With guidance that begins, ends and changes evenly too: what is not computed is known all the same."""
    asked: list[tuple[float, bool]] = []

    def even(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        asked.append((t, conditional))
        return NOISE + 3 * t * DATA if conditional else DATA - t * NOISE

    whole = Sampling(30, 2.0, (0.3, 0.8))
    sparing = replace(whole, every=4)
    expected = sample(even, NOISE, whole, no_report)
    assert len(asked) == whole.evaluations
    asked.clear()
    np.testing.assert_allclose(sample(even, NOISE, sparing, no_report), expected, rtol=0, atol=1e-12)
    assert len(asked) == sparing.evaluations < whole.evaluations / 2


@given(steps=st.integers(2, 60), every=st.integers(2, 9), rescale_t=st.floats(0.5, 4))
def test_extrapolation_errs_by_no_more_than_the_velocitys_curvature_allows(
    steps: int, every: int, rescale_t: float
) -> None:
    """A line through two values of v misses a third by at most max |v''| / 2 times its distances to both."""

    def curved(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        return np.sin(5 * t + NOISE)

    whole = Sampling(steps, 0, rescale_t=rescale_t)
    sparing = replace(whole, every=every)
    bound, known = 1e-12, [0.0, 0.0]
    for step in sparing.schedule():
        if step.computed:
            known = [known[1], step.t]
        else:
            bound += 25 / 2 * (known[0] - step.t) * (known[1] - step.t) * (step.t - step.t_next)
    difference = sample(curved, NOISE, sparing, no_report) - sample(curved, NOISE, whole, no_report)
    assert np.abs(difference).max() <= bound


def gaussian(seen: Float32Array, unseen: Float32Array) -> Velocity[Float32Array]:
    """The flow of data without correlations, normal with the deviations `seen`, or `unseen` without the picture."""

    def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        variance = (seen if conditional else unseen) ** 2
        return x * (t - (1 - t) * variance) / (t**2 + (1 - t) ** 2 * variance)

    return velocity


def test_extrapolation_is_nearer_to_every_step_than_these_are_to_the_exact_path() -> None:
    """Without guidance the path is noise sqrt(t^2 + (1 - t)^2 s^2); guidance mixes the logarithms."""
    seen, unseen = np.geomspace(0.05, 2, 40), np.geomspace(0.1, 1.5, 40)
    noise = np.random.default_rng(1).standard_normal(40)
    middle, strength = 0.5, 3.0

    def width(deviation: Float32Array, t: float) -> Float32Array:
        return np.sqrt(t**2 + (1 - t) ** 2 * deviation**2)

    guided = width(seen, middle) ** (1 + strength) / width(unseen, middle) ** strength
    exact = noise * guided * seen / width(seen, middle)
    flow = gaussian(seen, unseen)
    whole = sample(flow, noise, Sampling(50, strength), no_report)
    sparing = sample(flow, noise, Sampling(50, strength, every=5), no_report)
    assert np.linalg.norm(sparing - whole) < np.linalg.norm(whole - exact) < 0.1 * np.linalg.norm(exact)


def test_computing_every_step_is_plain_sampling_to_the_bit() -> None:
    flow = gaussian(np.array([0.5, 1.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    x = NOISE
    for t, after in pairwise(time_grid(7, 3.0)):
        v = flow(x, t, conditional=True)
        if t >= 0.5:
            v = 4.0 * v - 3.0 * flow(x, t, conditional=False)
        x = x - (t - after) * v
    assert np.array_equal(sample(flow, NOISE, Sampling(7), no_report), x)


@given(
    steps=st.integers(1, 60), every=st.integers(1, 9), low=st.floats(0, 1), high=st.floats(0, 1), seed=st.integers(0, 9)
)
def test_the_model_runs_as_often_as_stated(steps: int, every: int, low: float, high: float, seed: int) -> None:
    calls = 0

    def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        nonlocal calls
        calls += 1
        return np.full_like(x, float(seed))

    sampling = Sampling(steps, 1.5, (low, high), every=every)
    sample(velocity, NOISE, sampling, no_report)
    assert calls == sampling.evaluations


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 4, "every": 0}])
def test_sampling_needs_a_step(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Sampling(**wrong)


def test_progress_counts_finished_steps_and_can_cancel() -> None:
    reported: list[tuple[int, int]] = []

    def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        return x

    def report(step: int, of: int) -> None:
        reported.append((step, of))
        if len(reported) == 6:
            raise Cancelled

    sample(velocity, NOISE, Sampling(2, 3.0, (0.6, 1.0)), lambda step, of: reported.append((step, of)))
    assert reported == [(0, 2), (0, 2), (1, 2), (1, 2), (2, 2)]
    with pytest.raises(Cancelled):
        sample(velocity, NOISE, Sampling(2), report)


def test_the_steps_see_several_pictures_in_turn() -> None:
    seen: list[tuple[str, float]] = []

    def picture(name: str) -> Velocity[Float32Array]:
        def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
            seen.append((name if conditional else "none", t))
            return 0 * x

        return velocity

    velocity, sampling = alternating([picture(name) for name in "abc"], Sampling(7, 3.0, every=2))
    sample(velocity, NOISE, sampling, no_report)
    times = time_grid(7, 3.0)[:-1]
    assert [one for one in seen if one[0] != "none"] == [*zip("abcabca", times, strict=True)]
    assert [t for name, t in seen if name == "none"] == [t for t in times if t >= 0.5]


def test_every_picture_is_seen_however_few_the_steps() -> None:
    seen: list[int] = []

    def picture(number: int) -> Velocity[Float32Array]:
        def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
            seen.extend([number] * conditional)
            return 0 * x

        return velocity

    velocity, sampling = alternating([picture(number) for number in range(4)], Sampling(3))
    sample(velocity, NOISE, sampling, no_report)
    assert seen == [0, 1, 2, 3]


def test_one_picture_is_seen_as_ever() -> None:
    def velocity(x: Float32Array, t: float, *, conditional: bool) -> Float32Array:
        return x

    sampling = Sampling(7, every=2)
    assert alternating([velocity], sampling) == (velocity, sampling)
