# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles lie at which pixels' centres, in numpy.

A triangle covers a run of pixels in each of its rows. The runs of many triangles are found at once, and then their
pixels.
"""

from collections.abc import Iterator

import numpy as np

from ..arrays import Float64Array, Int64Array
from .ticks import Poll, unwatched

Hits = tuple[Int64Array, Int64Array, Float64Array, Float64Array]
"""Pixels (P,), triangles (P,), depths (P,) and barycentric weights (P, 3)."""

_LEAST_AREA = 1e-12  # of twice the area, in pixels
_TOUCH = 1e-9  # of a barycentric weight: a centre on an edge belongs to both sides
_TRIANGLES = 1 << 15  # that are worked out at once, and so stay in the processor's cache
_BATCH = 1 << 15  # rows of these, and pixels


def nearest(
    corners: Float64Array, shape: tuple[int, int], poll: Poll = unwatched
) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Return the pixels that show a triangle (P,), the triangles (P,) and the barycentric weights (P, 3), in no order.

    corners: float64 (T, 3, 3), column, row and depth of every corner. Pixels are flat indices of an image of this
    shape. poll: see `Poll`.
    """
    parts: list[tuple[Int64Array, Int64Array, Float64Array]] = []
    depths = np.full(shape[0] * shape[1], np.inf)
    last = np.full(shape[0] * shape[1], -1, np.int64)  # of the parts' entries, what each pixel shows
    count = 0
    for pixel, triangle, depth, weights in batches(corners, shape, poll):
        nearer = np.flatnonzero(depth < depths[pixel])
        np.minimum.at(depths, pixel[nearer], depth[nearer])
        nearer = nearer[depth[nearer] == depths[pixel[nearer]]]
        last[pixel[nearer]] = count + np.arange(len(nearer))
        parts.append((pixel[nearer], triangle[nearer], weights[nearer]))
        count += len(nearer)
    pixels, triangles, shares = (np.concatenate(part) for part in zip(*parts, strict=True))
    shown = last[pixels] == np.arange(count)
    return pixels[shown], triangles[shown], shares[shown]


def hits(corners: Float64Array, shape: tuple[int, int], poll: Poll = unwatched) -> Hits:
    """Return every meeting of a triangle with the ray through a pixel's centre, in no order.

    corners, pixels and poll as in `nearest`.
    """
    pixels, triangles, depths, weights = zip(*batches(corners, shape, poll), strict=True)
    return np.concatenate(pixels), np.concatenate(triangles), np.concatenate(depths), np.concatenate(weights)


def batches(corners: Float64Array, shape: tuple[int, int], poll: Poll) -> Iterator[Hits]:
    """Yield every meeting, as `hits` returns them, batch by batch: of a large image all are much memory."""
    for first in range(0, max(len(corners), 1), _TRIANGLES):
        for pixel, triangle, depth, weights in _of_some(corners[first : first + _TRIANGLES], shape, poll):
            yield pixel, triangle + first, depth, weights


def _of_some(corners: Float64Array, shape: tuple[int, int], poll: Poll) -> Iterator[Hits]:
    """Yield the meetings of some triangles, as `batches` does; at least one batch, if it is without any."""
    (left, last), (top, bottom) = (_span(corners[..., axis], shape[1 - axis]) for axis in (0, 1))
    drawn = np.flatnonzero((last >= left) & (bottom >= top))
    low = np.stack([left[drawn], top[drawn]])
    width, height = (np.stack([last[drawn], bottom[drawn]]) - low + 1).astype(np.int64)
    a, b, c = np.ascontiguousarray(corners[drawn, :, :2].transpose(1, 2, 0)) - (low + 0.5)  # from the first pixel on
    total = (b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0]
    height[np.abs(total) <= _LEAST_AREA] = 0
    scale = 1.0 / np.where(height > 0, total, 1.0)
    begins, depths = (low[1] * shape[1] + low[0]).astype(np.int64), corners[drawn, :, 2]
    # The weights at the box's first pixel, and how much more they are at each pixel to the right and down.
    own, right, down = np.empty((3, 3, len(drawn)))
    for corner, (p, q) in enumerate(((b, c), (c, a))):
        own[corner] = (p[0] * q[1] - p[1] * q[0]) * scale
        right[corner], down[corner] = (p - q)[1] * scale, (q - p)[0] * scale
    own[2], right[2], down[2] = 1.0 - own[0] - own[1], -right[0] - right[1], -down[0] - down[1]
    for some in _batches(height):
        poll()
        of, row = np.repeat(some, height[some]), _steps(height[some])
        slopes, weights = right[:, of], own[:, of] + down[:, of] * row
        begin, count = _run(weights, slopes, width[of])
        pixel = begins[of] + row * shape[1] + begin
        weights += slopes * begin
        for runs in _batches(count):
            poll()
            which, step = np.repeat(runs, count[runs]), _steps(count[runs])
            shares = (weights[:, which] + slopes[:, which] * step).T
            depth = np.einsum("pc,pc->p", shares, depths[of[which]])
            yield pixel[which] + step, drawn[of[which]], depth, shares


def _span(places: Float64Array, count: int) -> tuple[Float64Array, Float64Array]:
    """The first and the last of `count` pixels whose centres triangles, (T, 3), reach, float64 (T,)."""
    a, b, c = places.T
    first = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5)
    last = np.floor(np.maximum(np.maximum(a, b), c) - 0.5)
    return np.maximum(first, 0), np.minimum(last, count - 1)


def _run(weights: Float64Array, slopes: Float64Array, width: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Where the pixels begin that a triangle covers of a row of its box, and how many they are, int64 (R,) each.

    weights: float64 (3, R), at the row's first pixel. slopes: float64 (3, R), how much more they are at each further
    one. width: int64 (R,), the row's pixels.
    """
    with np.errstate(all="ignore"):
        bounds = (-_TOUCH - weights) / slopes
    begin = np.where(slopes > 0, bounds, 0.0).max(axis=0)
    end = np.where(slopes < 0, bounds, width - 1.0).min(axis=0)
    begin = np.ceil(np.clip(begin, 0, width)).astype(np.int64)
    end = np.floor(np.clip(end, -1, width - 1)).astype(np.int64)
    beside = ((slopes == 0) & (weights < -_TOUCH)).any(axis=0)
    return begin, np.where(beside, 0, np.maximum(end - begin + 1, 0))


def _batches(counts: Int64Array) -> list[Int64Array]:
    """Numbers of entries, in order, in groups whose counts sum up to about `_BATCH`; of no entries, one without any."""
    ends = np.cumsum(counts)
    whole = int(ends[-1]) if len(ends) else 0
    return np.array_split(np.arange(len(counts)), np.searchsorted(ends, np.arange(_BATCH, whole, _BATCH)))


def _steps(counts: Int64Array) -> Int64Array:
    """0, 1, ... up to each count, one after the other, int64 (sum,)."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
