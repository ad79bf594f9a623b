# SPDX-License-Identifier: GPL-3.0-or-later
"""Distances to outlines."""

import numpy as np
import torch

from backend.volume.outlines import outlines


def test_distances_to_a_disc_are_exact_to_a_part_of_a_pixel() -> None:
    rows, columns = np.mgrid[:400, :480] / 8.0 + 1 / 16
    fine = np.hypot(rows - 22.3, columns - 31.1) < 14.6
    alpha = torch.from_numpy(fine.reshape(50, 8, 60, 8).mean(axis=(1, 3))).float()[None]
    true = (
        np.hypot(*(axis + 0.5 - middle for axis, middle in zip(np.mgrid[:50, :60], (22.3, 31.1), strict=True))) - 14.6
    )
    found = outlines(alpha)[0].numpy()
    assert np.abs(found - true).max() < 0.75
    edge = np.abs(found) <= 0.5
    assert np.abs(found - true)[edge].mean() < 0.12


def test_without_an_outline_everything_is_far() -> None:
    found = outlines(torch.stack([torch.zeros(4, 6), torch.ones(4, 6)]))
    assert (found[0] > 9).all()
    assert (found[1] < -9).all()
