# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies around a pixel: peaks and reach over small squares, and the nearest pixels that count.

Images go on past their border as their outermost pixels.
"""

from functools import reduce
from typing import TypeVar, cast

import numpy as np

from ..arrays import BoolArray, Float32Array

Image = TypeVar("Image", Float32Array, BoolArray)


def box_peak(image: Float32Array, radius: int) -> Float32Array:
    """Return the greatest value in squares of 2 radius + 1 pixels, float32 (H, W)."""
    for axis in (0, 1):
        image = reduce(np.maximum, _shifts(image, radius, axis))
    return image


def grown(mask: BoolArray, radius: int) -> BoolArray:
    """Set every pixel with a set one in the square of 2 radius + 1 pixels around it, bool (H, W)."""
    for axis in (0, 1):
        mask = reduce(np.logical_or, _shifts(mask, radius, axis))
    return mask


def eroded(mask: BoolArray, radius: int) -> BoolArray:
    """Keep the pixels around which the whole square of 2 radius + 1 pixels is set, bool (H, W)."""
    return ~grown(~mask, radius)


def spread(colours: Float32Array, weights: Float32Array) -> Float32Array:
    """Fill an image from the pixels that count, float32 (H, W, C), each place from the nearest of them.

    colours: float32 (H, W, C); weights: float32 (H, W) in [0, 1]. Means over blocks of 2, 4, 8, ... pixels are taken
    until one block holds everything, and fill what is missing on the way back (pull-push; Gortler et al., The
    Lumigraph, 1996). Without any weight the result is 0.
    """
    height, width = weights.shape
    known = weights[..., None]
    if height == width == 1:
        return np.where(known > 0, colours, np.float32(0))
    mass = _block_sums(known)
    coarse = spread(_block_sums(colours * known) / np.maximum(mass, 1e-12), np.minimum(mass[..., 0], 1))
    fine = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[:height, :width]
    return fine + (colours - fine) * known


def _block_sums(image: Float32Array) -> Float32Array:
    """Add blocks of 2 x 2 pixels, (H, W, C) to (ceil(H / 2), ceil(W / 2), C)."""
    rows = image[::2].copy()
    rows[: image.shape[0] // 2] += image[1::2]
    sums = rows[:, ::2].copy()
    sums[:, : image.shape[1] // 2] += rows[:, 1::2]
    return sums


def _shifts(image: Image, radius: int, axis: int) -> list[Image]:
    """Return the image moved along an axis by each of -radius to radius pixels, as views of one padded copy."""
    widths = [(0, 0)] * image.ndim
    widths[axis] = (radius, radius)
    padded = np.pad(image, widths, mode="edge")
    length = image.shape[axis]
    before = (slice(None),) * axis
    return [cast("Image", padded[(*before, slice(first, first + length))]) for first in range(2 * radius + 1)]
