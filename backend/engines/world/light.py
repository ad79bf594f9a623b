# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage: what a picture clips to white becomes brighter than white, so that it lights as a lamp does.

A picture of eight bits does not know how bright its lamps, windows and sky are. An expand map raises what is nearly
white (the idea is that of Banterle et al., "Inverse Tone Mapping", GRAPHITE 2006), here restrained: by one factor that
the artist chooses, only above a knee, and the less the more of the sphere is white, since white paper is no lamp.
"""

import numpy as np

from ...arrays import Float32Array
from ...flow.products import Panorama, Report
from .sphere import solid_angles

KNEE = 0.8
"""Of white, in linear light: what is darker stays as it is."""
MOST = 0.1
"""Of the sphere: if so much of it is white, or more, nothing is raised."""
_ROWS = 128  # that are worked out at once


def lifted(panorama: Panorama, *, highlights: float, report: Report) -> Panorama:
    """The panorama with its whites up to `highlights` times as bright, 1 or more.

    A pixel whose middle channel, neither the largest nor the smallest, is v in [KNEE, 1] is multiplied by
    1 + (f - 1) s(t), t = (v - KNEE) / (1 - KNEE), s(t) = t² (3 - 2 t), so that its hue stays;
    f = 1 + (highlights - 1) max(0, 1 - w / MOST), w the share of the sphere that is white, weighted by s.
    """
    light = panorama.light
    weights = np.empty(light.shape[:2], np.float32)
    for top in range(0, len(light), _ROWS):
        report(top, 2 * len(light))
        weights[top : top + _ROWS] = _whiteness(light[top : top + _ROWS])
    white = float((weights * solid_angles(len(light))).sum(dtype=np.float64))
    factor = np.float32((highlights - 1) * max(0.0, 1 - white / MOST))
    if factor == 0 or not weights.any():
        return panorama
    return Panorama(light * (1 + factor * weights[..., None]))


def _whiteness(light: Float32Array) -> Float32Array:
    """How white pixels (..., 3) are, in [0, 1]: lamps of any warmth, and neither a blue sky nor red cloth."""
    red, green, blue = np.moveaxis(light, -1, 0)
    middle = np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))
    near = ((middle - np.float32(KNEE)) / np.float32(1 - KNEE)).clip(0, 1)
    return near * near * (3 - 2 * near)
