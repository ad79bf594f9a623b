# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera sees of a mesh: at every pixel the nearest triangle, the place on it, and its depth."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array, Int32Array
from ..raster.ticks import Poll, unwatched
from ..raster.triangles import nearest


@dataclass(frozen=True)
class Seen:
    """What the pixels of a picture see.

    triangles: int32 (H, W), -1 for the background. weights: float64 (H, W, 3), the barycentric coordinates of the place
    on the triangle, 0 for the background. depths: float64 (H, W), infinite for the background.
    """

    triangles: Int32Array
    weights: Float64Array
    depths: Float64Array


def look(
    places: Float64Array,
    triangles: Int32Array,
    shape: tuple[int, int],
    *,
    perspective: bool = True,
    poll: Poll = unwatched,
) -> Seen:
    """Draw triangles, both of their sides, into a z-buffer.

    places: float64 (V, 3), the vertices' columns, rows and depths, as `camera.pixels` gives them. perspective: rays
    meet in the camera, so that depth and place on a triangle are not linear in the picture (their inverses are) and
    triangles that reach behind the camera are left out; else rays are parallel. shape: rows and columns.
    """
    drawn = np.arange(len(triangles))
    if perspective:
        drawn = drawn[(places[triangles, 2] > 0).all(axis=1)]
    corners = places[triangles[drawn]]
    if perspective:
        corners[..., 2] = -1.0 / corners[..., 2]  # orders as the depth does, and is linear in the picture
    pixel, which, weights = nearest(corners, shape, poll)
    if perspective:
        weights = weights * -corners[which, :, 2]
        inverse = weights.sum(axis=1)
        weights, depth = weights / inverse[:, None], 1.0 / inverse
    else:
        depth = (weights * corners[which, :, 2]).sum(axis=1)
    seen = Seen(np.full(shape, -1, np.int32), np.zeros((*shape, 3)), np.full(shape, np.inf))
    seen.triangles.reshape(-1)[pixel] = drawn[which]
    seen.weights.reshape(-1, 3)[pixel] = weights
    seen.depths.reshape(-1)[pixel] = depth
    return seen
