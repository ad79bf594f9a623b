# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture's lattice as triangles, cut along the outline.

The lattice's points are pixel centres. Its cells are halved by diagonals that alternate, and every triangle is cut
where alpha, linear along its edges, crosses one half (marching triangles). Triangles, unlike squares, leave no case
open: the outline passes each at most once, so that it never branches, whatever the mask.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEAREST = 0.05  # of an edge: how near to a lattice point the outline may cut it; nearer makes needles


@dataclass(frozen=True)
class Sheet:
    """A triangulation of the mask.

    Its vertices are the lattice points `points`, int64 (N,), flat indices, followed by the rim's R vertices, each on
    the edge from `rim_inside` to `rim_outside`, int64 (R,), at the fraction `rim_fraction`, float64 (R,).
    triangles: int64 (T, 3), counter-clockwise as seen by the viewer.
    """

    points: NDArray[np.int64]
    rim_inside: NDArray[np.int64]
    rim_outside: NDArray[np.int64]
    rim_fraction: NDArray[np.float64]
    triangles: NDArray[np.int64]


def triangulate(height: int, width: int) -> NDArray[np.int64]:
    """Halve every cell of a (height, width) lattice; int64 (T, 3), flat indices, counter-clockwise to the viewer."""
    row, column = np.mgrid[: height - 1, : width - 1]
    row, column = row.ravel(), column.ravel()
    top_left = row * width + column
    top_right, bottom_left, bottom_right = top_left + 1, top_left + width, top_left + width + 1
    falling = ((row + column) % 2 == 0)[:, None]
    first = np.where(
        falling,
        np.stack([top_left, bottom_left, bottom_right], axis=1),
        np.stack([top_left, bottom_left, top_right], axis=1),
    )
    second = np.where(
        falling,
        np.stack([top_left, bottom_right, top_right], axis=1),
        np.stack([bottom_left, bottom_right, top_right], axis=1),
    )
    return np.concatenate([first, second])


def cut(triangles: NDArray[np.int64], alpha: NDArray[np.float64]) -> Sheet:
    """Keep what lies inside the outline.

    triangles: int64 (T, 3), flat indices into the lattice. alpha: float64 (H, W), at most 0.5 along the border.
    """
    flat = alpha.ravel()
    inside = flat > 0.5
    corners = inside[triangles]
    count = corners.sum(axis=1)
    one = _rotate(triangles[count == 1], corners[count == 1])
    two = _rotate(triangles[count == 2], ~corners[count == 2])
    size = flat.size
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


def _rotate(triangles: NDArray[np.int64], lone: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Turn each triangle so that its one marked corner comes first."""
    first = np.argmax(lone, axis=1)
    return np.take_along_axis(triangles, (first[:, None] + np.arange(3)) % 3, axis=1)
