# SPDX-License-Identifier: GPL-3.0-or-later
"""Dilation takes the greatest value of each square, and erosion is its opposite."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import BoolArray, Float32Array
from backend.raster.morphology import dilated, eroded

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(hnp.arrays(np.float32, shapes, elements=st.floats(-5, 5, width=32)), st.integers(0, 4))
def test_a_dilated_pixel_is_the_greatest_of_its_square(image: Float32Array, radius: int) -> None:
    found = dilated(image, radius)
    assert found.dtype == image.dtype
    for (row, column), value in np.ndenumerate(found):
        square = image[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]
        assert value == square.max()


@given(hnp.arrays(np.bool_, shapes), st.integers(0, 4))
def test_an_eroded_mask_keeps_pixels_whose_whole_square_is_set(mask: BoolArray, radius: int) -> None:
    found = eroded(mask, radius)
    assert found.dtype == np.bool_
    for (row, column), value in np.ndenumerate(found):
        square = mask[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]
        assert value == square.all()
