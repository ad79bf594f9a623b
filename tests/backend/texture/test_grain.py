# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture goes on around the outline, at its scale and on its own material; lines do not."""

import numpy as np

from backend.arrays import Float32Array, Float64Array
from backend.texture.grain import grain_of, share_of_texture
from tests.backend.texture.test_behind import COLUMNS, ROWS

SIDE = 128
INSIDE = (np.abs(ROWS - 64) < 50) & (np.abs(COLUMNS - 64) < 40)
RED, BLUE = np.array((0.5, 0.1, 0.1)), np.array((0.1, 0.2, 0.5))
BANDS = np.where(ROWS % 4 < 2, 1.25, 0.75)[..., None]


def beside(colours: Float32Array, tone: Float64Array) -> Float64Array:
    """What a smooth right side of a tone gets, from rows 40 to 80 and 20 pixels back: (40, 20, 3)."""
    rows, depth = np.meshgrid(np.arange(40, 80) + 0.5, -np.arange(20) - 0.5, indexing="ij")
    points = np.stack([np.full(rows.size, 104.0), SIDE - rows.ravel(), depth.ravel()], axis=1)
    normals = np.tile((1.0, 0.0, 0.0), (rows.size, 1))
    smooth = np.tile(tone, (rows.size, 1))
    return grain_of(colours.astype(np.float32), INSIDE).on(points, normals, smooth, SIDE).reshape(40, 20, 3)


def test_bands_go_on_around_the_side() -> None:
    found = beside(RED * BANDS, RED)
    bright = BANDS[40:80, 0, 0] > 1
    assert found[bright, :, 0].min() > 1.1 * found[~bright, :, 0].max()
    np.testing.assert_allclose(found.mean(axis=(0, 1)), RED, rtol=0.1)


def test_another_material_and_a_plain_one_stay_smooth() -> None:
    np.testing.assert_allclose(beside(RED * BANDS, BLUE), np.broadcast_to(BLUE, (40, 20, 3)), rtol=0.02)
    np.testing.assert_allclose(beside(RED * np.ones_like(BANDS), RED), np.broadcast_to(RED, (40, 20, 3)), rtol=1e-3)


def test_a_line_is_no_texture() -> None:
    lined = RED * np.where(np.abs(COLUMNS - 95) < 2, 0.3, 1.0)[..., None]
    np.testing.assert_allclose(beside(lined, RED), np.broadcast_to(RED, (40, 20, 3)), rtol=0.02)


def test_what_is_much_stronger_than_its_material_fades_the_more_the_stronger_it_is() -> None:
    differ, material = np.tile(np.float32([0.1, 0.2, 0.1]), 10), np.repeat([0, 1], 15)
    differ[[0, 1]] = 1.0, 2.0
    share = share_of_texture(differ, material)
    np.testing.assert_array_equal(share[2:], 1.0)
    assert share[0] * 1.0 > share[1] * 2.0


def test_an_empty_picture_has_no_texture() -> None:
    grain = grain_of(np.zeros((SIDE, SIDE, 3), np.float32), np.zeros_like(INSIDE))
    point = np.array([(500.0, -3.0, 9.0)])
    np.testing.assert_array_equal(grain.on(point, np.array([(0.0, 1.0, 0.0)]), RED[None], SIDE), RED[None])
