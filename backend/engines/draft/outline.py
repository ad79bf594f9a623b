# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth the outline of a mask; corners and thin parts stay.

A mask without antialiasing, or one that was scaled up, has a stepped outline, which would put ribs on the sides of the
body. The outline is the 0.5 contour of alpha; a pixel's distance from it follows from alpha and its slope. A wide blur
gives a smooth outline but cuts corners, a narrow blur keeps both corners and steps. So the distance in the narrow blur
is moved towards that in the wide one, by about a pixel at most. Alpha far from thick parts stays as it is, as any blur
would cut a twig.
"""

import numpy as np

from ...arrays import Float64Array
from ...raster.blur import box_blur, box_mean
from ...raster.morphology import dilated
from ...raster.ticks import Poll

# In sides of the cut-out: the standard deviations of the two blurs, and how far the outline may move.
_NARROW = 1.2 / 512
_WIDE = 3.5 / 512
_MOST = 1.0 / 512
_THICK = 3  # pixels: a part is thick if a square of so many pixels to each side of its centre fits into it
_NEAR = 4  # pixels from a thick part within which the outline is smoothed


def smooth(alpha: Float64Array, side: int, poll: Poll) -> Float64Array:
    """Return alpha, float64 (H, W), with a smooth 0.5 contour; thin parts stay unchanged.

    alpha: float64 (H, W) in [0, 1]. side: the cut-out's side in pixels. poll: called between the steps.
    """
    narrow = box_blur(alpha, max(1.0, _NARROW * side), beyond="zero")
    poll()
    wide = box_blur(alpha, max(1.0, _WIDE * side), beyond="zero")
    poll()
    distance = _distance(narrow)
    limit = max(0.5, _MOST * side)
    moved = distance + np.clip(_distance(wide) - distance, -limit, limit)
    beside = np.abs(distance) < 2.0 + limit
    smoother = np.where(beside, np.clip(0.5 + 0.15 * moved, 0.0, 1.0), narrow)
    poll()
    thick = dilated(box_mean(alpha, _THICK, beyond="zero"), _NEAR)
    share = np.clip((thick - 0.9) / 0.1, 0.0, 1.0)
    return alpha + share * (smoother - alpha)


def _distance(blurred: Float64Array) -> Float64Array:
    """Return how many pixels inside the 0.5 contour each pixel is, (H, W); to first order, valid near the contour."""
    down, right = np.gradient(blurred)
    return (blurred - 0.5) / np.maximum(np.hypot(down, right), 0.02)
