# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB curve is the standard's, and both ways undo each other."""

import numpy as np
import pytest

from backend.raster.colour import linear_to_srgb, srgb_to_linear


def test_it_meets_known_values() -> None:
    tones = np.array([0.0, 10 / 255, 0.5, 188 / 255, 1.0])
    light = np.array([0.0, 0.0030353, 0.2140411, 0.5028865, 1.0])
    np.testing.assert_allclose(srgb_to_linear(tones), light, atol=1e-7)


def test_both_pieces_of_the_curve_meet() -> None:
    around = np.array([0.0031308 - 1e-9, 0.0031308 + 1e-9])
    np.testing.assert_allclose(np.diff(linear_to_srgb(around)), 0, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_byte_comes_back_in_its_dtype(dtype: type[np.float32 | np.float64]) -> None:
    tones = (np.arange(256) / 255).astype(dtype)
    light = srgb_to_linear(tones)
    assert light.dtype == linear_to_srgb(light).dtype == dtype
    np.testing.assert_array_equal(np.rint(linear_to_srgb(light) * 255), np.arange(256))
