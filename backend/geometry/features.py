# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sheet network sees of a normal map, the same for training and inference.

The map lies in a square about the object, `MARGIN` times its longer side, at `SIDE` pixels. Lengths are in halves of
the square's side. Beside the normals the network sees two depths that need no learning: the height z that the normals
integrate to, and the inflated outline h. It learns what neither of them shows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, Float32Array, Float64Array
from ..raster import poisson
from ..raster.ticks import Poll
from . import integration

SIDE = 96
"""Pixels along the square's side."""

MARGIN = 1.1
"""The square's side over the object's longer one."""

CHANNELS = 8
MASK, Z, H, X = 3, 4, 5, 6
"""The planes of the mask, z, h and x."""

_TURNS = 2  # of the integration: enough for steps between large parts
_HOLD = 0.02  # of z to h, over the greatest potential: for parts that nothing else holds
_SAMPLES = 40_000  # pixels that the relief is estimated from


def see(normals: NDArray[np.floating[Any]], inside: BoolArray, poll: Poll) -> Float32Array:
    """Return what the network sees of a normal map, float32 (S, S, 8): normals, mask, z, h, x, y; 0 outside.

    normals: (S, S, 3), of any length, may be non-finite. inside: bool (S, S), True in at least one pixel. z has the
    mean 0 over the object. x and y run from -1 to 1, to the right and up.
    """
    size = len(inside)
    alpha = inside.astype(np.float64)

    def tick(_: float) -> None:
        poll()

    n = integration.clean(normals, inside)
    u = poisson.potential(alpha, tick)
    h = relief(n, u, poisson.gradient(u, alpha), inside) * np.sqrt(u)
    n = integration.steep(n)
    pin = np.full(alpha.shape, _HOLD / float(u.max()))
    z = integration.integrate(n, inside, tick, pin=pin, target=h, turns=_TURNS, tolerance=1e-3)
    z = np.where(inside, z - z[inside].mean(), 0.0)
    place = (np.arange(size) + 0.5) * 2 / size - 1
    x, y = np.broadcast_to(place, alpha.shape), np.broadcast_to(-place[:, None], alpha.shape)
    planes = np.dstack([n, alpha, z * 2 / size, h * 2 / size, x, y]).astype(np.float32)
    planes[~inside] = 0
    return planes


def relief(
    normals: Float64Array, u: Float64Array, slope: tuple[Float64Array, Float64Array], inside: BoolArray
) -> float:
    """Return the factor s by which the object is deeper than the inflated silhouette h = sqrt(u), by its normals.

    normals: float64 (H, W, 3), unit. u, slope: from `raster.poisson`, (H, W) each. In the plane of the viewing axis and
    the slope's direction t, the angle between (s |grad h|, 1) and (-n . t, n_z) shows how far the scaled silhouette is
    from the normals. s minimises the sum of the angles' sin^2, among factors from 1/4 to 2.5; it is 1 if the mask has
    no slope.
    """
    samples = np.flatnonzero(inside)
    samples = samples[:: 1 + len(samples) // _SAMPLES]
    slope_x, slope_y = (part.ravel()[samples] for part in slope)
    length = np.hypot(slope_x, slope_y)
    sloping = length > 1e-9
    if not sloping.any():
        return 1.0
    nx, ny, nz = normals.reshape(-1, 3)[samples][sloping].T
    slope_x, slope_y, length = slope_x[sloping], slope_y[sloping], length[sloping]
    steepness = length / (2.0 * np.sqrt(u.ravel()[samples][sloping]))
    tilt = -(nx * slope_x + ny * slope_y) / length
    factors = 4.0 ** (np.arange(-32, 22) / 32)
    misfit = [float(((s * steepness * nz - tilt) ** 2 / (1.0 + (s * steepness) ** 2)).sum()) for s in factors]
    return float(factors[int(np.argmin(misfit))])
