# SPDX-License-Identifier: GPL-3.0-or-later
"""The axes that a normal texture's colours are given in, at every corner of a mesh.

They are those of MikkTSpace (Mikkelsen, Simulation of Wrinkled Surfaces Revisited, 2008), in which Blender and glTF
read normal textures: the tangent goes along u, and the bitangent is the normal times the tangent.
"""

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array
from ..mesh.seams import corner_copies
from ..raster.vectors import unit

_TINY = np.finfo(np.float32).tiny


def tangents(vertices: Float32Array, triangles: Int32Array, uv: Float32Array, normals: Float64Array) -> Float64Array:
    """The unit tangents of a smooth surface's corners, float64 (T, 3, 3); (1, 0, 0) if the UVs have no area there.

    vertices: float32 (V, 3). triangles: int32 (T, 3). uv: float32 (T, 3, 2), none of them mirrored. normals: float64
    (V, 3), unit. The corners of a vertex that have the same UV share the mean of their triangles' tangents, each laid
    into the plane of the normal and weighted by the triangle's angle in that plane.
    """
    corners, normal = vertices[triangles].astype(np.float64), normals[triangles]
    following, previous = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
    along, across = np.moveaxis(uv[:, 1:].astype(np.float64) - uv[:, :1], 1, 0)
    tangent = across[:, 1:] * following[:, 0] - along[:, 1:] * previous[:, 0]
    flat = np.abs(along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]) <= _TINY
    tangent[flat] = 0.0
    laid = unit(_in_plane(tangent[:, None], normal), least=1e-30)
    first, second = (unit(_in_plane(edge, normal), least=1e-30) for edge in (following, previous))
    angles = np.arccos(np.clip((first * second).sum(axis=2), -1.0, 1.0))
    shared, _ = corner_copies(triangles, uv)
    weighted = (laid * angles[..., None]).reshape(-1, 3)
    sums = np.stack([np.bincount(shared, weighted[:, axis]) for axis in range(3)], axis=1).astype(np.float64)
    return unit(sums, (1.0, 0.0, 0.0), least=1e-30)[shared].reshape(-1, 3, 3)


def _in_plane(lines: Float64Array, normals: Float64Array) -> Float64Array:
    return lines - (lines * normals).sum(axis=-1, keepdims=True) * normals
