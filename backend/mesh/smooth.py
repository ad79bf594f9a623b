# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of a smooth surface, for file formats without which a reader would show every triangle flat."""

import numpy as np

from ..arrays import Float32Array, Int32Array
from ..raster.vectors import dot, length


def smooth_normals(vertices: Float32Array, triangles: Int32Array) -> Float32Array:
    """The unit normals of a mesh's vertices, float32 (V, 3); (0, 0, 1) where nothing has an area.

    Each is the mean of its triangles' normals, by the angle that each has there (Thürmer and Wüthrich 1998), as Blender
    has it. vertices: float32 (V, 3). triangles: int32 (T, 3).
    """
    corners = vertices[triangles].astype(np.float64)
    following, previous = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
    across = np.cross(following, previous)
    angles = np.arctan2(length(across), dot(following, previous))
    faces = across[:, 0] / np.maximum(length(across[:, 0]), np.finfo(np.float64).tiny)[:, None]
    weighted = (angles[..., None] * faces[:, None]).reshape(-1, 3)
    at = triangles.reshape(-1)
    sums = np.stack([np.bincount(at, weighted[:, axis], len(vertices)) for axis in range(3)], axis=1).astype(np.float64)
    lengths = length(sums)
    sums[lengths == 0.0] = (0.0, 0.0, 1.0)
    return (sums / np.where(lengths == 0.0, 1.0, lengths)[:, None]).astype(np.float32)
