# SPDX-License-Identifier: GPL-3.0-or-later
"""A closed mesh is cut by a level plane: what is above it stays, and a flat face closes it."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..mesh.check import is_closed
from ..mesh.rows import used
from .cap import cap, rings_of


@dataclass(frozen=True)
class Cut:
    """What is left of a mesh.

    vertices: float64 (V, 3). triangles: int64 (T, 3), those of the cap last. source: int64 (T,), the triangle that each
    was a part of; those of the cap have the one beside them. weights: float64 (T, 3, 3), the barycentric place of each
    corner in that triangle; all corners of the cap's are at one place of it, as its image has nothing to show below.
    """

    vertices: Float64Array
    triangles: Int64Array
    source: Int64Array
    weights: Float64Array


def cut_above(vertices: Float64Array, triangles: Int64Array, height: float) -> Cut | None:
    """Return what is above z = height of a closed mesh, closed again; None if the cut cannot be closed.

    vertices: float64 (V, 3), none at that height, see `foot.clear`. triangles: int64 (T, 3), outward.
    """
    above = vertices[:, 2] > height
    upper = above[triangles]
    count = upper.sum(axis=1)
    first = np.where(count == 1, upper.argmax(axis=1), (~upper).argmax(axis=1))  # the corner that is alone on its side
    order = (first[:, None] + np.arange(3)) % 3
    ordered = np.take_along_axis(triangles, order, axis=1)
    crossed = np.flatnonzero((count == 1) | (count == 2))
    alone, after, before = ordered[crossed].T
    # A crossing is one vertex for both triangles at the edge: it is computed from the edge's ends in one order.
    ends = np.sort(np.concatenate([np.stack([alone, after], 1), np.stack([alone, before], 1)]), axis=1)
    keys, number = np.unique(ends[:, 0] * len(vertices) + ends[:, 1], return_inverse=True)
    low, high = vertices[keys // len(vertices)], vertices[keys % len(vertices)]
    share = (height - low[:, 2]) / (high[:, 2] - low[:, 2])
    crossing = low + share[:, None] * (high - low)
    crossing[:, 2] = height
    out, back = len(vertices) + number.reshape(2, -1)  # the crossings from `alone` to the one after and before it

    one = count[crossed] == 1
    whole = np.flatnonzero(count == 3)
    tips = np.stack([alone, out, back], axis=1)[one]
    rests = [np.stack(corners, axis=1)[~one] for corners in ((out, after, before), (out, before, back))]
    walls = np.concatenate([triangles[whole], tips, *rests])
    source = np.concatenate([whole, crossed[one], crossed[~one], crossed[~one]])
    # The edge along the cut, as the wall beside it has it; seen from above, it goes around the body counter-clockwise.
    edges = np.concatenate([np.stack([out, back], 1)[one], np.stack([back, out], 1)[~one]])
    beside = np.concatenate([crossed[one], crossed[~one]])
    rings = rings_of(edges)
    places = np.concatenate([vertices, crossing])
    if not rings:
        return None
    floor = cap(places[:, :2], rings)[:, ::-1]
    neighbour = np.zeros(len(places), np.int64)
    neighbour[edges[:, 0]] = beside
    source = np.concatenate([source, neighbour[floor[:, 0]]])
    every = np.concatenate([walls, floor])
    if not is_closed(every):
        return None
    asked = np.concatenate([walls, np.repeat(floor[:, :1], 3, axis=1)])
    weights = _weights(places[asked], vertices[triangles[source]])
    kept, every = used(every, len(places))
    return Cut(places[kept], every, source, weights)


def uncut(vertices: Float64Array, triangles: Int64Array) -> Cut:
    """Return a mesh as it is, as one of which nothing was cut off."""
    count = len(triangles)
    return Cut(vertices, triangles, np.arange(count), np.broadcast_to(np.eye(3), (count, 3, 3)))


def _weights(points: Float64Array, corners: Float64Array) -> Float64Array:
    """Return the barycentric coordinates of points (T, 3, 3) in triangles (T, 3, 3): (T, point, corner)."""
    a, b, c = (corners[:, None, corner] for corner in range(3))
    normal = np.cross(b - a, c - a)
    square = np.maximum((normal * normal).sum(axis=-1), 1e-300)
    of_b = (np.cross(points - a, c - a) * normal).sum(axis=-1) / square
    of_c = (np.cross(b - a, points - a) * normal).sum(axis=-1) / square
    return np.stack([1 - of_b - of_c, of_b, of_c], axis=-1)
