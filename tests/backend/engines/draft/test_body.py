# SPDX-License-Identifier: GPL-3.0-or-later
"""The body is as deep as the guess, shows the normals, and closes at a rim like a wall's, whatever both say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.engines.draft.body import Guess, make_body

SIZE, RADIUS = 129, 50.0
ROW, COLUMN = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
FACING = np.broadcast_to([0.0, 0, 1], (SIZE, SIZE, 3))


def ignore(_fraction: float) -> None:
    """Watch nothing."""


def disc() -> Float64Array:
    return np.clip(RADIUS - np.hypot(ROW, COLUMN) + 0.5, 0, 1)


def ball() -> tuple[Float64Array, Guess]:
    """Return a ball's normals, and what is known of its depth."""
    z = np.sqrt(np.maximum(RADIUS**2 - ROW**2 - COLUMN**2, 0))
    normals = np.stack([COLUMN, -ROW, z], axis=-1)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9), known(z, 2 * z)


def known(front: Float64Array, thickness: Float64Array | float) -> Guess:
    depth = np.maximum(np.broadcast_to(thickness, front.shape), 1e-3)
    return Guess(front, depth, depth)


def test_a_balls_normals_and_depths_give_the_ball() -> None:
    normals, guess = ball()
    body = make_body(normals, disc(), SIZE, guess, ignore)
    z = np.sqrt(np.maximum(RADIUS**2 - (body.column - 64) ** 2 - (body.row - 64) ** 2, 0))
    for error in (body.front - z, body.back + z):
        assert np.abs(error[body.inside]).mean() < 1.0
        assert np.abs(error[np.hypot(ROW, COLUMN) < 40]).max() < 1.5


def test_the_guess_decides_the_depth_and_the_normals_the_detail() -> None:
    tilted = known(0.2 * COLUMN, 30.0)
    waves = np.array(FACING)
    waves[..., 0] = 0.3 * np.cos(COLUMN * 2 * np.pi / 16)
    body = make_body(waves, disc(), SIZE, tilted, ignore)
    row = np.abs(COLUMN[64]) < 30
    slope, _ = np.polyfit(COLUMN[64, row], body.front[64, row], 1)
    assert slope == pytest.approx(0.2, abs=0.04)
    rest = body.front[64, row] - np.convolve(body.front[64], np.full(16, 1 / 16), "same")[row]
    assert np.ptp(rest) == pytest.approx(0.3 * 16 / np.pi, rel=0.4)  # twice the amplitude of the slopes' wave
    smooth = body.back[64, row] - np.polyval(np.polyfit(COLUMN[64, row], body.back[64, row], 1), COLUMN[64, row])
    assert np.abs(smooth).max() < 0.5


def test_a_flat_thing_has_a_wall_and_no_edge_like_a_knifes() -> None:
    body = make_body(FACING, disc(), SIZE, known(np.zeros((SIZE, SIZE)), 20.0), ignore)
    thickness = (body.front - body.back)[64]
    inside = np.flatnonzero(body.inside[64])
    left = body.column[64, inside] - (64 - RADIUS)
    assert np.interp(1.5, left[:20], thickness[inside][:20]) > 10  # half as thick one and a half pixels from the rim
    assert thickness[64] == pytest.approx(20, abs=0.5)


def test_separate_parts_lie_at_their_own_depths() -> None:
    alpha, depth = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    alpha[30:100, 20:40], alpha[30:100, 80:100], depth[:, 60:] = 1, 1, 40
    body = make_body(FACING, alpha, SIZE, known(depth, 10.0), ignore)
    assert body.front[65, 30] == pytest.approx(0, abs=1)
    assert body.front[65, 90] == pytest.approx(40, abs=1)
    assert body.membrane[65, 20] == pytest.approx(-5, abs=1)


def test_thickness_and_profile_move_the_back_alone() -> None:
    normals, guess = ball()
    plain, thick, full = (
        make_body(normals, disc(), SIZE, guess, ignore, **chosen)
        for chosen in ({}, {"thickness": 2.0}, {"profile": 0.5})
    )
    np.testing.assert_array_equal(plain.front, thick.front)
    np.testing.assert_array_equal(plain.front, full.front)
    assert (thick.front - thick.back)[64, 64] == pytest.approx(2 * (plain.front - plain.back)[64, 64], rel=0.02)
    assert full.back[64, 30] < plain.back[64, 30] - 3
    assert full.back[64, 64] == pytest.approx(plain.back[64, 64], abs=0.5)


@given(st.integers(0, 1000), st.floats(0.3, 3), st.floats(0.4, 1.9))
@settings(deadline=None, max_examples=15)
def test_the_back_stays_behind_the_front(seed: int, thickness: float, profile: float) -> None:
    random = np.random.default_rng(seed)
    guess = known(random.normal(0, 30, (SIZE, SIZE)), random.uniform(0, 60, (SIZE, SIZE)))
    normals = random.normal(size=(SIZE, SIZE, 3))
    body = make_body(normals, disc(), SIZE, guess, ignore, thickness=thickness, profile=profile)
    assert (body.front[body.inside] > body.back[body.inside]).all()
    assert np.isfinite(body.front).all()


def test_points_near_given_ones_move_back_to_their_pixels_and_others_stay() -> None:
    normals, guess = ball()
    body = make_body(normals, disc(), SIZE, guess, ignore)
    row, column = np.indices((SIZE, SIZE))
    left = int(np.argmax(body.inside[64]))
    moved = body.moved_back(np.array([64 * SIZE + left]))
    near = body.inside & (np.hypot(row - 64, column - left) < 2)
    np.testing.assert_allclose(moved.column[near], column[near])
    np.testing.assert_allclose(np.stack([moved.front, moved.back])[:, near], body.centred[:, near])
    far = column > 64
    np.testing.assert_array_equal(moved.front[far], body.front[far])
