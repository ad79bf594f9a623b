# SPDX-License-Identifier: GPL-3.0-or-later
"""Inflation of a silhouette: the solution of Poisson's equation inside it, as a balloon's height.

Δu = -1 inside the mask, u = 0 on its rim, h = 0.5 sqrt(4 u) = sqrt(u). The square root turns the membrane, which
leaves the rim at an angle, into a surface that leaves it upright: a disc of radius R gives u = (R^2 - r^2) / 4 and so
the half-depth sphere h = 0.5 sqrt(R^2 - r^2). The rim is where alpha crosses 0.5 between two pixel centres, to a
fraction of a pixel: a neighbour beyond the rim at the fraction f of the step stands for u = 0 at that place, which is a
weight of 1 / f (the symmetric ghost-fluid discretisation: Gibou et al., J. Comput. Phys. 176, 2002).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float64Array
from .multigrid import GridSystem, Progress, solve

_TOLERANCE = 1e-4
_CLOSEST_RIM = 0.01  # of a pixel; keeps the weights finite


def potential(alpha: NDArray[np.floating[Any]], progress: Progress) -> Float64Array:
    """Solve Δu = -1 inside the mask.

    alpha: (H, W) in [0, 1]; inside is where it is above 0.5; beyond the image it is 0. Returns u, float64 (H, W), in
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
    u = solve(system, inside.astype(np.float64), np.zeros(padded.shape), _TOLERANCE, progress)
    return np.maximum(u, 0.0)[1:-1, 1:-1]


def gradient(u: Float64Array, alpha: NDArray[np.floating[Any]]) -> tuple[Float64Array, Float64Array]:
    """The slope of a potential, aware of where the rim lies between two pixel centres.

    u: float64 (H, W) as `potential` gives it; alpha: the same alpha. Returns (du/dx, du/dy), float64 (H, W), in
    pixels, x to the right and y UP. Outside the mask it is one-sided next to the rim, pointing inward, else 0.
    """
    alpha = np.asarray(alpha, np.float64)
    return _slope(u, alpha), -_slope(u.T, alpha.T).T


def _slope(u: Float64Array, alpha: Float64Array) -> Float64Array:
    """The derivative along the second axis: through the next samples on both sides, be they pixels or the rim."""
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
