# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of a surface in its image: charts, as large as the image holds, the picture's own pixel for pixel."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array, Int64Array
from ..raster.ticks import Poll
from ..raster.triangles import nearest
from .charts import FRONT, cut
from .errors import CannotPaintError
from .pack import pack

_SIZES = (128, 256, 512, 1024, 2048)
_FILLED = 0.5  # of an image, that charts fill without trouble
_FULL = 0.8  # of an image, that charts hardly ever fill
_SHARES = (1.0, 0.8, 0.6)  # of the picture's scale, that what the picture does not show is drawn at
_SMALLER = 0.93
_TRIALS = 60


@dataclass(frozen=True)
class Atlas:
    """Where a surface lies in a square image.

    size: the image's side in pixels. scale: pixels of the image in one of the unit of the surface, in the picture's own
    chart. uv: float32 (T, 3, 2), (0, 0) bottom left. chart: int64 (T,), each triangle's chart.
    pixel, triangle: int64 (P,), the pixels, flat indices from the top, that show the surface, and which triangle.
    weights: float64 (P, 3), barycentric.
    """

    size: int
    scale: float
    uv: Float32Array
    chart: Int64Array
    pixel: Int64Array
    triangle: Int64Array
    weights: Float64Array

    @property
    def waste(self) -> float:
        """The share of the image that shows nothing."""
        return 1.0 - len(self.pixel) / self.size**2


def lay_out(points: Float64Array, triangles: Int32Array, side: float, size: int, most: float, poll: Poll) -> Atlas:
    """Lay a surface out; see `Atlas`. Raises `CannotPaintError`.

    points: float64 (V, 3), x right, y up, z to the viewer. triangles: int32 (T, 3), outward. side: that of the picture,
    in the points' unit. size: the image's side in pixels; 0 for the least of `_SIZES` that holds the picture's own.
    most: the scale of the picture's own pixels; the picture's chart is not drawn larger.

    The picture's side at the scale that comes out is whole, and the picture's chart lies on its pixels: of a picture
    that is drawn at this side colours need no second resampling.
    """
    charts = cut(points, triangles, poll)
    of, front = charts.of, charts.sides == FRONT
    areas = np.bincount(of, _areas(charts.flat), len(front)).astype(np.float64)
    size = size or next((each for each in _SIZES if each**2 * _FILLED >= areas.sum() * most**2), _SIZES[-1])
    least = float((areas * np.where(front, 1.0, min(_SHARES) ** 2)).sum())
    low = np.full((len(front), 2), np.inf)
    for axis in range(2):
        np.minimum.at(low[:, axis], of, charts.flat[..., axis].min(axis=1))
    scale = min(most, size * (_FULL / max(least, 1e-12)) ** 0.5)
    for _ in range(_TRIALS):
        wide = max(1, round(scale * side))
        for share in _SHARES:
            scales: Float64Array = np.where(front, 1.0, share)[:, None] * wide / side
            flat: Float64Array = charts.flat * scales[of][:, None] - np.floor(low * scales)[of][:, None]
            poll()
            offsets = pack(flat, of, size)
            if offsets is not None:
                return _atlas(flat + offsets[of][:, None], of, size, wide / side)
        scale *= _SMALLER
    raise CannotPaintError("the surface cannot be laid out")


def _areas(corners: Float64Array) -> Float64Array:
    """The areas of triangles in a plane, (T, 3, 2), as float64 (T,)."""
    a, b, c = np.moveaxis(corners, 1, 0)
    return np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


def _atlas(places: Float64Array, of: Int64Array, size: int, scale: float) -> Atlas:
    screen = np.stack([places[..., 0], size - places[..., 1], np.zeros(places.shape[:2])], axis=2)
    pixel, triangle, weights = nearest(screen, (size, size))  # at an edge one of two
    return Atlas(size, scale, (places / size).astype(np.float32), of, pixel, triangle, weights)
