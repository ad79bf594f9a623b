# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as people have them: corners that are one place, and triangles that are wound inward."""

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int32Array
from ..mesh.check import vertex_components
from ..mesh.rows import numbered
from ..raster.ticks import Poll
from .raster import look

_SIDE = 512  # pixels along the side in which it is seen which way triangles face
_TURNS = ((0, 1, 2), (2, 0, 1), (1, 2, 0))  # the axes that are right, up and to the viewer


def welded(vertices: Float32Array, triangles: Int32Array) -> Int32Array:
    """The triangles, int32 (T, 3), with one vertex for each place: the first of those that lie there."""
    numbers, first = numbered(*vertices.T)
    return first[numbers][triangles].astype(np.int32)


def inward(points: Float64Array, triangles: Int32Array, poll: Poll) -> BoolArray:
    """Which triangles should be turned over so that what is seen of them is their front, bool (T,).

    points: float64 (V, 3), welded, z to the viewer. Seen from the six sides, the viewer's first: a triangle whose back
    is seen there is turned, or one of which more of the back is seen; what is never seen goes with its part.
    """
    corners = points[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    low, high = points[triangles].min(axis=(0, 1)), points[triangles].max(axis=(0, 1))
    scale = _SIDE / max(float((high - low).max()), 1e-12)
    shown = np.zeros(len(triangles))
    for axes in _TURNS:
        for sign in (1.0, -1.0):
            poll()
            places = (points - low)[:, axes] * scale + (0.013, 0.017, 0.0)  # beside the pixels' centres
            places[:, 2] *= -sign
            seen = look(places, triangles, (_SIDE + 1, _SIDE + 1), perspective=False, poll=poll).triangles
            count = np.bincount(seen[seen >= 0], minlength=len(triangles))
            facing = np.sign(normals[:, axes[2]]) * sign * count
            first = axes[2] == 2 and sign > 0
            shown += facing * (1e6 if first else 1.0)  # the picture's own view decides if it sees the triangle
    part = vertex_components(triangles, len(points))[triangles[:, 0]]
    of_part = np.bincount(part, np.clip(shown, -1e3, 1e3), len(points))[part]
    return _alike(triangles, np.where(shown != 0, shown, of_part) < 0)


def _alike(triangles: Int32Array, turned: BoolArray) -> BoolArray:
    """The same, but triangles over each other, as leaves with two sides have them, face one way: the first one's."""
    order = np.argsort(triangles, axis=1)
    ends = np.take_along_axis(triangles, order, axis=1)
    odd = (order[:, 0] > order[:, 1]) ^ (order[:, 0] > order[:, 2]) ^ (order[:, 1] > order[:, 2])
    numbers, first = numbered(*ends.T)
    return (turned ^ odd)[first[numbers]] ^ odd
