# SPDX-License-Identifier: GPL-3.0-or-later
"""A made view gets the brightness and tint of what was seen before, and only of that."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.guided.matching import matched, tune, tuned

RANDOM = np.random.default_rng(0)
KNOWN = RANDOM.uniform(0.25, 0.75, (32, 32, 3)).astype(np.float32)


@settings(deadline=None)
@given(factor=st.floats(0.7, 1.4), offset=st.floats(-0.1, 0.1), wrong=st.floats(0, 0.15))
def test_a_change_of_tone_is_taken_back_though_a_part_is_something_else(
    factor: float, offset: float, wrong: float
) -> None:
    made = np.clip((KNOWN - offset) / factor, 0, 1)
    made[: round(32 * wrong)] = 1 - made[: round(32 * wrong)]
    same = (made * factor + offset - KNOWN).__abs__().max(axis=2) < 1e-3
    tuned = matched(made, KNOWN, np.ones((32, 32), np.float32))
    before, after = (np.abs(each - KNOWN)[same].mean() for each in (made, tuned))
    assert after < max(0.25 * before, 0.02)


def test_where_nothing_is_known_the_view_stays() -> None:
    np.testing.assert_allclose(matched(KNOWN, KNOWN * 0.5, np.zeros((32, 32), np.float32)), KNOWN, atol=1e-6)


def test_a_few_pixels_change_little() -> None:
    trust = np.zeros((32, 32), np.float32)
    trust[:2, :2] = 1.0
    assert np.abs(matched(KNOWN, KNOWN * 0.7, trust) - KNOWN).mean() < 0.02


def test_few_pixels_leave_a_view_as_another_one_needed_it() -> None:
    made, expected = (KNOWN - 0.1) / 1.2, np.array([[1.2, 0.1]] * 3)
    trust = np.zeros((32, 32), np.float32)
    trust[:3, :3] = 1.0
    np.testing.assert_allclose(tuned(made, tune(made, KNOWN, trust, expected)), KNOWN, atol=1e-3)
    alone = tuned(made, tune(made, KNOWN, trust))
    assert np.abs(alone - KNOWN).mean() > 0.02
