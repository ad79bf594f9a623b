# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on surfaces, and how far from each the nearest point of another surface lies."""

import numpy as np

from ...arrays import Float64Array, Int64Array
from .triangles import Triangles, areas, crosses

_AT_ONCE = 64  # points: few, as all that lie near to any of them are looked at for each
_FIRST = 0.02  # of the whole's longest side: how far is looked at first


def sample(surface: Triangles, count: int, seed: int) -> tuple[Float64Array, Float64Array]:
    """Return points at random on a surface, uniform by area, and their faces' unit normals, float64 (count, 3) each.

    Raises ValueError for a surface without area.
    """
    corners = surface.corners
    area = np.cumsum(areas(corners))
    if not (len(area) and area[-1] > 0):
        raise ValueError("the surface has no area")
    random = np.random.default_rng(seed)
    along = random.random(count) * area[-1]
    face = np.minimum(np.searchsorted(area, along, side="right"), len(area) - 1)
    u, v = random.random((2, count, 1))
    root = np.sqrt(u)  # (1 - r, r (1 - v), r v) with r² uniform is uniform on a triangle
    a, b, c = np.moveaxis(corners[face], 1, 0)
    normals = crosses(corners[face])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return (1 - root) * a + root * (1 - v) * b + root * v * c, normals / np.maximum(lengths, 1e-300)


def nearest(points: Float64Array, others: Float64Array) -> tuple[Float64Array, Int64Array]:
    """Return the distance from each point (N, 3) to the nearest of the others (M, 3), and which one that is, (N,) each.

    Both are gone through along one axis: only those others are looked at that are near enough along it.
    """
    axis = int(np.ptp(others, axis=0).argmax())
    order = np.argsort(others[:, axis], kind="stable")
    there = others[order]
    least = _FIRST * float(np.ptp(np.concatenate([points, others]), axis=0).max()) + 1e-12
    which = np.empty(len(points), np.int64)
    for some in np.array_split(np.argsort(points[:, axis]), -(-len(points) // _AT_ONCE)):
        which[some] = order[_search(points[some], there, axis, least)]
    return np.linalg.norm(points - others[which], axis=1), which


def _search(points: Float64Array, there: Float64Array, axis: int, reach: float) -> Int64Array:
    """Return the nearest of `there`, which is sorted along an axis, to each of some points, int64 (N,)."""
    while True:
        ends = (points[:, axis].min() - reach, points[:, axis].max() + reach)
        first, last = np.searchsorted(there[:, axis], ends)
        if first == last:
            reach *= 2
            continue
        part = there[first:last]
        which = (points @ (-2 * part.T) + (part**2).sum(axis=1)).argmin(axis=1)
        farthest = float(np.linalg.norm(points - part[which], axis=1).max())
        if farthest <= reach:  # what lies beyond the reach along one axis is no nearer
            return which + first
        reach = farthest
