# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of a surface in its image: charts, as large as the image holds, the picture's own pixel for pixel."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from ..raster.ticks import Poll
from ..raster.triangles import batches
from .charts import FRONT, Charts, cut, signed_areas
from .errors import CannotPaintError
from .pack import pack, shelved

SIZES = (128, 256, 512, 1024, 2048, 4096)
"""The sides that an image can have, in pixels."""
MANY = 600
"""With more charts than so many, they lie in rows: to look for hollows takes a while for each."""
_FULL = 0.8  # of an image, that charts hardly ever fill
_SHARES = (1.0, 0.8, 0.6)  # of the picture's scale, that what the picture does not show is drawn at
_SMALLER = 0.97
_TRIALS = 150
_BATCH = 1 << 17  # pixels that are yielded at once


@dataclass(frozen=True)
class Atlas:
    """Where a surface lies in a square image.

    size: the image's side in pixels. scale: pixels of the image in one of the unit of the surface, in the picture's own
    chart. uv: float32 (T, 3, 2), (0, 0) bottom left. chart: int64 (T,), each triangle's chart.
    """

    size: int
    scale: float
    uv: Float32Array
    chart: Int64Array

    def pixels(self, poll: Poll) -> Iterator[tuple[Int64Array, Int64Array, Float64Array]]:
        """Yield the pixels that show the surface, see `pixels_of`."""
        return pixels_of(self.uv, self.size, poll)


def pixels_of(uv: Float32Array, size: int, poll: Poll) -> Iterator[tuple[Int64Array, Int64Array, Float64Array]]:
    """Yield the pixels of a square image that show a surface, batch by batch.

    They are flat indices from the top, int64 (P,), which triangle they show, int64 (P,), and its barycentric weights,
    float64 (P, 3). A pixel between triangles may come more than once. Of triangles that are too small for a pixel's
    centre the middle is shown, if no other triangle is there. uv: float32 (T, 3, 2), (0, 0) bottom left.
    """
    at = uv.astype(np.float64) * size
    screen = np.stack([at[..., 0], size - at[..., 1], np.zeros(at.shape[:2])], axis=2)
    covered, drawn = np.zeros(size**2, np.bool_), np.zeros(len(screen), np.bool_)
    for pixel, triangle, _, weights in batches(screen, (size, size), poll):
        covered[pixel] = drawn[triangle] = True
        yield pixel, triangle, weights
    small = np.flatnonzero(~drawn)
    column, row = np.clip(screen[small, :, :2].mean(axis=1).astype(np.int64), 0, size - 1).T
    pixel, first = np.unique(row * size + column, return_index=True)
    free = ~covered[pixel]
    for some in np.array_split(np.flatnonzero(free), -(-int(free.sum()) // _BATCH) or 1):
        poll()
        yield pixel[some], small[first[some]], np.full((len(some), 3), 1 / 3)


def lay_out(
    points: Float64Array,
    triangles: Int32Array,
    side: float,
    most: int,
    scale: float,
    poll: Poll,
    faces: Int32Array | None = None,
) -> Atlas:
    """Lay a surface out; see `Atlas`. Raises `CannotPaintError`.

    points: float64 (V, 3), x right, y up, z to the viewer. triangles: int32 (T, 3), outward. side: that of the picture,
    in the points' unit. most: the side of the largest image, in pixels. scale: that of the picture's own pixels, at
    which the picture's chart is drawn in the least image that has room for it; if none has, it is drawn smaller. faces:
    see `charts.cut`.

    The picture's side at the scale that comes out is whole, and the picture's chart lies on its pixels: of a picture
    that is drawn at this side colours need no second resampling.
    """
    charts = cut(points, triangles, poll, faces)
    front = charts.sides == FRONT
    areas = np.bincount(charts.of, np.abs(signed_areas(charts.flat))).astype(np.float64)
    edges, of = _edges(charts)
    low = np.full((len(front), 2), np.inf)
    np.minimum.at(low, of, edges.min(axis=1))
    if len(front) > MANY:
        high = np.full_like(low, -np.inf)
        np.maximum.at(high, of, edges.max(axis=1))
        return _on_shelves(charts, low, high, side, most, scale, poll)
    for size, wanted in _trials(areas, front, most, scale):
        wide = max(1, round(wanted * side))
        for share in _SHARES:
            scales: Float64Array = np.where(front, 1.0, share)[:, None] * wide / side
            if (areas * scales[:, 0] ** 2).sum() > _FULL * size**2:
                continue
            whole = np.floor(low * scales)
            offsets = pack(edges * scales[of][:, None] - whole[of][:, None], of, size, poll)
            if offsets is not None:
                return Atlas(size, wide / side, _placed(charts, scales / size, (offsets - whole) / size), charts.of)
    raise CannotPaintError("the surface cannot be laid out")


def _edges(charts: Charts) -> tuple[Float64Array, Int64Array]:
    """From where to where the edges around charts go, the chart on their left, float64 (B, 2, 2), and which, (B,)."""
    begin, triangle = charts.outline, charts.outline // 3
    ends = np.stack([begin, np.where(begin % 3 == 2, begin - 2, begin + 1)], axis=1)
    turned = signed_areas(charts.flat[triangle]) < 0
    ends[turned] = ends[turned, ::-1]
    return charts.flat.reshape(-1, 2)[ends], charts.of[triangle]


def _placed(charts: Charts, scales: Float64Array, offsets: Float64Array) -> Float32Array:
    """The corners of charts, float32 (T, 3, 2), each chart scaled and then moved. scales: (C, 1). offsets: (C, 2)."""
    places = charts.flat * scales[charts.of][:, None]
    places += offsets[charts.of][:, None]
    return places.astype(np.float32)


def _on_shelves(
    charts: Charts, low: Float64Array, high: Float64Array, side: float, most: int, scale: float, poll: Poll
) -> Atlas:
    """Lay very many charts out, in rows of boxes; see `lay_out`. low, high: float64 (C, 2), where charts lie."""
    sizes = [size for size in SIZES if size <= most]
    for size, wanted in [*((size, scale) for size in sizes), *((most, scale * _SMALLER**n) for n in range(1, _TRIALS))]:
        poll()
        wide = max(1, round(wanted * side))
        places = shelved((high - low) * (wide / side), size)
        if places is not None:
            scales = np.full((len(low), 1), wide / side)
            return Atlas(size, wide / side, _placed(charts, scales / size, (places - low * scales) / size), charts.of)
    raise CannotPaintError("the surface has too many pieces")


def _trials(areas: Float64Array, front: BoolArray, most: int, scale: float) -> Iterator[tuple[int, float]]:
    """Sizes and scales to try, those where there may be room: the picture's own scale in small images first."""
    least = float((areas * np.where(front, 1.0, min(_SHARES) ** 2)).sum())
    room = (_FULL / max(least, 1e-12)) ** 0.5  # the largest scale, for an image of one pixel
    yield from ((size, scale) for size in SIZES if size <= most and size * room >= scale)
    smaller = min(_SMALLER * scale, most * room)
    yield from ((most, smaller * _SMALLER**trial) for trial in range(_TRIALS))
