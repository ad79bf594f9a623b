# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles lie at which pixels' centres, in numpy.

A triangle covers a run of pixels in each of its rows. The runs of all triangles are found at once, and their pixels by
batches.
"""

from collections.abc import Iterator

import numpy as np

from ..arrays import Float64Array, Int64Array
from .ticks import Poll, unwatched

Hits = tuple[Int64Array, Int64Array, Float64Array, Float64Array]
"""Pixels (P,), triangles (P,), depths (P,) and barycentric weights (P, 3)."""

_LEAST_AREA = 1e-12  # of twice the area, in pixels
_TOUCH = 1e-9  # of a barycentric weight: a centre on an edge belongs to both sides
_BATCH = 1 << 17  # rows, and pixels, that are worked out at once


def nearest(
    corners: Float64Array, shape: tuple[int, int], poll: Poll = unwatched
) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Return the pixels that show a triangle (P,), the triangles (P,) and the barycentric weights (P, 3), in no order.

    corners: float64 (T, 3, 3), column, row and depth of every corner. Pixels are flat indices of an image of this
    shape. poll: see `Poll`.
    """
    parts: list[Hits] = []
    depths = np.full(shape[0] * shape[1], np.inf)
    first = np.full(shape[0] * shape[1], -1, np.int64)  # of all that is found, what each pixel shows
    count = 0
    for part in batches(corners, shape, poll):
        pixel, _, depth, _ = part
        order = np.argsort(-depth, kind="stable")
        order = order[depth[order] < depths[pixel[order]]]
        depths[pixel[order]] = depth[order]  # the last one stays: the nearest
        first[pixel[order]] = count + order
        parts.append(part)
        count += len(pixel)
    shown: list[tuple[Int64Array, Int64Array, Float64Array]] = []
    for pixel, triangle, _, weights in reversed(parts):
        poll()
        count -= len(pixel)
        stays = first[pixel] == np.arange(count, count + len(pixel))
        shown.append((pixel[stays], triangle[stays], weights[stays]))
    pixels, triangles, shares = zip(*shown, strict=True)
    return np.concatenate(pixels), np.concatenate(triangles), np.concatenate(shares)


def hits(corners: Float64Array, shape: tuple[int, int], poll: Poll = unwatched) -> Hits:
    """Return every meeting of a triangle with the ray through a pixel's centre, in no order.

    corners, pixels and poll as in `nearest`.
    """
    pixels, triangles, depths, weights = zip(*batches(corners, shape, poll), strict=True)
    return np.concatenate(pixels), np.concatenate(triangles), np.concatenate(depths), np.concatenate(weights)


def batches(corners: Float64Array, shape: tuple[int, int], poll: Poll) -> Iterator[Hits]:
    """Yield every meeting, as `hits` returns them, batch by batch: of a large image all are much memory."""
    last = np.array([shape[1] - 1, shape[0] - 1])
    low = np.clip(np.ceil(corners[..., :2].min(axis=1) - 0.5).astype(np.int64), 0, last)
    high = np.clip(np.floor(corners[..., :2].max(axis=1) - 0.5).astype(np.int64), 0, last)
    a, b, c = np.moveaxis(corners[..., :2] - (low[:, None] + 0.5), 1, 0)  # from the box's first pixel on
    total = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    drawn = np.flatnonzero((high >= low).all(axis=1) & (np.abs(total) > _LEAST_AREA))
    a, b, c, low, scale, depths = a[drawn], b[drawn], c[drawn], low[drawn], 1.0 / total[drawn], corners[drawn, :, 2]
    width, height = (high[drawn] - low + 1).T
    # The weights at the box's first pixel, and how much more they are at each pixel to the right and down.
    own, right, down = np.empty((3, 3, len(drawn)))
    for corner, (p, q) in enumerate(((b, c), (c, a))):
        own[corner] = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]) * scale
        right[corner], down[corner] = (p - q)[:, 1] * scale, (q - p)[:, 0] * scale
    own[2], right[2], down[2] = 1.0 - own[0] - own[1], -right[0] - right[1], -down[0] - down[1]
    for some in _batches(height):
        poll()
        of, row = np.repeat(some, height[some]), _steps(height[some])
        slopes, weights = right[:, of], own[:, of] + down[:, of] * row
        begin, count = _run(weights, slopes, width[of])
        pixel = (low[of, 1] + row) * shape[1] + low[of, 0] + begin
        weights += slopes * begin
        for runs in _batches(count):
            poll()
            which, step = np.repeat(runs, count[runs]), _steps(count[runs])
            shares = (weights[:, which] + slopes[:, which] * step).T
            depth = np.einsum("pc,pc->p", shares, depths[of[which]])
            yield pixel[which] + step, drawn[of[which]], depth, shares


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
