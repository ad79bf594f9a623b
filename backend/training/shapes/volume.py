# SPDX-License-Identifier: GPL-3.0-or-later

"""A shape as a lattice of signed distances and as points on its surface: what meshes of it are made from."""

import numpy as np
from numpy.typing import NDArray

from .compiled import COMPILED, Array, compiled
from .march import LATTICE, gradient
from .packets import distances
from .solids import Shape, distance


def volume(shape: Shape, cells: int, pixel: float) -> tuple[NDArray[np.float32], float]:
    """Return distances on a cubic lattice about the shape, float32 (N, N, N) by x, y, z, and its half side.

    N = cells + 1, cells a multiple of 8. Far from the surface only the sign is right. Reliefs finer than `pixel` are
    left out. Raises RuntimeError without numba: plain numpy would take minutes.
    """
    if not COMPILED:
        raise RuntimeError("Lattices of distances are made with numba, which this Python lacks.")
    half = shape.radius * 1.02
    return _volume(shape.rows, shape.outlines, shape.bumps, half, cells, pixel, LATTICE).astype(np.float32), half


def settle(shape: Shape, points: Array, pixel: float) -> tuple[Array, Array, NDArray[np.int64]]:
    """Move points near the surface, (V, 3), onto it; return them, the unit normals there and the parts."""
    points = points.copy()
    for _ in range(2):
        x, y, z = points.T
        off, _ = distances(x, y, z, shape.rows, shape.outlines, 1, pixel, LATTICE)
        normals = np.stack(gradient(x, y, z, shape.rows, shape.outlines, pixel, LATTICE)[:3], axis=1)
        points -= np.clip(off, -2 * pixel, 2 * pixel)[:, None] * normals
    x, y, z = points.T
    *normals, parts = gradient(x, y, z, shape.rows, shape.outlines, pixel, LATTICE)
    return points, np.stack(normals, axis=1), parts.astype(np.int64)


@compiled
def _volume(rows: Array, outlines: Array, bumps: float, half: float, cells: int, pixel: float, lattice: Array) -> Array:
    step = 2.0 * half / cells
    values = np.empty((cells + 1, cells + 1, cells + 1))
    reach = 1.8 * 0.5 * 8 * step + bumps
    for i in range(0, cells + 1, 8):
        for j in range(0, cells + 1, 8):
            for k in range(0, cells + 1, 8):
                x, y, z = (i + 3.5) * step - half, (j + 3.5) * step - half, (k + 3.5) * step - half
                middle, _ = distance(x, y, z, rows, outlines, 0, pixel, lattice)
                for a in range(i, min(i + 8, cells + 1)):
                    for b in range(j, min(j + 8, cells + 1)):
                        for c in range(k, min(k + 8, cells + 1)):
                            if abs(middle) > reach:
                                values[a, b, c] = middle
                            else:
                                u, v, w = a * step - half, b * step - half, c * step - half
                                values[a, b, c], _ = distance(u, v, w, rows, outlines, 1, pixel, lattice)
    return values
