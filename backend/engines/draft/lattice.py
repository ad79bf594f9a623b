# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles on the lattice of pixel centres: as fine as the surface needs, and cut along the outline.

The lattice is refined by bisecting right triangles (Evans, Kirkpatrick, Townsend, "Right-triangulated irregular
networks", Algorithmica 30, 2001): every point but the coarsest is the middle of one longest side, which it bisects. A
point is used if the surface there is farther than a tolerance from the middle of that side, or if a finer point that
depends on it is used. The result has no gaps and no slivers.

Along the outline the lattice is at its finest, and every triangle is cut where alpha, linear along its edges, crosses
one half (marching triangles). The outline crosses a triangle at most once, so it never branches, whatever the mask.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array

BLOCK = 32
"""The legs of the coarsest triangles, in pixels. A lattice's height and width are a multiple of it, plus one."""

_DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
_STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1))
_NEAREST = 0.05  # of an edge: how near to its ends the outline may cut it; nearer cuts would leave needles


@dataclass(frozen=True)
class Triangulation:
    """A triangulation of the mask.

    Its vertices are the N lattice points and then the R points of the rim. points: flat indices into the lattice, int64
    (N,). A rim point lies on the edge from rim_inside to rim_outside, flat indices, int64 (R,), at the fraction
    rim_fraction, float64 (R,). triangles: int64 (T, 3), counter-clockwise as the viewer sees them.
    """

    points: Int64Array
    rim_inside: Int64Array
    rim_outside: Int64Array
    rim_fraction: Float64Array
    triangles: Int64Array


def errors(surface: Float64Array, inside: BoolArray) -> Float64Array:
    """Return by how much the surface would be wrong without each of the lattice's points, float64 (H, W).

    surface: float64 (3, H, W), the position of each point. inside: bool (H, W). The result is in the surface's unit:
    for a point at least that of every finer point that depends on it, infinite along the outline, 0 outside.
    """
    wide = np.zeros([size + 2 * BLOCK for size in inside.shape])  # with zeros beyond the lattice
    error = wide[BLOCK:-BLOCK, BLOCK:-BLOCK]
    reach = inside.astype(np.int8)
    around = np.zeros_like(reach)
    around[1:-1, 1:-1] = reach[:-2, 1:-1] + reach[2:, 1:-1] + reach[1:-1, :-2] + reach[1:-1, 2:] + reach[1:-1, 1:-1]
    outline = (around > 0) & (around < 5)
    step = 1
    while step < BLOCK:
        for first in ((0, step), (step, 0)):  # middles of horizontal and of vertical sides
            middles = _Points(first, 2 * step, inside.shape)
            own = _deviation(surface, inside, middles, first)
            if step == 1:
                own[outline[middles.at()]] = np.inf
            else:
                own = np.maximum(own, _greatest_around(wide, middles, step // 2, _DIAGONAL))
            error[middles.at()] = own
        middles = _Points((step, step), 2 * step, inside.shape)
        row, column = np.indices(error[middles.at()].shape)
        falling = (row + column) % 2 == 0  # which diagonal the square's coarser triangles share
        own = np.where(
            falling,
            _deviation(surface, inside, middles, (step, step)),
            _deviation(surface, inside, middles, (step, -step)),
        )
        error[middles.at()] = np.maximum(own, _greatest_around(wide, middles, step, _STRAIGHT))
        step *= 2
    return np.ascontiguousarray(error)


def triangulate(error: Float64Array, tolerance: float) -> Int64Array:
    """Bisect the lattice's triangles at every point whose error exceeds the tolerance.

    error: float64 (H, W), from `errors`. Returns int64 (T, 3), flat indices, counter-clockwise as the viewer sees them.
    """
    height, width = error.shape
    row, column = (part.ravel() for part in np.mgrid[0 : height - 1 : BLOCK, 0 : width - 1 : BLOCK])
    corner = row * width + column
    down, right = BLOCK * width, BLOCK
    ring = [corner, corner + down, corner + down + right, corner + right]  # counter-clockwise as seen
    centre = corner + (down + right) // 2
    # Each triangle is (apex, left, right); its longest side is opposite to the apex.
    level = np.concatenate([np.stack([centre, ring[k], ring[(k + 1) % 4]], axis=1) for k in range(4)])
    used = error.ravel() > tolerance
    done: list[Int64Array] = []
    for _ in range(2 * BLOCK.bit_length() - 3):
        apex, left, right_end = level.T
        middle = (left + right_end) // 2
        split = used[middle]
        done.append(level[~split])
        apex, left, right_end, middle = (part[split] for part in (apex, left, right_end, middle))
        level = np.concatenate([np.stack([middle, apex, left], axis=1), np.stack([middle, right_end, apex], axis=1)])
    return np.concatenate([*done, level])


def cut(triangles: Int64Array, alpha: Float64Array) -> Triangulation:
    """Cut triangles along the outline and keep what lies inside.

    triangles: int64 (T, 3), flat indices into the lattice. alpha: float64 (H, W), at most 0.5 along the border.
    """
    flat = alpha.ravel()
    inside = flat > 0.5
    size = flat.size
    corners = inside[triangles]
    count = corners.sum(axis=1)
    one = _rotate(triangles[count == 1], corners[count == 1])
    two = _rotate(triangles[count == 2], ~corners[count == 2])

    # The edges that the outline crosses, inside end first. A triangle has two: from its only inside corner to the
    # others, or from the others to its only outside corner.
    keys = np.concatenate(
        [
            one[:, 0] * size + one[:, 1],
            one[:, 0] * size + one[:, 2],
            two[:, 1] * size + two[:, 0],
            two[:, 2] * size + two[:, 0],
        ]
    )
    edges, rim = np.unique(keys, return_inverse=True)
    rim_inside, rim_outside = edges // size, edges % size
    fraction = (flat[rim_inside] - 0.5) / (flat[rim_inside] - flat[rim_outside])

    used = np.zeros(size, np.bool_)
    used[triangles[count == 3]] = True
    used[rim_inside] = True
    points = np.flatnonzero(used)
    index = np.full(size, -1)
    index[points] = np.arange(len(points))
    rim = rim.reshape(-1) + len(points)
    a, b, c, d = np.split(rim, np.cumsum([len(one), len(one), len(two)]))
    whole = index[triangles[count == 3]]
    tips = np.stack([index[one[:, 0]], a, b], axis=1)
    left, right = index[two[:, 1]], index[two[:, 2]]
    return Triangulation(
        points=points,
        rim_inside=rim_inside,
        rim_outside=rim_outside,
        rim_fraction=np.clip(fraction, _NEAREST, 1 - _NEAREST),
        triangles=np.concatenate([whole, tips, np.stack([c, left, right], axis=1), np.stack([c, right, d], axis=1)]),
    )


def rim_places(cut_lattice: Triangulation, width: int) -> Float64Array:
    """Return the column and row of the rim's vertices in a lattice of this width, float64 (2, R)."""
    ends = (cut_lattice.rim_inside, cut_lattice.rim_outside)
    inside, outside = (np.stack(np.divmod(points, width)[::-1]) for points in ends)
    return (1.0 - cut_lattice.rim_fraction) * inside + cut_lattice.rim_fraction * outside


def folded(cut_lattice: Triangulation, surface: Float64Array) -> Int64Array:
    """Return the lattice points of triangles that a surface turns over, as the viewer sees them; flat, int64 (N,).

    surface: float64 (3, H, W), each point's column, row and height.
    """
    points, triangles = cut_lattice.points, cut_lattice.triangles
    flat = surface.reshape(3, -1)[:2, points]
    places = np.concatenate([flat, rim_places(cut_lattice, surface.shape[2])], axis=1)
    (ax, ay), (bx, by), (cx, cy) = (places[:, triangles[:, corner]] for corner in range(3))
    over = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) >= 0.0  # rows run downward
    corners = np.unique(triangles[over])
    return points[corners[corners < len(points)]]


@dataclass(frozen=True)
class _Points:
    """Points of a lattice of a shape: from the first row and column on, every `spacing`-th."""

    first: tuple[int, int]
    spacing: int
    shape: tuple[int, ...]

    def at(self, down: int = 0, right: int = 0) -> tuple[slice, ...]:
        """Where the points are, or what lies so many rows and columns from them."""
        shifted = zip(self.first, self.shape, (down, right), strict=True)
        return tuple(slice(start + by, size + by, self.spacing) for start, size, by in shifted)


def _deviation(surface: Float64Array, inside: BoolArray, middles: _Points, offset: tuple[int, int]) -> Float64Array:
    """Return the distance of points from the middle between their two neighbours; 0 unless all three are inside."""
    middle, a, b = middles.at(), middles.at(-offset[0], -offset[1]), middles.at(*offset)
    away = np.sqrt(sum((part[middle] - (part[a] + part[b]) / 2) ** 2 for part in surface))
    return np.where(inside[middle] & inside[a] & inside[b], away, 0.0)


def _greatest_around(
    wide: Float64Array, middles: _Points, step: int, around: tuple[tuple[int, int], ...]
) -> Float64Array:
    """Return the greatest error among four neighbours of points. wide: the errors, and zeros `BLOCK` points around."""
    neighbours = [wide[middles.at(BLOCK + down * step, BLOCK + right * step)] for down, right in around]
    return np.maximum.reduce(neighbours)


def _rotate(triangles: Int64Array, marked: BoolArray) -> Int64Array:
    """Rotate each triangle's corners so that its one marked corner comes first."""
    first = np.argmax(marked, axis=1)
    return np.take_along_axis(triangles, (first[:, None] + np.arange(3)) % 3, axis=1)
