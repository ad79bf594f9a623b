# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill an image from the pixels that are known (pull-push; Gortler et al., The Lumigraph, SIGGRAPH 1996)."""

import numpy as np

from ..arrays import Float32Array
from .ticks import Poll, unwatched
from .vectors import by_column

_ROWS = 64  # of blocks, that are worked out at once


def fill(colours: Float32Array, weights: Float32Array, poll: Poll = unwatched) -> Float32Array:
    """Fill an image: unknown pixels take the mean of the nearest known ones.

    colours: float32 (H, W, C). weights: float32 (H, W) in [0, 1], how far each pixel is known. Means over blocks of 2,
    4, 8, ... pixels are taken until one block holds everything, and fill what is missing on the way back. Returns
    float32 (H, W, C); 0 if every weight is 0.
    """
    height, width = weights.shape
    if height == width == 1:
        return np.where(weights[..., None] > 0, colours, np.float32(0))
    shape = (-(-height // 2), -(-width // 2))
    sums, mass = np.empty((*shape, colours.shape[2]), np.float32), np.empty(shape, np.float32)
    bands = [slice(first, first + _ROWS) for first in range(0, shape[0], _ROWS)]
    for band in bands:
        poll()
        rows = slice(2 * band.start, 2 * band.stop)
        mass[band] = _block_sums(weights[rows])
        weighted = _block_sums(by_column(np.multiply, colours[rows], weights[rows]))
        sums[band] = by_column(np.divide, weighted, np.maximum(mass[band], 1e-12))
    coarse = fill(sums, np.minimum(mass, 1), poll)
    filled = np.empty_like(colours)
    for band in bands:
        poll()
        rows = slice(2 * band.start, 2 * band.stop)
        fine = np.repeat(np.repeat(coarse[band], 2, axis=0), 2, axis=1)[: height - rows.start, :width]
        filled[rows] = fine + by_column(np.multiply, colours[rows] - fine, weights[rows])
    return filled


def _block_sums(image: Float32Array) -> Float32Array:
    """Add blocks of 2 x 2 pixels, (H, W, ...) to (ceil(H / 2), ceil(W / 2), ...)."""
    rows = image[::2].copy()
    rows[: image.shape[0] // 2] += image[1::2]
    sums = rows[:, ::2].copy()
    sums[:, : image.shape[1] // 2] += rows[:, 1::2]
    return sums
