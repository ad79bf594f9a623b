# SPDX-License-Identifier: GPL-3.0-or-later
"""Filling keeps known pixels and gives unknown ones colours from nearby."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import BoolArray
from backend.raster.pull_push import fill


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(0, 99))
def test_known_pixels_stay_and_the_others_lie_between_known_colours(known: BoolArray, seed: int) -> None:
    colours = np.random.default_rng(seed).random((*known.shape, 3)).astype(np.float32)
    found = fill(colours, known.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[known], colours[known], atol=1e-6)
    if known.any():
        low, high = colours[known].min(axis=0), colours[known].max(axis=0)
        assert (found >= low - 1e-6).all()
        assert (found <= high + 1e-6).all()
    else:
        assert not found.any()


def test_the_nearest_colour_wins() -> None:
    colours = np.zeros((32, 32, 1), np.float32)
    weights = np.zeros((32, 32), np.float32)
    colours[:, -1], weights[:, [0, -1]] = 1, 1
    found = fill(colours, weights)[..., 0]
    assert (found[:, 1:4] < 0.2).all()
    assert (found[:, -4:-1] > 0.8).all()


def test_filling_a_large_image_asks_on_the_way() -> None:
    asked: list[None] = []
    fill(np.zeros((4000, 2, 1), np.float32), np.zeros((4000, 2), np.float32), lambda: asked.append(None))
    assert len(asked) > 4000 / 100
