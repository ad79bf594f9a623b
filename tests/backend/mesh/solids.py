# SPDX-License-Identifier: GPL-3.0-or-later
"""Small closed meshes for the tests of this folder."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.arrays import Int32Array
from backend.flow.products import Mesh

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
"""A tetrahedron, outward."""


def mesh_of(vertices: NDArray[Any], triangles: Int32Array = FACES) -> Mesh:
    """Return a mesh in the cut-out's frame, with UVs by vertex."""
    return Mesh(vertices.astype(np.float32), triangles, (vertices[:, [0, 2]] + 0.5).astype(np.float32))


def ball(around: int = 60, rings: int = 20) -> tuple[NDArray[np.float64], Int32Array]:
    """Return a closed, outward surface of rings between two poles: unit vectors float64 (V, 3), and its triangles."""
    turn = 2 * np.pi * np.arange(around) / around
    slope = np.pi * np.arange(1, rings)[:, None] / rings
    ring = np.stack([np.sin(slope) * np.cos(turn), np.sin(slope) * np.sin(turn), np.cos(slope) + 0 * turn], axis=-1)
    here, there = np.arange(around), (np.arange(around) + 1) % around
    last = (rings - 2) * around
    top, bottom = last + around, last + around + 1
    triangles = [
        np.stack([here, there, 0 * here + top], 1),
        np.stack([last + there, last + here, 0 * here + bottom], 1),
    ]
    for row in range(0, last, around):
        a, b, c, d = row + here, row + there, row + around + here, row + around + there
        triangles += [np.stack([a, c, d], 1), np.stack([a, d, b], 1)]
    points = np.concatenate([ring.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]])
    return points, np.concatenate(triangles).astype(np.int32)


def ignore(_step: int, _of: int) -> None:
    """Ignore a report."""


BOX = np.array([(x, y, z) for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
SIDES = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4),
     (1, 5, 7), (1, 7, 3)], np.int32,
)  # fmt: skip
