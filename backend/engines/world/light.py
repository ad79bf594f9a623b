# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage: what a picture clips to white becomes brighter than white, so that it lights as a lamp does.

A picture of eight bits does not know how bright its lamps, windows and sky are. An expand map raises what is nearly
white (the idea is that of Banterle et al., "Inverse Tone Mapping", GRAPHITE 2006), here restrained: by one factor that
the artist chooses, only above a knee, and the less the more of the sphere is white, since white paper is no lamp.
"""

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32Array
from ...flow.products import Panorama, Report
from ...raster.blur import box_mean
from .sphere import solid_angles

KNEE = 0.8
"""Of white, in linear light: what is darker stays as it is."""
MOST = 0.1
"""Of the sphere: if so much of it is white, or more, nothing is raised."""
_HALF_LEVEL = 0.0045  # of linear light, half of what lies between two levels of eight bits next to white
_WIDEST = 32  # the panorama's height in radii of the first mean between levels
_ROWS = 128  # that are worked out at once


def lifted(panorama: Panorama, *, highlights: float, report: Report) -> Panorama:
    """The panorama with its whites up to `highlights` times as bright, 1 or more.

    A pixel whose middle channel, neither the largest nor the smallest, is v in [KNEE, 1] is multiplied by
    1 + (f - 1) s(t), t = (v - KNEE) / (1 - KNEE), s(t) = t² (3 - 2 t), so that its hue stays;
    f = 1 + (highlights - 1) max(0, 1 - w / MOST), w the share of the sphere that is white, weighted by s. For that, v
    is known between the levels of eight bits: else each level of a smooth sky would become a step ten times as high.
    """
    light = panorama.light
    height = len(light)
    middle = np.empty(light.shape[:2], np.float32)
    for top in range(0, height, _ROWS):
        report(top, 2 * height)
        middle[top : top + _ROWS] = _middle(light[top : top + _ROWS])
    rows = np.flatnonzero((middle > KNEE).any(axis=1))
    if not len(rows):
        return panorama
    band = slice(rows[0], rows[-1] + 1)
    weights = np.where(middle[band] > KNEE, _whiteness(_between_levels(middle[band], height // _WIDEST, report)), 0)
    white = float((weights * solid_angles(height)[band]).sum())
    factor = (highlights - 1) * max(0.0, 1 - white / MOST)
    if factor == 0:
        return panorama
    brighter = light.copy()
    brighter[band] *= (1 + factor * weights[..., None]).astype(np.float32)
    return Panorama(brighter)


def _middle(light: Float32Array) -> Float32Array:
    """The middle channel of pixels (..., 3): it is high in lamps of any warmth, and not in a blue sky or red cloth."""
    red, green, blue = np.moveaxis(light, -1, 0)
    return np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))


def _between_levels(values: Float32Array, radius: int, report: Report) -> NDArray[np.float64]:
    """The smoothest values, (h, W), of which rounding to levels of eight bits may have left these.

    Means over ever smaller squares, the first of this radius, keep to within half a level: so borders stay sharp.
    """
    smooth = values.astype(np.float64)
    first = radius
    while radius:
        report(2 * first - radius, 2 * first)
        around = np.pad(smooth, ((0, 0), (radius, radius)), mode="wrap")
        smooth = box_mean(around, radius, beyond="edge")[:, radius:-radius]
        smooth = smooth.clip(values - _HALF_LEVEL, values + _HALF_LEVEL)
        radius //= 2
    return smooth


def _whiteness(middle: NDArray[np.float64]) -> NDArray[np.float64]:
    near = ((middle - KNEE) / (1 - KNEE)).clip(0, 1)
    return near * near * (3 - 2 * near)
