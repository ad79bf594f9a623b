# SPDX-License-Identifier: GPL-3.0-or-later
"""Without the network: front and back meet at a round rim, never cross, and lean little if the normals are biased."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.engines.draft.body import Body
from backend.engines.draft.inflated import make_inflated_body
from backend.geometry.features import relief
from backend.geometry.integration import clean, integrate
from backend.raster import poisson

SIZE, RADIUS = 129, 50.0
ROW, COLUMN = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2


def ignore(_fraction: float) -> None:
    """Watch nothing."""


def disc() -> Float64Array:
    return np.clip(RADIUS - np.hypot(ROW, COLUMN) + 0.5, 0, 1)


def ellipsoid(depth: float) -> Float64Array:
    """Normals of a disc's ellipsoid, `depth` times as deep as the sphere."""
    z = np.sqrt(np.maximum(RADIUS**2 - ROW**2 - COLUMN**2, 0))
    normals = np.stack([depth * COLUMN, -depth * ROW, z], axis=-1)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)


@pytest.mark.parametrize("depth", [0.25, 0.5, 0.8, 1.0])
def test_relief_follows_from_the_normals(depth: float) -> None:
    alpha = disc()
    u = poisson.potential(alpha, ignore)
    found = relief(ellipsoid(depth), u, poisson.gradient(u, alpha), alpha > 0.5)
    assert found == pytest.approx(2 * depth, rel=0.03)


def lean(biased: Float64Array, upright: Float64Array) -> float:
    """Return the slope, from top to bottom, of what a bias has added to a height."""
    middle = SIZE // 2
    rows = slice(middle - 40, middle + 41)
    return abs(float(np.polyfit(ROW[rows, middle], (biased - upright)[rows, middle], 1)[0]))


def test_biased_normals_make_the_body_lean_less_than_half_as_much_as_integration_alone() -> None:
    bias, inside = np.array([0, 0.15, 0]), disc() > 0.5
    upright, biased = (make_inflated_body(n, disc(), 512, ignore) for n in (ellipsoid(1.0), ellipsoid(1.0) + bias))
    alone = [integrate(clean(n, inside), inside, ignore) for n in (ellipsoid(1.0), ellipsoid(1.0) + bias)]
    assert lean(biased.front, upright.front) < 0.5 * lean(alone[1], alone[0])


def profile(body: Body) -> tuple[Float64Array, Float64Array]:
    """Return the distance from the rim and the front's height along the middle row's left half, in pixels."""
    middle = SIZE // 2
    inside = body.inside[middle, :middle]
    left = body.column[middle, :middle][inside]
    return left - (SIZE - 1) / 2 + RADIUS, (body.front - body.membrane)[middle, :middle][inside]


@pytest.mark.parametrize("flat", [False, True])
def test_the_rim_is_round_for_any_normals(flat: bool) -> None:  # noqa: FBT001 - a parameter of the test
    normals = np.broadcast_to([0.0, 0, 1], (SIZE, SIZE, 3)).copy() if flat else ellipsoid(1.0)
    distance, height = profile(make_inflated_body(normals, disc(), 512, ignore))
    assert height[0] > distance[0]  # steeper than 45 degrees at the rim,
    assert (np.diff(height)[:8] > 0).all()  # then less and less steep, without a bulge along the rim
    assert (np.diff(np.diff(height) / np.diff(distance))[:6] < 0.05).all()


def test_points_near_the_rim_move_towards_it_in_order() -> None:
    body = make_inflated_body(ellipsoid(1.0), disc(), 512, ignore)
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
    body = make_inflated_body(normals, disc(), SIZE, ignore, thickness=thickness, profile=exponent)
    assert (body.front[body.inside] > body.back[body.inside]).all()
    assert np.isfinite(body.front).all()


def test_a_hollow_front_pushes_the_back_away() -> None:
    bowl = ellipsoid(1.0) * np.array([-1, -1, 1])
    body = make_inflated_body(bowl, disc(), 512, ignore)
    middle = SIZE // 2
    assert body.back[middle, middle] < body.front[middle, middle] - 3


def test_points_near_given_ones_move_back_to_their_pixels_and_others_stay() -> None:
    body = make_inflated_body(ellipsoid(1.0), disc(), 512, ignore)
    row, column = np.indices((SIZE, SIZE))
    middle = SIZE // 2
    left = int(np.argmax(body.inside[middle]))
    back = body.moved_back(np.array([middle * SIZE + left]))
    near = body.inside & (np.hypot(row - middle, column - left) < 8)
    np.testing.assert_allclose(back.column[near], column[near])
    np.testing.assert_allclose(np.stack([back.front, back.back])[:, near], body.centred[:, near])
    far = column > middle
    np.testing.assert_array_equal(back.front[far], body.front[far])
    assert (back.front >= body.front - 1e-9).all()  # sliding only goes down


def test_twigs_stay_round() -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[20:110, 62:66] = 1.0
    noise = np.random.default_rng(0).normal(size=(SIZE, SIZE, 3))
    body = make_inflated_body(noise, alpha, SIZE, ignore)
    height = (body.front - body.membrane)[30:100, 62:66]
    assert (height[:, 1:3] > 1.2 * height[:, [0, 3]]).all()
    np.testing.assert_allclose(height, height[:, ::-1], rtol=0.05)
