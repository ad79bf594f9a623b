# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are known on part of a surface go on over the rest of it, and fade with the way.

Where the picture ends at an edge that hides what is behind it, the surface goes on, and the picture's light does, too,
and what belongs to the front alone, as a face: a step would be seen from above or from the side. Far away nothing of it
is left.
"""

import numpy as np

from ..arrays import Float64Array, Int32Array
from ..mesh.rows import used
from ..raster.ticks import Poll
from ..raster.vectors import length

_MOST = 48  # rounds
_SURE = 0.9  # known as well as that, a value stays as it is


def faded(
    values: Float64Array, known: Float64Array, points: Float64Array, triangles: Int32Array, reach: float, poll: Poll
) -> Float64Array:
    """Return values for all vertices, float64 (V, C): as they are where they are known, and elsewhere fading to 0.

    They flow as heat would, from vertex to vertex, until they have come about as far as `reach`, in the points' unit.
    values: float64 (V, C). known: float64 (V,) in [0, 1], how far each stays as it is. points: float64 (V, 3).
    triangles: int32 (T, 3).
    """
    result = values * known[:, None]
    flowing = triangles[(known < _SURE).take(triangles).any(axis=1)]
    if not len(flowing) or not result.any():
        return result
    there, flowing = used(flowing, len(points))
    corners = np.ascontiguousarray(flowing.T)
    at, kept, open_ = points[there], np.ascontiguousarray(result[there].T), 1 - known[there]
    edge = float(np.median(length(at[corners[0]] - at[corners[1]])))
    share = open_ / (3 * np.bincount(corners.reshape(-1), minlength=len(at)))
    heat = kept.copy()
    for _ in range(int(np.clip((reach / max(edge, 1e-9)) ** 2, 1, _MOST))):
        poll()
        for warm, own in zip(heat, kept, strict=True):
            triple = warm[corners].sum(axis=0)  # of each triangle, which all of its corners get
            warm[:] = own + share * sum(np.bincount(corner, triple, len(at)) for corner in corners)
    result[there] = heat.T
    return result
