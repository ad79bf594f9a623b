# SPDX-License-Identifier: GPL-3.0-or-later
"""The lattice near the rim of a body.

The surface is steep there: its height rises like the square root of the distance to the rim. To follow that with
triangles of similar size, the lattice's points slide towards the rim within a narrow band, from the distance d to
d^2 / D, which makes such heights linear in the band's points.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import Float64Array

BAND = 12 / 512  # D, in sides of the cut-out
_BEND = 0.75  # -d²u/dd² at the rim, from Δu = -1: it is 1 beside a straight rim and 1/2 in a disc
_RISE = 6 / 512  # in sides of the cut-out: the distance from the rim at which a body has its full height


@dataclass(frozen=True)
class Rim:
    """What the inflated outline says of the rim; float64 (H, W), in pixels.

    distance: to the rim. slope: of the potential u at the rim, which is also half the width of a narrow strip. margin:
    the distance at which a body has its full height. column, row: where the points have slid to; pixel centres are
    whole numbers. nearer: their distance there. ratio: u there over u at the pixel's own centre.
    """

    distance: Float64Array
    slope: Float64Array
    margin: Float64Array
    column: Float64Array
    row: Float64Array
    nearer: Float64Array
    ratio: Float64Array


def make_rim(u: Float64Array, slope: tuple[Float64Array, Float64Array], side: int) -> Rim:
    """Slide the points within a band near the rim.

    u, slope: from `raster.poisson`, (H, W). side: the cut-out's, in pixels.
    """
    distance, slope_at_rim = _distance(u, slope)
    margin = np.minimum(max(_RISE * side, 3.0), np.maximum(slope_at_rim, 1.0))
    row, column = (part.astype(np.float64) for part in np.indices(u.shape))
    band_here = np.maximum(np.minimum(BAND * side, slope_at_rim), 1e-6)  # so that no point crosses a strip's middle
    moving = (distance < band_here) & (u > 0)
    nearer = np.where(moving, distance**2 / band_here, distance)
    length = np.hypot(*slope)
    way = np.divide(distance - nearer, length, out=np.zeros_like(u), where=moving & (length > 1e-9))
    u_there = slope_at_rim * nearer - _BEND * nearer**2 / 2
    ratio = np.divide(u_there, u, out=np.ones_like(u), where=moving & (way > 0))
    return Rim(
        distance,
        slope_at_rim,
        margin,
        column - way * slope[0],
        row + way * slope[1],
        np.where(way > 0, nearer, distance),
        np.clip(ratio, 0.0, 1.0),
    )


def _distance(u: Float64Array, slope: tuple[Float64Array, Float64Array]) -> tuple[Float64Array, Float64Array]:
    """Return the distance d to the rim and the slope g of u at the rim, from u = g d - k d^2 / 2; (H, W) each.

    k is `_BEND`; the second equation is the derivative, u' = g - k d.
    """
    here = np.hypot(*slope)
    distance = (np.sqrt(here**2 + 2.0 * _BEND * u) - here) / _BEND
    return distance, here + _BEND * distance
