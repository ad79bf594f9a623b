# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface in the frame of its picture: how the picture sees it, and how it would be seen from behind, through it."""

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int32Array
from ..raster.blur import box_blur
from ..raster.morphology import dilated, eroded
from ..raster.resample import crop_resize
from ..raster.ticks import Poll
from ..raster.triangles import batches
from .bake import View

FRONT, BACK = 1.0, -1.0
_NEAR = 0.015  # of the side: how far behind the nearest surface a point may be to be seen
_RIM = 0.012  # of the side: the rim of the silhouette, whose pixels mix with the ground


def kept(inside: BoolArray, square: int) -> Float32Array:
    """How far the pixels of a silhouette, bool (S, S), may be used, float32 (square, square) in [0, 1]."""
    usable = _usable(inside, max(1, round(_RIM * len(inside))))
    return np.clip(crop_resize(usable, 0, 0, len(inside), square), 0, 1)


def views(points: Float64Array, triangles: Int32Array, side: int, kept: Float32Array, poll: Poll) -> tuple[View, View]:
    """What is seen of a surface from the front and from behind, with z-buffers of the size of `kept`; see `places`."""
    square = len(kept)
    near, far = np.full(square**2, np.inf), np.full(square**2, -np.inf)
    corners = places(points, FRONT, side, square).take(triangles, axis=0)
    for pixel, _, depth, _ in batches(corners, (square, square), poll):
        np.minimum.at(near, pixel, depth)
        np.maximum.at(far, pixel, depth)
    front, back = (View(depths.reshape(square, square), kept, _NEAR * square) for depths in (near, -far))
    return front, back


def places(points: Float64Array, sign: float, side: int, square: int) -> Float64Array:
    """Column, row and depth of points, float64 (N, 3), in a picture of `square` pixels.

    points: float64 (N, 3), as `sight` gives them for a cut-out of `side` pixels. sign: `FRONT` or `BACK`.
    """
    x, y, z = points.T
    return np.stack([x, side - y, -z * sign], axis=1) * (square / side)


def _usable(inside: BoolArray, rim: int) -> Float32Array:
    """How far the pixels of a silhouette may be used, float32 (S, S) in [0, 1]: its rim not, of thin parts the middle.

    inside: bool (S, S). rim: pixels.
    """
    depth = inside.astype(np.float32)
    for radius in range(1, rim + 1):
        depth += eroded(inside, radius)
    middle = inside & (depth >= dilated(depth, rim))
    return box_blur(middle.astype(np.float32), max(1.0, rim / 4), beyond="zero") * inside
