# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours for what nobody saw: each material about as bright everywhere, with its texture.

Light that the normals do not explain (highlights, cast shadows, the sun beside the shade) changes slowly along a
material, and its texture quickly. What is slow gives way to the material's median brightness: a highlight of the front
is no reason for a bright patch on the back.
"""

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..raster.blur import box_blur
from ..raster.vectors import by_column, dot
from .light import LUMINANCE, greyness, lightness_and_hue, materials

_SLOW = 0.02  # of the side: the radius over which brightness is averaged
_STEP = 2  # pixels from one that counts in that to the next
_BLACK = 1e-3  # luminance below which nothing is told apart
_FIRM = 1.5  # of a logarithm: greys that differ more are taken for different materials, as black and white are


def evened(colours: Float32Array, inside: BoolArray) -> Float32Array:
    """Return the colours of evenly bright materials, linear, float32 (H, W, 3); outside the object they stay.

    colours: float32 (H, W, 3), linear, at least 0. inside: bool (H, W), the object's pixels. All hues of one material
    are one surface in more or less light. Greys need not be, so that they give way the less the more they differ.
    """
    if not inside.any():
        return colours
    pixels = colours[inside].astype(np.float64)
    brightness = np.log(np.maximum(dot(pixels, LUMINANCE), _BLACK))
    material = materials(pixels)
    row, column = (place // _STEP for place in np.nonzero(inside))
    missing = np.zeros(len(pixels))
    for each in np.unique(material):
        own = material == each
        shown = np.zeros((*inside.shape, 2), np.float32)
        shown[inside] = np.stack([brightness * own, own], axis=1)
        some = box_blur(shown[::_STEP, ::_STEP], _SLOW * len(inside) / _STEP, beyond="zero")
        total, mass = some[row[own], column[own]].T
        slow = np.where(mass > 0, total / np.maximum(mass, 1e-6), brightness[own])
        missing[own] = np.median(brightness[own]) - slow
    grey = greyness(lightness_and_hue(pixels)[1])
    missing /= 1 + (grey * missing / _FIRM) ** 2
    result = colours.copy()
    result[inside] = by_column(np.multiply, pixels, np.exp(missing))
    return result
