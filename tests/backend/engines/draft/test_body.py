# SPDX-License-Identifier: GPL-3.0-or-later
"""The body's sheets meet in an upright rim, never cross, and do not lean with biased normals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.engines.draft.body import Body, relief, shape
from backend.engines.draft.integration import clean, integrate
from backend.raster import poisson

Array = NDArray[np.float64]
SIZE, RADIUS = 129, 50.0
ROW, COLUMN = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2


def ignore(_fraction: float) -> None:
    """Watch nothing."""


def disc() -> Array:
    return np.clip(RADIUS - np.hypot(ROW, COLUMN) + 0.5, 0, 1)


def ellipsoid(depth: float) -> Array:
    """Normals of a disc's ellipsoid, `depth` times as deep as the sphere."""
    z = np.sqrt(np.maximum(RADIUS**2 - ROW**2 - COLUMN**2, 0))
    normals = np.stack([depth * COLUMN, -depth * ROW, z], axis=-1)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)


@pytest.mark.parametrize("depth", [0.25, 0.5, 0.8, 1.0])
def test_relief_is_read_from_the_normals(depth: float) -> None:
    alpha = disc()
    u = poisson.potential(alpha, ignore)
    found = relief(ellipsoid(depth), u, poisson.gradient(u, alpha), alpha > 0.5)
    assert found == pytest.approx(2 * depth, rel=0.03)


def lean(biased: Array, upright: Array) -> float:
    """The slope, from top to bottom, of what a bias has added to a height."""
    middle = SIZE // 2
    rows = slice(middle - 40, middle + 41)
    return abs(float(np.polyfit(ROW[rows, middle], (biased - upright)[rows, middle], 1)[0]))


def test_a_bias_of_the_normals_makes_the_body_lean_far_less_than_it_adds_up_to() -> None:
    bias, inside = np.array([0, 0.15, 0]), disc() > 0.5
    upright, biased = (shape(n, disc(), 512, ignore) for n in (ellipsoid(1.0), ellipsoid(1.0) + bias))
    alone = [integrate(clean(n, inside), inside, ignore) for n in (ellipsoid(1.0), ellipsoid(1.0) + bias)]
    assert lean(biased.front + biased.rim, upright.front + upright.rim) < 0.5 * lean(alone[1], alone[0])


def profile(body: Body) -> tuple[Array, Array]:
    """Distance from the rim and height of the front along the middle row's left end, in pixels."""
    middle = SIZE // 2
    inside = body.inside[middle, :middle]
    left = body.column[middle, :middle][inside]
    return left - (SIZE - 1) / 2 + RADIUS, body.front[middle, :middle][inside]


@pytest.mark.parametrize("flat", [False, True])
def test_the_rim_is_round_whatever_the_normals_say(flat: bool) -> None:  # noqa: FBT001 - a parameter of the test
    normals = np.broadcast_to([0.0, 0, 1], (SIZE, SIZE, 3)).copy() if flat else ellipsoid(1.0)
    distance, height = profile(shape(normals, disc(), 512, ignore))
    assert height[0] > distance[0]  # steeper than 45 degrees at once,
    assert (np.diff(height)[:8] > 0).all()  # then ever less steep, without a bead along the rim
    assert (np.diff(np.diff(height) / np.diff(distance))[:6] < 0.05).all()


def test_points_near_the_rim_move_towards_it_without_passing_each_other() -> None:
    body = shape(ellipsoid(1.0), disc(), 512, ignore)
    middle = SIZE // 2
    inside = body.inside[middle]
    steps = np.diff(body.column[middle][inside])
    assert (steps > 0).all()
    rises = np.diff(body.front[middle][inside])[:10]
    assert rises.max() < 2.5 * np.median(rises)  # without the slide the first would be three times the next


@given(st.integers(0, 1000), st.floats(0.3, 3), st.floats(0.4, 1.9))
@settings(deadline=None, max_examples=15)
def test_the_back_stays_behind_the_front(seed: int, thickness: float, exponent: float) -> None:
    normals = np.random.default_rng(seed).normal(size=(SIZE, SIZE, 3))
    body = shape(normals, disc(), SIZE, ignore)
    back = body.back(thickness, exponent)
    assert (body.front[body.inside] > back[body.inside]).all()
    assert np.isfinite(body.front).all()


def test_a_hollow_front_pushes_the_back_away() -> None:
    bowl = ellipsoid(1.0) * np.array([-1, -1, 1])
    body = shape(bowl, disc(), 512, ignore)
    middle = SIZE // 2
    assert body.back(1.0, 1.0)[middle, middle] < body.front[middle, middle] - 3


def test_around_given_points_the_others_go_back_to_their_pixels_and_further_off_stay() -> None:
    body = shape(ellipsoid(1.0), disc(), 512, ignore)
    row, column = np.indices((SIZE, SIZE))
    middle = SIZE // 2
    left = int(np.argmax(body.inside[middle]))
    eased = body.eased(np.array([middle * SIZE + left]))
    near = body.inside & (np.hypot(row - middle, column - left) < 8)
    np.testing.assert_allclose(eased.column[near], column[near])
    np.testing.assert_allclose(eased.silhouette[near], body.unmoved[near])
    far = column > middle
    np.testing.assert_array_equal(eased.front[far], body.front[far])
    assert (eased.front >= body.front - 1e-9).all()  # sliding only goes down


def test_twigs_stay_round() -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[20:110, 62:66] = 1.0
    noise = np.random.default_rng(0).normal(size=(SIZE, SIZE, 3))
    body = shape(noise, alpha, SIZE, ignore)
    np.testing.assert_allclose(body.front[30:100, 63:65], body.relief * body.silhouette[30:100, 63:65], atol=1e-6)
