# SPDX-License-Identifier: GPL-3.0-or-later
"""Large triangles as grids of small ones, so that colours can be known between their corners."""

from dataclasses import dataclass
from math import prod

import numpy as np

from ..arrays import Float64Array, Int32Array, Int64Array
from ..mesh.rows import numbered
from ..raster.ticks import Poll
from ..raster.vectors import unit
from .sight import Sight

_MOST_PLACES = 1 << 62  # that one number can tell apart
_MOST = 48  # parts of an edge
_FEW = 0.001  # of the triangles: if fewer are large, none is divided
_POINTS = 400_000  # of a grid, about: if there are more large triangles, they are divided less


@dataclass(frozen=True)
class Grid:
    """A surface whose large triangles are divided.

    points, normals: float64 (N, 3), in the space of `Sight`. triangles: int32 (M, 3). parts: int64 (T,), into how many
    each edge of a triangle is divided. first: int64 (T,), the number of a triangle's first point in `numbers`, which
    has its points row by row, from its first corner on. Without parts the grid is the surface itself.
    """

    points: Float64Array
    normals: Float64Array
    triangles: Int32Array
    parts: Int64Array | None = None
    first: Int64Array | None = None
    numbers: Int64Array | None = None

    def blended(self, values: Float64Array, triangle: Int64Array, shares: Float64Array) -> Float64Array:
        """The values, float64 (N, C), at places on the surface's triangles, (P,), of barycentric weights (P, 3)."""
        if self.parts is None or self.first is None or self.numbers is None:
            return np.einsum("pc,pcx->px", shares, values.take(self.triangles.take(triangle, axis=0), axis=0))
        count, start = self.parts[triangle], self.first[triangle]
        across, down = (np.clip(shares[:, corner], 0, 1) * count for corner in (1, 2))
        row = np.minimum(np.floor(down).astype(np.int64), count - 1)
        column = np.clip(np.floor(across).astype(np.int64), 0, count - 1 - row)
        right, below = across - column, down - row
        far = right + below > 1
        far &= row + column < count - 1  # the last cell of a row is half a square
        right, below = np.clip(right, 0, 1), np.clip(below, 0, 1)
        corners = np.stack(
            [
                _place(count, np.where(far, row + 1, row), np.where(far, column + 1, column)),
                _place(count, np.where(far, row + 1, row), np.where(far, column, column + 1)),
                _place(count, np.where(far, row, row + 1), np.where(far, column + 1, column)),
            ],
            axis=1,
        )
        along, beside = np.where(far, 1 - right, right), np.where(far, 1 - below, below)
        weights = np.stack([np.clip(1 - along - beside, 0, 1), along, beside], axis=1)
        weights /= weights.sum(axis=1, keepdims=True)
        return np.einsum("pc,pcx->px", weights, values.take(self.numbers.take(start[:, None] + corners), axis=0))


def finer(seen: Sight, normals: Float64Array, longest: float, poll: Poll) -> Grid:
    """Divide the triangles of a surface that have edges longer than `longest`, in pixels of the cut-out.

    normals: float64 (V, 3), the vertices'. Points of different triangles at one place become one. The surface itself
    comes back if few of its triangles are large.
    """
    points, triangles = seen.points, seen.triangles
    a, b, c = np.moveaxis(points.take(triangles, axis=0), 1, 0)
    squares = [np.einsum("tx,tx->t", side, side) for side in (b - a, c - b, a - c)]
    lengths = np.sqrt(np.maximum.reduce(squares))
    if (lengths > longest).mean() < _FEW:
        return Grid(points, normals, triangles)
    while True:
        parts = np.clip(np.ceil(lengths / longest), 1, _MOST).astype(np.int64)
        counts = (parts + 1) * (parts + 2) // 2
        if counts.sum() <= max(_POINTS, 3 * len(triangles)):
            break
        longest *= 1.5
    first = np.cumsum(counts) - counts
    triangle, shares, inner = np.empty(counts.sum(), np.int64), np.empty((counts.sum(), 3)), []
    for count in np.unique(parts):
        poll()
        own = np.flatnonzero(parts == count)
        row, column = np.nonzero(np.tri(count + 1, dtype=np.bool_)[::-1])
        at = first[own][:, None] + np.arange(len(row))
        triangle[at] = own[:, None]
        shares[at] = np.stack([count - row - column, column, row], axis=1) / count
        inner.append((first[own][:, None, None] + _cells(int(count))).reshape(-1, 3))
    places = seen.at(triangle, shares)
    numbers, kept = _joined(places)
    corners = normals.take(triangles.take(triangle[kept], axis=0), axis=0)
    directions = unit(np.einsum("pc,pcx->px", shares[kept], corners))
    return Grid(places[kept], directions, numbers[np.concatenate(inner)].astype(np.int32), parts, first, numbers)


def _place(count: Int64Array, row: Int64Array, column: Int64Array) -> Int64Array:
    """The number of a grid's point, row by row, of which the first has count + 1."""
    return row * (count + 1) - row * (row - 1) // 2 + column


def _cells(count: int) -> Int64Array:
    """The small triangles of a grid, int64 (count^2, 3)."""
    row, column = np.nonzero(np.tri(count, dtype=np.bool_)[::-1])
    parts = np.full(len(row), count)
    upper = [(0, 0), (0, 1), (1, 0)]
    cells = [np.stack([_place(parts, row + r, column + c) for r, c in upper], axis=1)]
    whole = row + column < count - 1
    row, column, parts = row[whole], column[whole], parts[whole]
    lower = [(1, 1), (1, 0), (0, 1)]
    cells.append(np.stack([_place(parts, row + r, column + c) for r, c in lower], axis=1))
    return np.concatenate(cells)


def _joined(places: Float64Array) -> tuple[Int64Array, Int64Array]:
    """Number places, float64 (N, 3), that are one but for rounding: int64 (N,), and the first of each, int64 (M,)."""
    whole = np.rint(places * 64).astype(np.int64)
    whole -= whole.min(axis=0)
    shape = tuple(int(most) + 1 for most in whole.max(axis=0))
    if prod(shape) > _MOST_PLACES:
        return numbered(*whole.T)
    return numbered(np.asarray(np.ravel_multi_index(tuple(whole.T), shape), np.int64))  # faster than three columns
