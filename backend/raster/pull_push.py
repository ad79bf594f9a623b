# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill an image from the pixels that are known (pull-push; Gortler et al., The Lumigraph, SIGGRAPH 1996)."""

import numpy as np

from ..arrays import Float32Array


def fill(colours: Float32Array, weights: Float32Array) -> Float32Array:
    """Fill an image: unknown pixels take the mean of the nearest known ones.

    colours: float32 (H, W, C). weights: float32 (H, W) in [0, 1], how far each pixel is known. Means over blocks of 2,
    4, 8, ... pixels are taken until one block holds everything, and fill what is missing on the way back. Returns
    float32 (H, W, C); 0 if every weight is 0.
    """
    height, width = weights.shape
    known = weights[..., None]
    if height == width == 1:
        return np.where(known > 0, colours, np.float32(0))
    mass = _block_sums(known)
    coarse = fill(_block_sums(colours * known) / np.maximum(mass, 1e-12), np.minimum(mass[..., 0], 1))
    fine = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[:height, :width]
    return fine + (colours - fine) * known


def _block_sums(image: Float32Array) -> Float32Array:
    """Add blocks of 2 x 2 pixels, (H, W, C) to (ceil(H / 2), ceil(W / 2), C)."""
    rows = image[::2].copy()
    rows[: image.shape[0] // 2] += image[1::2]
    sums = rows[:, ::2].copy()
    sums[:, : image.shape[1] // 2] += rows[:, 1::2]
    return sums
