# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface as points spread evenly over it: what a small view of any mesh is drawn from.

However many triangles there are, however they hang together and whichever way they are wound, so many points take so
much time, and thin parts do not vanish between pixels' centres.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array, Int64Array
from ..mesh.spread import spread
from ..raster.vectors import unit
from .winding import welded

_DIRECTIONS = 400  # in which the outermost vertices are looked for
_SHARP = np.cos(np.radians(35.0))  # between a face's normal and the mean around a vertex


@dataclass(frozen=True)
class Cloud:
    """A surface, moved to the origin and scaled to the radius 1.

    points, normals: float32 (N, 3); of a normal only the line is meant, as windings may be wrong. outer: float64 (H,
    3), vertices that reach the farthest in any direction, whose box in a picture is the surface's. centre: float64
    (3,), the middle of the mesh's box, and radius: half of its diagonal, in the mesh's axes and unit; of what got
    points, see `scatter`.
    """

    points: Float32Array
    normals: Float32Array
    outer: Float64Array
    centre: Float64Array
    radius: float


def scatter(vertices: Float32Array, triangles: Int32Array, count: int) -> Cloud:
    """Spread points over a mesh, the same for the same mesh.

    vertices: float32 (V, 3). triangles: int32 (T, 3), not all without area. count: how many points, at least 1. What is
    too small to get a point counts for nothing, so that a stray crumb does not decide how large the mesh is.
    """
    middle = vertices[triangles[0, 0]].astype(np.float64)
    a, b, c = (vertices[triangles[:, corner]] - middle for corner in range(3))
    across = np.cross(b - a, c - a)
    areas = np.linalg.norm(across, axis=1).astype(np.float64)
    which, shares = spread(areas, count)
    x, y = shares[:, :1], shares[:, 1:]
    a, b, c = a[which], b[which], c[which]
    corners = np.concatenate([a, b, c])
    low, high = corners.min(axis=0), corners.max(axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    points = (a + x * (b - a) + y * (c - a) - centre) / radius
    normals = _smooth(across, welded(vertices, triangles), which, np.stack([1 - x - y, x, y], axis=1))
    outer = _outermost((corners - centre) / radius)
    return Cloud(points.astype(np.float32), normals.astype(np.float32), outer, middle + centre, radius)


def _smooth(across: Float64Array, triangles: Int32Array, which: Int64Array, shares: Float64Array) -> Float64Array:
    """The normals at places on triangles: smooth over edges that are not sharp, float64 (N, 3).

    across: float64 (T, 3), the triangles' normals, as long as twice their areas. triangles: int32 (T, 3), welded.
    which: int64 (N,), and shares: float64 (N, 3, 1), the triangles and barycentric weights of the places.
    """
    owners, count = triangles.ravel(), int(triangles.max()) + 1
    parts = [np.bincount(owners, np.repeat(across[:, axis], 3), count) for axis in range(3)]
    sums = np.stack(parts, axis=1).astype(np.float64)
    own = unit(across[which], least=1e-300)[:, None]
    around = unit(sums[triangles[which]], least=1e-300)
    flat = (own * around).sum(axis=2, keepdims=True) < _SHARP
    return unit((shares * np.where(flat, own, around)).sum(axis=1))


def _outermost(places: Float64Array) -> Float64Array:
    """The farthest of places, float64 (N, 3), in directions all round (a Fibonacci lattice), float64 (H, 3)."""
    steps = np.arange(_DIRECTIONS) + 0.5
    z = 1 - 2 * steps / _DIRECTIONS
    angle, flat = steps * np.pi * (1 + 5**0.5), np.sqrt(1 - z**2)
    directions = np.stack([flat * np.cos(angle), flat * np.sin(angle), z])
    farthest = [np.argmax(places @ some, axis=0) for some in np.array_split(directions, _DIRECTIONS // 20, axis=1)]
    return places[np.unique(np.concatenate(farthest))]
