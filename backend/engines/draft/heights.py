# SPDX-License-Identifier: GPL-3.0-or-later
"""The front's heights: what the normals integrate to, held to a guess at low frequencies.

A small bias of the normals would add up to a body that leans. So a smooth image is added to the integrated heights that
pulls their low frequencies towards the guess; being smooth, it neither opens nor closes a step.
"""

import numpy as np

from ...arrays import BoolArray, Float64Array
from ...geometry import integration
from ...raster.multigrid import GridSystem, solve
from ...raster.ticks import Tick

_STEP = 8 / 512  # in sides of the cut-out: the least step between neighbours whose edge is straightened
_TURNS = 6  # of the integration, as pins hold every part


def front_heights(
    normals: Float64Array,
    inside: BoolArray,
    guess: Float64Array,
    holds: tuple[float, float],
    side: int,
    tick: Tick,
) -> Float64Array:
    """Return heights whose slopes are the normals' and whose low frequencies are the guess's, float64 (H, W), pixels.

    normals: float64 (H, W, 3), unit, z >= 0. guess: (H, W). holds: how strongly every pixel is held to the guess while
    integrating, and afterwards; wavelengths above 2 pi / sqrt(hold) pixels follow the guess. side: the cut-out's.
    """
    pin = np.full(inside.shape, holds[0])
    z = integration.integrate(
        integration.steep(normals), inside, lambda f: tick(0.8 * f), pin=pin, target=guess, turns=_TURNS, tolerance=1e-3
    )
    z = _straighten_steps(z, inside, _STEP * side)
    return z + smooth(guess - z, np.where(inside, holds[1], 0.0), inside, lambda f: tick(0.8 + 0.2 * f))


def smooth(image: Float64Array, hold: Float64Array, inside: BoolArray, tick: Tick) -> Float64Array:
    """Return the image m, (H, W), that minimises the sum of |grad m|^2 + hold (m - image)^2 inside the mask."""
    right, down = np.zeros(inside.shape), np.zeros(inside.shape)
    right[:, :-1] = inside[:, :-1] & inside[:, 1:]
    down[:-1] = inside[:-1] & inside[1:]
    system = GridSystem(right, down, hold)
    return solve(system, hold * image, np.where(inside, image, 0.0), 1e-3, tick)


def _straighten_steps(z: Float64Array, inside: BoolArray, least: float) -> Float64Array:
    """Straighten the edges of steps in heights, (H, W).

    At the edge of a surface that turns away from the viewer, the rows' and columns' equations disagree by a few pixels,
    which leaves a row of spikes. So pixels beside steps of more than `least` take the median of their neighbourhood,
    four times.
    """
    width = z.shape[1]
    reach = 2
    row, column = np.divmod(np.arange((2 * reach + 1) ** 2), 2 * reach + 1)
    offsets = (row - reach) * width + column - reach
    for _ in range(4):
        beside = np.zeros(z.shape, np.bool_)
        steep = (np.abs(z[:, 1:] - z[:, :-1]) > least) & inside[:, 1:] & inside[:, :-1]
        beside[:, 1:] |= steep
        beside[:, :-1] |= steep
        steep = (np.abs(z[1:] - z[:-1]) > least) & inside[1:] & inside[:-1]
        beside[1:] |= steep
        beside[:-1] |= steep
        beside[:reach], beside[-reach:], beside[:, :reach], beside[:, -reach:] = False, False, False, False
        place = np.flatnonzero(beside)
        if not len(place):
            return z
        around = place[:, None] + offsets
        values = np.where(inside.ravel()[around], z.ravel()[around], np.nan)
        z = z.copy()
        z.ravel()[place] = np.nanmedian(values, axis=1)
    return z
