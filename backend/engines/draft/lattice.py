# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture's lattice as triangles: fine where the surface needs it, cut along the outline.

The lattice's points are pixel centres. It is refined by bisecting right triangles (Evans, Kirkpatrick, Townsend,
"Right-triangulated irregular networks", Algorithmica 30, 2001): every point but the coarsest is the middle of one
longest side, whose bisection it stands for. A point is used where its surface departs from the middle of that side by
more than a tolerance, or where a finer point that needs it is used; that leaves no gaps and no slivers.

Along the outline the lattice is at its finest, and every triangle is cut where alpha, linear along its edges, crosses
one half (marching triangles). Triangles, unlike squares, leave no case open: the outline passes each at most once, so
that it never branches, whatever the mask.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float64Array

Points = NDArray[np.int64]

BLOCK = 32
"""The legs of the coarsest triangles, in pixels; lattices have a multiple of it, plus one, as height and width."""

_NEAREST = 0.05  # of an edge: how near to a lattice point the outline may cut it; nearer makes needles


@dataclass(frozen=True)
class Sheet:
    """A triangulation of the mask.

    Its vertices are the lattice points `points`, int64 (N,), flat indices, followed by the rim's R vertices, each on
    the edge from `rim_inside` to `rim_outside`, int64 (R,), at the fraction `rim_fraction`, float64 (R,).
    triangles: int64 (T, 3), counter-clockwise as seen by the viewer.
    """

    points: Points
    rim_inside: Points
    rim_outside: Points
    rim_fraction: Float64Array
    triangles: Points


def importance(surface: Float64Array, inside: NDArray[np.bool_]) -> Float64Array:
    """How far a surface would be off without each of the lattice's points.

    surface: float64 (3, H, W), where each point lies. inside: bool (H, W). Returns float64 (H, W), in the surface's
    unit: at least as much for a point as for every finer one that needs it, infinite along the outline, 0 outside.
    """
    error = np.zeros(inside.shape)
    reach = inside.astype(np.int8)
    around = np.zeros_like(reach)
    around[1:-1, 1:-1] = reach[:-2, 1:-1] + reach[2:, 1:-1] + reach[1:-1, :-2] + reach[1:-1, 2:] + reach[1:-1, 1:-1]
    outline = (around > 0) & (around < 5)
    step = 1
    while step < BLOCK:
        for first in ((0, step), (step, 0)):  # middles of horizontal and of vertical sides
            middle = np.ix_(
                *(np.arange(start, size, 2 * step) for start, size in zip(first, inside.shape, strict=True))
            )
            own = _sag(surface, inside, middle, (first[0] // step * step, first[1] // step * step))
            if step == 1:
                own[outline[middle]] = np.inf
            else:
                own = np.maximum(own, _around(error, middle, step // 2, diagonal=True))
            error[middle] = own
        middle = np.ix_(*(np.arange(step, size, 2 * step) for size in inside.shape))
        row, column = np.indices(error[middle].shape)
        falling = (row + column) % 2 == 0  # which diagonal the square's coarser triangles share
        own = np.where(
            falling, _sag(surface, inside, middle, (step, step)), _sag(surface, inside, middle, (step, -step))
        )
        error[middle] = np.maximum(own, _around(error, middle, step, diagonal=False))
        step *= 2
    return error


def triangulate(error: Float64Array, tolerance: float) -> Points:
    """Bisect the lattice's triangles wherever a point's importance exceeds the tolerance.

    error: float64 (H, W), as `importance` gives it. Returns int64 (T, 3), flat indices, counter-clockwise as
    the viewer sees them.
    """
    height, width = error.shape
    row, column = (part.ravel() for part in np.mgrid[0 : height - 1 : BLOCK, 0 : width - 1 : BLOCK])
    corner = row * width + column
    down, right = BLOCK * width, BLOCK
    ring = [corner, corner + down, corner + down + right, corner + right]  # counter-clockwise as seen
    centre = corner + (down + right) // 2
    # Each triangle is (apex, left, right): its longest side is the one that the apex faces.
    level = np.concatenate([np.stack([centre, ring[k], ring[(k + 1) % 4]], axis=1) for k in range(4)])
    wanted = error.ravel() > tolerance
    done: list[Points] = []
    for _ in range(2 * BLOCK.bit_length() - 3):
        apex, left, right_end = level.T
        middle = (left + right_end) // 2
        split = wanted[middle]
        done.append(level[~split])
        apex, left, right_end, middle = (part[split] for part in (apex, left, right_end, middle))
        level = np.concatenate([np.stack([middle, apex, left], axis=1), np.stack([middle, right_end, apex], axis=1)])
    return np.concatenate([*done, level])


def cut(triangles: Points, alpha: Float64Array) -> Sheet:
    """Keep what lies inside the outline.

    triangles: int64 (T, 3), flat indices into the lattice. alpha: float64 (H, W), at most 0.5 along the border.
    """
    flat = alpha.ravel()
    inside = flat > 0.5
    size = flat.size
    corners = inside[triangles]
    count = corners.sum(axis=1)
    one = _rotate(triangles[count == 1], corners[count == 1])
    two = _rotate(triangles[count == 2], ~corners[count == 2])

    # Crossed edges, inside end first: both that leave the lone inside corner, both that enter the lone outside one.
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
    return Sheet(
        points=points,
        rim_inside=rim_inside,
        rim_outside=rim_outside,
        rim_fraction=np.clip(fraction, _NEAREST, 1 - _NEAREST),
        triangles=np.concatenate([whole, tips, np.stack([c, left, right], axis=1), np.stack([c, right, d], axis=1)]),
    )


def rim_places(sheet: Sheet, width: int) -> Float64Array:
    """Where the rim's vertices lie in a lattice of this width: (column, row), float64 (2, R)."""
    inside, outside = (np.stack(np.divmod(points, width)[::-1]) for points in (sheet.rim_inside, sheet.rim_outside))
    return (1.0 - sheet.rim_fraction) * inside + sheet.rim_fraction * outside


def folded(sheet: Sheet, surface: Float64Array) -> Points:
    """The lattice points of triangles that a surface turns over, as the viewer sees them; flat indices, int64 (N,).

    surface: float64 (3, H, W), each point's column, row and height.
    """
    flat = surface.reshape(3, -1)[:2, sheet.points]
    places = np.concatenate([flat, rim_places(sheet, surface.shape[2])], axis=1)
    (ax, ay), (bx, by), (cx, cy) = (places[:, sheet.triangles[:, corner]] for corner in range(3))
    over = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) >= 0.0  # rows run downward
    corners = np.unique(sheet.triangles[over])
    return sheet.points[corners[corners < len(sheet.points)]]


Lattice = tuple[NDArray[np.int64], ...]


def _sag(surface: Float64Array, inside: NDArray[np.bool_], middle: Lattice, offset: tuple[int, int]) -> Float64Array:
    """How far points lie from the middle of the side between their two neighbours; 0 unless all three are inside."""
    row, column = middle
    a = (row - offset[0], column - offset[1])
    b = (row + offset[0], column + offset[1])
    away = np.sqrt(sum((part[middle] - (part[a] + part[b]) / 2) ** 2 for part in surface))
    return np.where(inside[middle] & inside[a] & inside[b], away, 0.0)


def _around(error: Float64Array, middle: Lattice, step: int, *, diagonal: bool) -> Float64Array:
    """The greatest importance among four neighbours, those beyond the lattice left out."""
    height, width = error.shape
    row, column = middle
    offsets = ((-1, -1), (-1, 1), (1, -1), (1, 1)) if diagonal else ((-1, 0), (1, 0), (0, -1), (0, 1))
    found = np.zeros(np.broadcast_shapes(row.shape, column.shape))
    for down, right in offsets:
        r, c = row + down * step, column + right * step
        beyond = (r < 0) | (r >= height) | (c < 0) | (c >= width)
        found = np.maximum(found, np.where(beyond, 0.0, error[np.clip(r, 0, height - 1), np.clip(c, 0, width - 1)]))
    return found


def _rotate(triangles: Points, lone: NDArray[np.bool_]) -> Points:
    """Turn each triangle so that its one marked corner comes first."""
    first = np.argmax(lone, axis=1)
    return np.take_along_axis(triangles, (first[:, None] + np.arange(3)) % 3, axis=1)
