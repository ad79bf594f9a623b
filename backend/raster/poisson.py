# SPDX-License-Identifier: GPL-3.0-or-later
"""Inflation of a silhouette: a height inside it that solves Poisson's equation.

Δu = -1 inside the mask, u = 0 on its rim, and the height is h = sqrt(u). u meets the rim at an angle; its square root
meets it vertically. A disc of radius R gives u = (R^2 - r^2) / 4 and h = 0.5 sqrt(R^2 - r^2), a sphere of half the
depth. The rim lies where alpha crosses 0.5 between two pixel centres. If it lies at the fraction f of the way to a
neighbour, that neighbour stands for u = 0 at that place, with a weight of 1 / f (the symmetric ghost-fluid
discretisation: Gibou et al., J. Comput. Phys. 176, 2002).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float64Array
from .multigrid import GridSystem, solve
from .ticks import Tick

_TOLERANCE = 1e-4
_CLOSEST_RIM = 0.01  # of a pixel; keeps the weights finite


def potential(alpha: NDArray[np.floating[Any]], tick: Tick) -> Float64Array:
    """Solve Δu = -1 inside the mask.

    alpha: (H, W) in [0, 1]. Pixels above 0.5 are inside; beyond the image alpha is 0. Returns u, float64 (H, W), in
    square pixels, positive inside and 0 outside.
    """
    padded = np.pad(np.asarray(alpha, np.float64), 1)
    inside = padded > 0.5
    pin = np.zeros(padded.shape)
    for axis in (0, 1):
        for shift in (1, -1):
            beyond = np.roll(padded, shift, axis)
            rim = inside & (beyond <= 0.5)
            fraction = (padded[rim] - 0.5) / (padded[rim] - beyond[rim])
            pin[rim] += 1.0 / np.maximum(fraction, _CLOSEST_RIM)
    right, down = np.zeros(padded.shape), np.zeros(padded.shape)
    right[:, :-1] = inside[:, :-1] & inside[:, 1:]
    down[:-1] = inside[:-1] & inside[1:]
    system = GridSystem(right, down, pin)
    u = solve(system, inside.astype(np.float64), np.zeros(padded.shape), _TOLERANCE, tick)
    return np.maximum(u, 0.0)[1:-1, 1:-1]


def gradient(u: Float64Array, alpha: NDArray[np.floating[Any]]) -> tuple[Float64Array, Float64Array]:
    """Return the slope (du/dx, du/dy) of a potential, float64 (H, W) each, x to the right and y UP, in pixels.

    u: float64 (H, W) from `potential`. alpha: the same as there. Differences next to the rim reach to the rim itself,
    at its fraction of a pixel. Outside the mask the slope is one-sided next to the rim and 0 elsewhere.
    """
    alpha = np.asarray(alpha, np.float64)
    return _slope(u, alpha), -_slope(u.T, alpha.T).T


def _slope(u: Float64Array, alpha: Float64Array) -> Float64Array:
    """Return the derivative along the second axis: between the next sample on each side, a pixel or the rim."""
    u, alpha = (np.pad(image, ((0, 0), (1, 1))) for image in (u, alpha))
    middle = alpha[:, 1:-1]
    inside = middle > 0.5
    total = np.zeros(middle.shape)
    length = np.zeros(middle.shape)
    for side, sign in ((slice(2, None), 1.0), (slice(None, -2), -1.0)):
        beyond = alpha[:, side]
        crossing = inside & (beyond <= 0.5)
        fraction = np.divide(middle - 0.5, middle - beyond, out=np.ones(middle.shape), where=crossing)
        total += sign * np.where(crossing, 0.0, u[:, side])
        length += np.maximum(fraction, _CLOSEST_RIM)
    return total / length
