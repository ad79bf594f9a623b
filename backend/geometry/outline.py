# SPDX-License-Identifier: GPL-3.0-or-later
"""A fair outline: what the pixels' staircase hides is drawn smooth, and thin things stay.

A mask that was cut without antialiasing carries its outline to half a pixel only, and a body whose rim followed it
would have ribs on its sides. Alpha is therefore blurred a little before its 0.5 contour is taken, but for
places with nothing thick nearby: a blur would cut a twig.
"""

import numpy as np

from ..raster.multigrid import Array

_KERNEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0  # binomial, a standard deviation of one pixel
_THICK = 5  # a thing is thick where a square of so many pixels fits into it
_NEAR = 3  # pixels


def fair(alpha: Array) -> Array:
    """Smooth a mask's outline. alpha: float64 (H, W) in [0, 1]; returns the same, thin parts unchanged."""
    blurred = _separable(_separable(alpha, _KERNEL), _KERNEL)
    square = _separable(alpha, np.full(_THICK, 1.0 / _THICK))
    thick = _greatest(square, _NEAR)
    share = np.clip((thick - 0.9) / 0.1, 0.0, 1.0)
    return alpha + share * (blurred - alpha)


def _separable(image: Array, kernel: Array) -> Array:
    """Filter rows and columns by an odd, symmetric kernel; beyond the border is 0."""
    reach = len(kernel) // 2
    for _ in range(2):
        padded = np.pad(image, ((reach, reach), (0, 0)))
        rows = image.shape[0]
        image = sum((weight * padded[k : k + rows] for k, weight in enumerate(kernel)), np.zeros_like(image)).T
    return image


def _greatest(image: Array, reach: int) -> Array:
    """The greatest value within a square of 2 reach + 1 pixels."""
    for _ in range(2):
        padded = np.pad(image, ((reach, reach), (0, 0)))
        rows = image.shape[0]
        image = np.max([padded[k : k + rows] for k in range(2 * reach + 1)], axis=0).T
    return image
