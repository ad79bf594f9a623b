# SPDX-License-Identifier: GPL-3.0-or-later
"""The lens is undone and the body is turned upright, exactly."""

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.engines.draft.pose import PARALLEL, Pose, set_upright, without_lens
from backend.mesh.stand import set_down, turn_to_z


@given(st.floats(0, 0.004), st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 100))
def test_what_the_lens_did_is_undone(nearness: float, column: float, row: float, seed: int) -> None:
    true = np.random.default_rng(seed).uniform(-100, 100, (3, 20))
    middle = np.array([[column], [row]])
    seen = np.concatenate([middle + (true[:2] - middle) / (1 - true[2] * nearness), true[2:]])
    pose = Pose(nearness, column, row, np.zeros(3), 0)
    np.testing.assert_allclose(without_lens(seen, pose), true, atol=1e-9)


BOX = np.array([(x, y, z) for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
SIDES = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4),
     (1, 5, 7), (1, 7, 3)], np.int32,
)  # fmt: skip


def leaning(degrees: float, about: tuple[float, float, float]) -> Float64Array:
    """Return a rotation about a horizontal axis."""
    axis = np.array(about) / np.linalg.norm(about)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@given(st.floats(-0.5, 0.5), st.floats(-1.2, 1.2))
def test_up_becomes_up_and_nothing_is_stretched(roll: float, elevation: float) -> None:
    up = np.array([np.sin(roll) * np.cos(elevation), np.cos(roll) * np.cos(elevation), np.sin(elevation)])
    toppled = BOX @ turn_to_z(np.array([up[0], -up[2], up[1]]))
    turned = set_upright(toppled, SIDES, Pose(0, 0, 0, up, 0.1))
    np.testing.assert_allclose(turned[:, :2], BOX[:, :2], atol=1e-6)
    np.testing.assert_allclose(turned[:, 2], np.maximum(BOX[:, 2], -1 + 0.008), atol=1e-6)  # the sole


@given(st.floats(-9, 9), st.floats(0, 360))
def test_a_box_that_nearly_stands_is_set_down(degrees: float, direction: float) -> None:
    angle = np.radians(direction)
    box = BOX * (0.5, 0.7, 1.0)
    stood = set_down(box @ leaning(degrees, (np.cos(angle), np.sin(angle), 0)).T, SIDES)
    heights = np.sort(stood[:, 2])
    assert np.ptp(heights[:4]) < 1e-6
    assert np.ptp(heights[4:]) < 1e-6


def test_a_ball_stays_round_and_a_box_on_its_edge_stays_there() -> None:
    steep = BOX @ leaning(30, (1, 0, 0)).T
    np.testing.assert_array_equal(set_down(steep, SIDES), steep)
    ball = trimesh.creation.icosphere(4)
    stood = set_down(np.array(ball.vertices), np.array(ball.faces, np.int32))
    np.testing.assert_allclose(np.linalg.norm(stood, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("up", "doubt"), [((0, 0.95, 0.2), 0.5), ((0, -0.95, 0.1), 0.1)])
def test_what_is_unsure_or_upside_down_stays_as_it_is(up: tuple[float, float, float], doubt: float) -> None:
    np.testing.assert_array_equal(set_upright(BOX, SIDES, Pose(0, 0, 0, np.array(up), doubt)), BOX)
    np.testing.assert_array_equal(without_lens(BOX.T, PARALLEL), BOX.T)
