# SPDX-License-Identifier: GPL-3.0-or-later
"""Strands go as a whole; what is thin and leads from one part to another stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.arrays import BoolArray
from backend.foreground.strands import without_strands

SIDE = 400
Y, X = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
RADIUS = np.hypot(X, Y)
ANGLE = np.arctan2(Y, X)
HEAD = RADIUS < 90


def rays(number: int, width: float, length: float) -> BoolArray:
    """Return lines outwards from the head."""
    step = 2 * np.pi / number
    off = (ANGLE + step / 2) % step - step / 2
    return (np.abs(off * RADIUS) < width / 2) & (RADIUS > 60) & (90 + length > RADIUS)


def test_hair_goes_and_the_head_stays() -> None:
    found = without_strands(HEAD | rays(40, 3, 60))
    assert (found & HEAD).sum() > 0.98 * HEAD.sum()
    assert (found & ~HEAD).sum() < 0.02 * HEAD.sum()


def test_so_do_the_tufts_that_strands_grow_from() -> None:
    tufts = (np.abs((ANGLE * 10) % (2 * np.pi) - np.pi) < 0.35) & (RADIUS < 110)
    found = without_strands(HEAD | tufts | rays(40, 3, 60))
    assert (found & (RADIUS > 97)).sum() == 0


@pytest.mark.parametrize(
    "body",
    [
        HEAD | (rays(24, 3, 70) | (np.abs(RADIUS - 160) < 6)),
        HEAD | rays(8, 3, 60),
        HEAD | rays(20, 14, 60),
        (np.minimum(X % 40, Y % 40) < 3) & (np.maximum(np.abs(X), np.abs(Y)) < 161),
        rays(60, 3, 60) | (RADIUS < 65),
        (np.abs(np.abs(X) % 30 - 15) < 2) & (np.abs(Y) % 40 < 25),
    ],
    ids=["a wheel", "a few whiskers", "thick legs", "a net", "hardly more than strands", "many lines"],
)
def test_other_thin_parts_stay(body: BoolArray) -> None:
    assert np.array_equal(without_strands(body), body)


@settings(max_examples=30, deadline=None)
@given(arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_nothing_is_added_and_something_is_left(body: BoolArray) -> None:
    found = without_strands(body)
    assert not (found & ~body).any()
    assert found.any() == body.any()
