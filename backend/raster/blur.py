# SPDX-License-Identifier: GPL-3.0-or-later
"""Means over squares of pixels, and blurs by a Gaussian or nearly so."""

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32Array
from .ticks import Poll

Float = TypeVar("Float", np.float32, np.float64)

Beyond = Literal["zero", "edge"]
"""What lies beyond the border: nothing, or the outermost pixels repeated."""


def box_mean(image: NDArray[Float], radius: int, *, beyond: Beyond) -> NDArray[Float]:
    """Average over squares of 2 radius + 1 pixels a side.

    image: (H, W) or (H, W, C). Returns an array of the same shape and dtype. Float64 takes the same time for every
    radius; for float32 the time grows with the radius.
    """
    # Running totals lose digits that float32 does not have to spare.
    window_sums = _from_running_totals if image.dtype == np.float64 else _from_shifted_rows
    for axis in (0, 1):
        widths = [(0, 0)] * image.ndim
        widths[axis] = (radius, radius)
        padded = np.pad(image, widths, mode="edge") if beyond == "edge" else np.pad(image, widths)
        rows = np.moveaxis(padded, axis, 0)
        sums = window_sums(rows, 2 * radius + 1)
        np.divide(sums, 2 * radius + 1, out=sums)
        image = np.ascontiguousarray(np.moveaxis(sums, 0, axis))
    return image


def box_blur(image: NDArray[Float], deviation: float, *, beyond: Beyond) -> NDArray[Float]:
    """Blur nearly as a Gaussian of this standard deviation in pixels: by three box means.

    image: (H, W) or (H, W, C). Returns an array of the same shape and dtype. Three boxes of 2 r + 1 pixels
    have the variance r (r + 1); r is the nearest whole number.
    """
    radius = round((np.sqrt(4.0 * deviation**2 + 1.0) - 1.0) / 2.0)
    for _ in range(3):
        image = box_mean(image, radius, beyond=beyond)
    return image


def gaussian_blur(
    image: Float32Array,
    deviation: float,
    multiply: Callable[[Float32Array, Float32Array], Float32Array] = np.matmul,
    poll: Poll | None = None,
) -> Float32Array:
    """Blur by a Gaussian of this standard deviation in pixels, cut off nowhere; zeros lie beyond the border.

    image: float32 (H, W) or (H, W, C), up to some hundred pixels a side: an axis of N pixels takes an N x N matrix.
    multiply: the matrix product. poll: called before each of the two axes. Returns float32 of the same shape.
    """
    for axis in (0, 1):
        places = np.arange(image.shape[axis])
        kernel = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2).astype(np.float32)
        kernel /= kernel.sum(axis=1).max()
        rows = np.moveaxis(image, axis, 0)
        if poll:
            poll()
        blurred = multiply(kernel, np.ascontiguousarray(rows.reshape(len(places), -1)))
        image = np.moveaxis(blurred.reshape(rows.shape), 0, axis)
    return image


def _from_running_totals(rows: NDArray[Float], width: int) -> NDArray[Float]:
    """Sum every `width` neighbouring rows, (H + width - 1, ...) to (H, ...)."""
    totals = np.cumsum(rows, axis=0)
    totals[width:] -= totals[:-width]
    return totals[width - 1 :]


def _from_shifted_rows(rows: NDArray[Float], width: int) -> NDArray[Float]:
    """Do as `_from_running_totals`, adding the rows one by one."""
    count = len(rows) - width + 1
    sums = np.zeros_like(rows[:count])
    for first in range(width):
        np.add(sums, rows[first : first + count], out=sums)
    return sums
