# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours in Oklab, in which distances are about as large as they look (Ottosson, A perceptual color space, 2020).

A shadow on a surface scales its linear colour by one factor, and Oklab's three numbers by that factor's cube root: the
shades of one surface lie on a ray from the origin.
"""

import numpy as np

from ..arrays import Float32Array, UInt8Array
from .colour import srgb_to_linear

_LMS_FROM_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_LAB_FROM_ROOTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_LINEAR = srgb_to_linear(np.arange(256) / 255).astype(np.float32)  # a table for bytes


def oklab(picture: UInt8Array) -> Float32Array:
    """Return a picture's colours, float32 (H, W, 3): lightness in [0, 1], green to red, blue to yellow.

    picture: uint8 (H, W, 3 or 4), sRGB; alpha is ignored. A difference of 0.02 is just visible.
    """
    return np.cbrt(_LINEAR[picture[..., :3]] @ _LMS_FROM_RGB.T) @ _LAB_FROM_ROOTS.T
