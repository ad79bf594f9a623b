# SPDX-License-Identifier: GPL-3.0-or-later
"""A smoothed outline has no steps, keeps corners to a pixel, and leaves thin parts as they are."""

import numpy as np

from backend.arrays import Float64Array
from backend.engines.draft import outline


def ignore() -> None:
    """Watch nothing."""


def crossings(alpha: Float64Array) -> Float64Array:
    """Return the row, with its fraction, at which each column's alpha crosses one half from the top."""
    first = np.argmax(alpha > 0.5, axis=0)
    column = np.arange(alpha.shape[1])
    above, below = alpha[first - 1, column], alpha[first, column]
    return first - (below - 0.5) / (below - above)


def test_steps_of_a_hard_mask_become_a_slope() -> None:
    row, column = np.mgrid[:200, :200]
    slope = 60 + column / 7
    hard = (row >= slope).astype(np.float64)
    inner = slice(30, 170)
    edge = slope[0, inner] - 1 / 14  # a column's first row lies 3/7 below on average, its centre 1/2 above
    assert np.abs(crossings(hard)[inner] - edge).max() > 0.4
    assert np.abs(crossings(outline.smooth(hard, 512, ignore))[inner] - edge).max() < 0.15


def test_straight_edges_stay_and_corners_move_by_a_pixel_or_so() -> None:
    square = np.zeros((160, 160))
    square[40:120, 40:120] = 1
    smooth = outline.smooth(square, 512, ignore)
    np.testing.assert_allclose(crossings(smooth[:, 60:100]), 39.5, atol=0.05)
    assert smooth[43, 43] > 0.5
    assert smooth[38, 38] < 0.5


def test_twigs_and_specks_stay_the_same() -> None:
    thin = np.zeros((80, 80))
    thin[10:70, 40] = 1.0
    thin[30, 20:60] = 0.8
    thin[5, 5] = 1.0
    np.testing.assert_array_equal(outline.smooth(thin, 512, ignore), thin)


def test_a_twig_stays_connected_to_its_trunk() -> None:
    alpha = np.zeros((120, 120))
    alpha[60:115, 20:100] = 1.0
    alpha[10:60, 58:60] = 1.0
    smooth = outline.smooth(alpha, 512, ignore)
    assert (smooth[10:70, 58:60].max(axis=1) > 0.5).all()
