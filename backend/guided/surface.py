# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh with an image of its colours, and cameras that see the whole of it."""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array
from ..flow.products import Camera, Mesh
from ..raster.render import vertex_normals
from ..texture.camera import orbit

FOV = 20.0
"""The field of view in degrees, as in HiFi-123's refinement."""
_ROOM = 1.05  # of the sphere around the object: how much of the picture's side is seen


@dataclass(frozen=True)
class Surface:
    """A mesh as views are drawn of it and baked into it.

    points: float64 (V, 3), z up. triangles: int32 (T, 3). normals: float64 (V, 3), unit. uv: float32 (T, 3, 2). middle:
    float64 (3,), and radius: of a sphere around it.
    """

    points: Float64Array
    triangles: Int32Array
    normals: Float64Array
    uv: Float32Array
    middle: Float64Array
    radius: float

    @property
    def distance(self) -> float:
        """How far cameras stand from the middle."""
        return _ROOM * self.radius / float(np.sin(np.radians(FOV) / 2))

    def camera(self, azimuth: float, elevation: float) -> Camera:
        """The camera that sees the surface from there; angles in degrees as `texture.camera.orbit` has them."""
        there = orbit(azimuth, elevation, self.distance, FOV)
        matrix = there.matrix.copy()
        matrix[:3, 3] += self.middle
        return replace(there, matrix=matrix)

    def cosines(self, points: Float64Array, normals: Float64Array, camera: Camera) -> Float64Array:
        """Between normals and the ways to a camera, float64 (N,); points and normals: float64 (N, 3)."""
        way = camera.matrix[:3, 3] - points if camera.fov else np.broadcast_to(camera.matrix[:3, 2], points.shape)
        return (way * normals).sum(axis=1) / np.maximum(np.linalg.norm(way, axis=1), 1e-12)


def surface_of(mesh: Mesh) -> Surface:
    """The surface of a mesh that has UVs by corner."""
    points = mesh.vertices.astype(np.float64)
    used = points[np.unique(mesh.triangles)]
    middle: Float64Array = (used.min(axis=0) + used.max(axis=0)) / 2
    radius = float(np.linalg.norm(used - middle, axis=1).max())
    return Surface(points, mesh.triangles, vertex_normals(mesh), mesh.corner_uv, middle, radius)
