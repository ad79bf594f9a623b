# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles lie at which pixels' centres, in numpy.

Every triangle is tested against the pixels of its bounding box, all triangles of similar size at once.
"""

import numpy as np

from ..arrays import Float64Array, Int64Array


def nearest(corners: Float64Array, shape: tuple[int, int]) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Return the pixels that show a triangle (P,), the triangles (P,) and the barycentric weights (P, 3).

    corners: float64 (T, 3, 3), column, row and depth of every corner. Pixels are flat indices of an image of this shape.
    """
    pixel, triangle, depth, weights = hits(corners, shape)
    order = np.lexsort((triangle, depth, pixel))
    first = order[np.append(True, pixel[order][1:] != pixel[order][:-1])] if len(order) else order
    return pixel[first], triangle[first], weights[first]


def hits(
    corners: Float64Array, shape: tuple[int, int]
) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
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
    offset = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    x, y = np.moveaxis(low[:, None] + offset, -1, 0)
    a, b, c = np.moveaxis(corners[:, None], 2, 0)
    px, py = x + 0.5, y + 0.5

    def area(p: Float64Array, q: Float64Array) -> Float64Array:
        return (q[..., 0] - p[..., 0]) * (py - p[..., 1]) - (q[..., 1] - p[..., 1]) * (px - p[..., 0])

    weights = np.stack([area(b, c), area(c, a), area(a, b)], axis=-1)
    total = weights.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = weights / total[..., None]
    hit = (np.abs(total) > 1e-12) & (weights >= -1e-9).all(axis=-1) & (x < shape[1]) & (y < shape[0])
    row, _ = np.nonzero(hit)
    depth = (weights[hit] * corners[row][..., 2]).sum(axis=-1)
    return (y * shape[1] + x)[hit], numbers[row], depth, weights[hit]
