# SPDX-License-Identifier: GPL-3.0-or-later
"""The lens is undone and the body is turned upright, exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.draft.pose import PARALLEL, Pose, set_upright, without_lens
from backend.mesh.stand import turn_to_z
from tests.backend.mesh.solids import BOX, SIDES


@given(st.floats(0, 0.004), st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 100))
def test_what_the_lens_did_is_undone(nearness: float, column: float, row: float, seed: int) -> None:
    true = np.random.default_rng(seed).uniform(-100, 100, (3, 20))
    middle = np.array([[column], [row]])
    seen = np.concatenate([middle + (true[:2] - middle) / (1 - true[2] * nearness), true[2:]])
    pose = Pose(nearness, column, row, np.zeros(3), 0)
    np.testing.assert_allclose(without_lens(seen, pose), true, atol=1e-9)


@given(st.floats(-0.5, 0.5), st.floats(-1.2, 1.2))
def test_up_becomes_up_and_nothing_is_stretched(roll: float, elevation: float) -> None:
    up = np.array([np.sin(roll) * np.cos(elevation), np.cos(roll) * np.cos(elevation), np.sin(elevation)])
    toppled = BOX @ turn_to_z(np.array([up[0], -up[2], up[1]]))
    turned = set_upright(toppled, SIDES, Pose(0, 0, 0, up, 0.1))
    np.testing.assert_allclose(turned[:, :2], BOX[:, :2], atol=1e-6)
    np.testing.assert_allclose(turned[:, 2], np.maximum(BOX[:, 2], -1 + 0.008), atol=1e-6)  # the sole


@pytest.mark.parametrize(("up", "doubt"), [((0, 0.95, 0.2), 0.5), ((0, -0.95, 0.1), 0.1)])
def test_what_is_unsure_or_upside_down_stays_as_it_is(up: tuple[float, float, float], doubt: float) -> None:
    np.testing.assert_array_equal(set_upright(BOX, SIDES, Pose(0, 0, 0, np.array(up), doubt)), BOX)
    np.testing.assert_array_equal(without_lens(BOX.T, PARALLEL), BOX.T)
