# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlines in the plane, sampled as distances: what lathes turn, extrusions pull and engravings cut."""

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Float64Array
from .compiled import compiled
from .distances import EXTENT, clamp
from .solids import SAMPLES

_AXIS = np.linspace(-EXTENT, EXTENT, SAMPLES)


def evenly(radii: Float64Array) -> Float64Array:
    """Return corners (V, 2) at even angles about the origin, from the top on, at distances (V)."""
    angles = np.arange(len(radii)) * 2 * np.pi / len(radii)
    return np.stack([radii * np.sin(angles), radii * np.cos(angles)], axis=1)


def smooth_line(corners: ArrayLike, count: int, *, closed: bool = False) -> Float64Array:
    """Return `count` points along the Catmull-Rom curve through corners (V, 2) or (V, 3)."""
    points = np.asarray(corners, np.float64)
    n = len(points)
    t = np.linspace(0, n if closed else n - 1, count, endpoint=not closed)
    i = np.minimum(np.floor(t).astype(np.int64), n - 1 if closed else n - 2)
    f = (t - i)[:, None]
    a, b, c, d = (points.take(i + k, axis=0, mode="wrap" if closed else "clip") for k in (-1, 0, 1, 2))
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - 3 * c + d - a) * f**3)


@compiled
def _sampled(corners: Float64Array, first: int) -> Float64Array:
    """Return samples of Quilez's exact distance to the edges that end in corners (V, 2) from `first` on, even-odd."""
    samples = np.empty((SAMPLES, SAMPLES))
    for place in range(samples.size):
        x, y, squared, sign = _AXIS[place % SAMPLES], _AXIS[place // SAMPLES], 1e9, 1.0
        for i in range(first, len(corners)):
            ax, ay = corners[i, 0], corners[i, 1]
            ex, ey = corners[i - 1, 0] - ax, corners[i - 1, 1] - ay
            wx, wy = x - ax, y - ay
            t = clamp((wx * ex + wy * ey) / np.maximum(ex * ex + ey * ey, 1e-12), 0.0, 1.0)
            bx, by = wx - ex * t, wy - ey * t
            squared = min(squared, bx * bx + by * by)
            over, under, left = y >= ay, y < ay + ey, ex * wy > ey * wx
            if (over and under and left) or not (over or under or left):
                sign = -sign
        samples.flat[place] = sign * np.sqrt(squared)
    return samples


def filled(corners: Float64Array) -> Float64Array:
    """Return samples of the distance to a closed outline, corners (V, 2) within [-1, 1]."""
    return _sampled(corners, 0)


def stroked(corners: Float64Array, thickness: float) -> Float64Array:
    """Return samples of the distance to an open line, corners (V, 2) within [-1, 1], so thick to each side."""
    return np.abs(_sampled(corners[::-1].copy(), 1)) - thickness
