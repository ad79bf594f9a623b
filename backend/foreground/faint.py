# SPDX-License-Identifier: GPL-3.0-or-later
"""White before white: raise the contrast to the background, so that the network sees an object of nearly its colour.

The network learned from pictures in which most objects differ well from the ground. If small differences are magnified,
it sees the paper on the table as any other object. The large ones grow little, so that shading stays shading.
"""

import numpy as np

from ..flow.products import Picture
from ..raster.components import border

_GAIN = 6.0  # of the smallest differences
_KNEE = 40.0  # levels of 255: larger differences grow by their logarithm
_BORDER = 2  # pixels
_MIDDLE = 0.5  # of the way to the middle grey goes the background, so that there is room on both sides


def raised(picture: Picture) -> Picture:
    """Return a small opaque picture with small differences from its border's colour magnified, uint8 (H, W, 4).

    A colour keeps the direction in which it differs, so that a shadow of the background stays one.
    """
    colours = picture[..., :3].astype(np.float32)
    ground = np.median(colours[border(picture.shape[:2], _BORDER)], axis=0)
    away = colours - ground
    length = np.maximum(np.abs(away).max(axis=-1, keepdims=True), 1)
    magnified = away * (_KNEE / length * np.log1p(length * (_GAIN / _KNEE)))
    result = picture.copy()
    result[..., :3] = np.rint(np.clip(ground + _MIDDLE * (127.5 - ground) + magnified, 0, 255)).astype(np.uint8)
    return result
