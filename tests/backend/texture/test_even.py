# SPDX-License-Identifier: GPL-3.0-or-later
"""Even light for what nobody saw: highlights go, patterns and the difference of black and white stay."""

import numpy as np

from backend.arrays import Float32Array
from backend.texture.even import evened
from tests.backend.texture.test_behind import COLUMNS, ROWS, disc

INSIDE = disc(64, 64, 50)
STRIPES = 1 + 0.3 * np.where(COLUMNS // 2 % 2, 1, -1)[..., None]
BROWN = (0.3, 0.15, 0.05)


def brightness(colours: Float32Array, row: int, column: int) -> float:
    """The mean around a place."""
    return float(colours[row - 4 : row + 4, column - 4 : column + 4].mean())


def test_sun_and_shade_of_a_hue_become_one_and_keep_their_stripes() -> None:
    light = np.where(ROWS < 64, 2.0, 0.3)[..., None]
    found = evened((np.array(BROWN) * light * STRIPES).astype(np.float32), INSIDE)
    assert brightness(found, 100, 64) / brightness(found, 30, 64) > 0.9
    np.testing.assert_allclose(found[30, 64] / found[30, 66], STRIPES[30, 64, 0] / STRIPES[30, 66, 0], rtol=0.1)
    hues = found[INSIDE] / found[INSIDE][:, :1]
    np.testing.assert_allclose(hues, np.broadcast_to(np.array(BROWN) / 0.3, hues.shape), rtol=1e-3)


def test_black_and_white_stay_far_apart() -> None:
    panda = np.where(ROWS < 64, 0.85, 0.02)[..., None] * np.ones(3)
    found = evened(panda.astype(np.float32), INSIDE)
    assert brightness(found, 30, 64) > 10 * brightness(found, 100, 64)


def test_outside_nothing_changes_and_nothing_need_be_inside() -> None:
    colours = np.random.default_rng(0).random((128, 128, 3)).astype(np.float32)
    np.testing.assert_array_equal(evened(colours, INSIDE)[~INSIDE], colours[~INSIDE])
    np.testing.assert_array_equal(evened(colours, np.zeros_like(INSIDE)), colours)
