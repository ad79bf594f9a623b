# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of a surface in its image: charts, as large as the image holds, the picture's own pixel for pixel."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array, Int64Array
from ..raster.ticks import Poll
from ..raster.triangles import hits
from .charts import FRONT, Charts, cut
from .errors import CannotPaintError
from .pack import pack

_SIZES = (128, 256, 512, 1024, 2048)
_FILLED = 0.5  # of an image, that charts fill without trouble
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


def lay_out(points: Float64Array, triangles: Int32Array, size: int, most: float, poll: Poll) -> Atlas:
    """Lay a surface out; see `Atlas`.

    points: float64 (V, 3), x right, y up, z to the viewer. triangles: int32 (T, 3), outward. size: the image's side in
    pixels; 0 for the least of `_SIZES` that holds the picture's own. most: the scale of the picture's own pixels; the
    picture's chart is not drawn larger. Its pixels' corners stay on those of a picture that is enlarged by `scale`, so
    that its colours need no second resampling.
    """
    charts = cut(points, triangles, poll)
    size = size or _as_sharp(charts, most)
    count = len(charts.sides)
    front = charts.sides == FRONT
    scale = most
    for _ in range(_TRIALS):
        for share in _SHARES:
            by_chart = np.where(front, scale, scale * share)
            flat = charts.flat * by_chart[charts.of][:, None, None]
            low = np.full((count, 2), np.inf)
            for axis in range(2):
                np.minimum.at(low[:, axis], charts.of, flat[..., axis].min(axis=1))
            flat -= np.floor(low)[charts.of][:, None]
            poll()
            offsets = pack(flat, charts.of, size)
            if offsets is not None:
                return _atlas(flat + offsets[charts.of][:, None], charts.of, size, scale)
        scale *= _SMALLER
    raise CannotPaintError("the surface cannot be laid out")


def _as_sharp(charts: Charts, most: float) -> int:
    a, b, c = np.moveaxis(charts.flat, 1, 0)
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum() / 2
    return next((size for size in _SIZES if size**2 * _FILLED >= area * most**2), _SIZES[-1])


def _atlas(places: Float64Array, of: Int64Array, size: int, scale: float) -> Atlas:
    screen = np.stack([places[..., 0], size - places[..., 1], np.zeros(places.shape[:2])], axis=2)
    pixel, triangle, _, weights = hits(screen, (size, size))
    order = np.lexsort((triangle, pixel))
    first = order[np.append(True, pixel[order][1:] != pixel[order][:-1])] if len(order) else order
    uv = (places / size).astype(np.float32)
    return Atlas(size, scale, uv, of, pixel[first], triangle[first], weights[first])
