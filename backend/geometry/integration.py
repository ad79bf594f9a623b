# SPDX-License-Identifier: GPL-3.0-or-later
"""From normals to heights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..raster.multigrid import Array, GridSystem, Progress, solve

_TOLERANCE = 1e-4


def clean(normals: NDArray[np.floating[Any]], inside: NDArray[np.bool_]) -> Array:
    """Make unit normals that face the viewer out of anything.

    normals: (H, W, 3) of any length, may hold NaN and infinity. inside: bool (H, W). Returns float64 (H, W, 3), unit
    length, z >= 0. What has no direction, and everything outside, becomes (0, 0, 1); what looks away from the viewer is
    turned to the nearest direction that is just visible.
    """
    n = np.asarray(normals, np.float64)
    usable = inside & np.isfinite(n).all(axis=-1)
    n = np.where(usable[..., None], n, 0.0)
    n /= np.abs(n).max(axis=-1, keepdims=True) + 1e-30
    n[..., 2] = np.maximum(n[..., 2], 0.0)
    length = np.linalg.norm(n, axis=-1)
    usable &= length > 1e-6
    n = np.where(usable[..., None], n, (0.0, 0.0, 1.0))
    return n / np.where(usable, length, 1.0)[..., None]


def integrate(normals: Array, inside: NDArray[np.bool_], pin: Array, target: Array, progress: Progress) -> Array:
    """Find the height whose slope is the normals', near a target.

    normals: float64 (H, W, 3), unit, x right, y up, z >= 0. inside: bool (H, W). pin: float64 (H, W), how strongly
    each pixel is held to `target`, (H, W), compared with slopes. Every pixel's equation n_z dz = -n_x (and n_z dz =
    -n_y upward) is written for both of its sides, which weighs slopes by n_z^2. Returns heights in pixels, float64
    (H, W), towards the viewer, 0 outside.
    """
    nx, ny, nz = np.moveaxis(normals, -1, 0)
    right, down = np.zeros(inside.shape), np.zeros(inside.shape)
    right_slope, down_slope = np.zeros(inside.shape), np.zeros(inside.shape)
    weight = nz**2
    pairs = inside[:, :-1] & inside[:, 1:]
    right[:, :-1] = pairs * (weight[:, :-1] + weight[:, 1:])
    right_slope[:, :-1] = pairs * -((nz * nx)[:, :-1] + (nz * nx)[:, 1:])
    pairs = inside[:-1] & inside[1:]
    down[:-1] = pairs * (weight[:-1] + weight[1:])
    down_slope[:-1] = pairs * ((nz * ny)[:-1] + (nz * ny)[1:])
    system = GridSystem(right, down, pin * inside)
    rhs = system.divergence(right_slope, down_slope) + system.pin * target
    return solve(system, rhs, np.where(inside, target, 0.0), _TOLERANCE, progress)
