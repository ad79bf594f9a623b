# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles lie at which pixels' centres, in numpy.

Every triangle is tested against the pixels of its bounding box, all triangles of similar size at once.
"""

import numpy as np

from ..arrays import Float64Array, Int64Array

_LEAST_AREA = 1e-12  # of twice the area, in pixels
_TOUCH = 1e-9  # of a barycentric weight: a centre on an edge belongs to both sides


def nearest(corners: Float64Array, shape: tuple[int, int]) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Return the pixels that show a triangle (P,), the triangles (P,) and the barycentric weights (P, 3).

    corners: float64 (T, 3, 3), column, row and depth of every corner. Pixels are flat indices of an image of this
    shape.
    """
    pixel, triangle, depth, weights = hits(corners, shape)
    order = np.argsort(-depth, kind="stable")
    first = np.full(shape[0] * shape[1], -1, np.int64)
    first[pixel[order]] = order  # the last one stays: the nearest
    first = first[first >= 0]
    return pixel[first], triangle[first], weights[first]


def hits(corners: Float64Array, shape: tuple[int, int]) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
    """Return every meeting of a triangle with the ray through a pixel's centre, in no order.

    Pixels (P,), triangles (P,), depths (P,) and barycentric weights (P, 3); corners and pixels as in `nearest`.
    """
    last = np.array([shape[1] - 1, shape[0] - 1])
    low = np.clip(np.ceil(corners[..., :2].min(axis=1) - 0.5).astype(np.int64), 0, last)
    high = np.clip(np.floor(corners[..., :2].max(axis=1) - 0.5).astype(np.int64), 0, last)
    extent = (high - low + 1).max(axis=1)
    found: list[tuple[Int64Array, Int64Array, Float64Array, Float64Array]] = []
    side = 1
    while side < 2 * max(shape):
        chosen = np.flatnonzero((extent <= side) & (extent > side // 2))
        for part in np.array_split(chosen, max(1, len(chosen) * side * side // 2_000_000)):
            found += [_cover(corners[part], part, low[part], side, shape)]
        side *= 2
    pixel, triangle, depth, weights = zip(*found, strict=True)
    return np.concatenate(pixel), np.concatenate(triangle), np.concatenate(depth), np.concatenate(weights)


def _cover(
    corners: Float64Array, numbers: Int64Array, low: Int64Array, side: int, shape: tuple[int, int]
) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
    """Return pixels, triangles, depths and weights of what triangles cover in a square of `side` pixels at `low`."""
    a, b, c = np.moveaxis(corners[..., :2] - (low[:, None] + 0.5), 1, 0)  # from the square's first pixel on
    total = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    with np.errstate(divide="ignore"):
        scale = np.where(np.abs(total) > _LEAST_AREA, 1.0 / total, np.nan)  # no pixel lies in a triangle without area
    down, right = np.divmod(np.arange(side * side, dtype=np.float64), side)
    of_a, of_b = (
        ((q - p)[:, 0] * scale)[:, None] * down
        - ((q - p)[:, 1] * scale)[:, None] * right
        + ((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]) * scale)[:, None]
        for p, q in ((b, c), (c, a))
    )
    hit = (of_a >= -_TOUCH) & (of_b >= -_TOUCH) & (of_a + of_b <= 1.0 + _TOUCH)
    row, place = np.nonzero(hit)
    x, y = low[row, 0] + place % side, low[row, 1] + place // side
    inside = (x < shape[1]) & (y < shape[0])
    row, place, x, y = row[inside], place[inside], x[inside], y[inside]
    one, other = of_a[row, place], of_b[row, place]
    weights = np.stack([one, other, 1.0 - one - other], axis=1)
    depth = np.einsum("pc,pc->p", weights, corners[row, :, 2])
    return y * shape[1] + x, numbers[row], depth, weights
