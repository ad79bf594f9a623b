# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlines in the plane, sampled as distances: what lathes turn, extrusions pull and engravings cut."""

import numpy as np

from .compiled import Array, compiled, either
from .distances import EXTENT, curve, polygon
from .solids import SAMPLES


def filled(corners: Array) -> Array:
    """Return the signed distance to a closed outline, corners (V, 2) within [-1, 1], as samples."""
    x, y = _places()
    kernel = either(_each_polygon, polygon)
    return kernel(x, y, np.ascontiguousarray(corners)).reshape(SAMPLES, SAMPLES)


def stroked(corners: Array, thickness: Array) -> Array:
    """Return the distance to an open line, corners (V, 2) within [-1, 1], half as thick as `thickness` (V) says."""
    x, y = _places()
    return either(_each_curve, curve)(x, y, np.ascontiguousarray(corners), thickness).reshape(SAMPLES, SAMPLES)


def smooth_line(points: Array, count: int, *, closed: bool) -> Array:
    """Return `count` points along the Catmull-Rom curve through `points` (V, 2)."""
    n = len(points)
    t = np.linspace(0, n, count, endpoint=False) if closed else np.linspace(0, n - 1, count)
    i = np.floor(t).astype(np.int64)
    if not closed:
        i = np.minimum(i, n - 2)
    f = (t - i)[:, None]
    at = [(i + k) % n if closed else np.clip(i + k, 0, n - 1) for k in (-1, 0, 1, 2)]
    a, b, c, d = (points[k] for k in at)
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - 3 * c + d - a) * f**3)


def _places() -> tuple[Array, Array]:
    x, y = np.meshgrid(*[np.linspace(-EXTENT, EXTENT, SAMPLES)] * 2)
    return x.ravel(), y.ravel()


@compiled
def _each_polygon(x: Array, y: Array, corners: Array) -> Array:
    result = np.empty(len(x))
    for k in range(len(x)):
        result[k] = polygon(x[k], y[k], corners)
    return result


@compiled
def _each_curve(x: Array, y: Array, corners: Array, thickness: Array) -> Array:
    result = np.empty(len(x))
    for k in range(len(x)):
        result[k] = curve(x[k], y[k], corners, thickness)
    return result
