# SPDX-License-Identifier: GPL-3.0-or-later
"""Dilation and erosion by squares of pixels. An image goes on past its border as its outermost pixels."""

from functools import reduce
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray

Scalar = TypeVar("Scalar", np.float32, np.float64, np.bool_)


def dilated(image: NDArray[Scalar], radius: int) -> NDArray[Scalar]:
    """Return the greatest value in the square of 2 radius + 1 pixels around each pixel.

    image: (H, W), floats or a mask. The result has the same shape and dtype.
    """
    for axis in (0, 1):
        image = reduce(np.maximum, _shifted(image, radius, axis))
    return image


def eroded(mask: BoolArray, radius: int) -> BoolArray:
    """Keep the pixels whose whole square of 2 radius + 1 pixels is set; bool (H, W)."""
    return ~dilated(~mask, radius)


def contrast(image: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return by how much the values in the square of 2 radius + 1 pixels around each pixel differ; float32 (H, W)."""
    return dilated(image, radius) + dilated(-image, radius)


def _shifted(image: NDArray[Scalar], radius: int, axis: int) -> list[NDArray[Scalar]]:
    """Return the image moved along an axis by each of -radius to radius pixels, as views of one padded copy."""
    padded = np.pad(image, [(radius, radius) if side == axis else (0, 0) for side in (0, 1)], mode="edge")
    before = (slice(None),) * axis
    return [padded[(*before, slice(first, first + image.shape[axis]))] for first in range(2 * radius + 1)]
