# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are known on part of a surface go on over the rest of it, and fade with the way.

Where the picture's light ends at an edge that hides what is behind it, the surface goes on, and its light does, too: a
step of brightness would be seen from above or from the side. Far away nothing of it is left.
"""

import numpy as np

from ..arrays import Float64Array, Int32Array
from ..raster.ticks import Poll

_MOST = 48  # rounds


def faded(
    values: Float64Array, known: Float64Array, points: Float64Array, triangles: Int32Array, reach: float, poll: Poll
) -> Float64Array:
    """Return values for all vertices, float64 (V,): as they are where they are known, and elsewhere fading to 0.

    They flow as heat would, from vertex to vertex, until they have come about as far as `reach`, in the points' unit.
    values: float64 (V,). known: float64 (V,) in [0, 1], how far each stays as it is. points: float64 (V, 3). triangles:
    int32 (T, 3); those of which everything is known do not count.
    """
    flowing = triangles[(known.take(triangles) < 1).any(axis=1)]
    result = values * known
    if not len(flowing) or not result.any():
        return result
    used, corners = np.unique(flowing, return_inverse=True)
    corners = np.ascontiguousarray(corners.reshape(-1, 3).T)
    at = points.take(used, axis=0)
    lengths = np.linalg.norm(at[corners[0]] - at[corners[1]], axis=1)
    rounds = int(np.clip((reach / max(float(np.median(lengths)), 1e-9)) ** 2, 1, _MOST))
    heat, fixed = result[used], known[used]
    kept = heat.copy()
    count = np.maximum(np.bincount(corners.reshape(-1), minlength=len(used)), 1) * 3
    for _ in range(rounds):
        poll()
        triple = heat[corners].sum(axis=0)
        sums = sum(np.bincount(corner, triple, len(used)) for corner in corners)
        heat = kept + (1 - fixed) * (sums / count)
    result[used] = heat
    return result
