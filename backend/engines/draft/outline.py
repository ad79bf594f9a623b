# SPDX-License-Identifier: GPL-3.0-or-later
"""A fair outline: what the pixels' staircase hides is drawn smooth; corners and thin things stay.

A mask that was cut without antialiasing, or scaled up, carries its outline to a pixel only, and a body whose rim
followed it would have ribs on its sides. The outline is the 0.5 contour of alpha; how far a pixel is from it follows
from alpha and its slope. A wide blur gives a smooth outline that cuts corners, a narrow one keeps both corners and
stairs: the narrow one's distance is moved towards the wide one's, by about a pixel at most. Where nothing thick is
near, alpha stays as it is, as any blur would cut a twig.
"""

from collections.abc import Callable

import numpy as np

from ...arrays import Float64Array
from ...raster.blur import box_blur, box_mean

_NARROW = 1.2 / 512  # blurs' standard deviations, and
_WIDE = 3.5 / 512
_MOST = 1.0 / 512  # how far the outline may be moved from the narrow blur's, all of the cut-out's side
_THICK = 3  # a part is thick if a square of so many pixels to each side fits into it
_NEAR = 4  # pixels


def fair(alpha: Float64Array, side: int, tick: Callable[[], None]) -> Float64Array:
    """Smooth a mask's outline.

    alpha: float64 (H, W) in [0, 1]; side: the cut-out's side in pixels. tick: called between the steps. Returns
    the same, its 0.5 contour the fair outline; thin parts unchanged.
    """
    narrow = box_blur(alpha, max(1.0, _NARROW * side), beyond="zero")
    tick()
    wide = box_blur(alpha, max(1.0, _WIDE * side), beyond="zero")
    tick()
    distance = _distance(narrow)
    limit = max(0.5, _MOST * side)
    moved = distance + np.clip(_distance(wide) - distance, -limit, limit)
    beside = np.abs(distance) < 2.0 + limit
    fairer = np.where(beside, np.clip(0.5 + 0.15 * moved, 0.0, 1.0), narrow)
    tick()
    thick = _greatest(box_mean(alpha, _THICK, beyond="zero"), _NEAR)
    share = np.clip((thick - 0.9) / 0.1, 0.0, 1.0)
    return alpha + share * (fairer - alpha)


def _distance(blurred: Float64Array) -> Float64Array:
    """How many pixels inside the 0.5 contour each pixel is, to first order; only good beside the contour."""
    down, right = np.gradient(blurred)
    return (blurred - 0.5) / np.maximum(np.hypot(down, right), 0.02)


def _greatest(image: Float64Array, reach: int) -> Float64Array:
    """The greatest value within a square of 2 reach + 1 pixels."""
    for _ in range(2):
        padded = np.pad(image, ((reach, reach), (0, 0)))
        rows = image.shape[0]
        image = np.max([padded[k : k + rows] for k in range(2 * reach + 1)], axis=0).T
    return image
