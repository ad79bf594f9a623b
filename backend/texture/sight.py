# SPDX-License-Identifier: GPL-3.0-or-later
"""How a picture sees a mesh: one that was made from it, by the mesh's own projection, or any, by a camera.

Whatever has turned the mesh since, its UVs still say where the picture shows each vertex, and so where the camera is.
In the space of column, row and depth rays are parallel, as the lens is in the columns and rows.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array, Int32Array, Int64Array
from ..flow.products import Camera, Crop, Mesh
from ..mesh.eye import NoEyeError, find_eye
from .camera import focal_length, pixels
from .errors import CannotPaintError


@dataclass(frozen=True)
class Sight:
    """A surface as a picture sees it.

    points: float64 (V, 3), x right, y up and z to the viewer, in pixels of the cut-out. triangles: int32 (T, 3),
    outward. depths: float64 (V,), how far from the camera the points are, above 0: what is halfway along an edge is
    seen nearer to the end that is farther away. None if the triangles are so small that it does not matter.
    """

    points: Float64Array
    triangles: Int32Array
    depths: Float64Array | None = None

    def at(self, triangle: Int64Array, shares: Float64Array) -> Float64Array:
        """Where places on triangles, int64 (P,), of barycentric weights, float64 (P, 3), are seen, float64 (P, 3)."""
        corners = self.triangles.take(triangle, axis=0)
        if self.depths is not None:
            shares = shares * self.depths[corners]
            shares = shares / shares.sum(axis=1, keepdims=True)
        return np.einsum("pc,pcx->px", shares, self.points.take(corners, axis=0))


def sight_by(mesh: Mesh, camera: Camera, crop: Crop, side: int) -> Sight:
    """How a picture's camera sees a mesh, in pixels of a cut-out that is `side` pixels wide.

    camera: of the whole picture. z is the projective depth, which makes planes of planes; at the mesh's middle it
    grows as fast as x and y. Raises `CannotPaintError` if part of the mesh is not in front of the camera.
    """
    places = pixels(mesh.vertices.astype(np.float64), camera, (crop.picture_height, crop.picture_width))
    depths = places[:, 2]
    used = depths[mesh.triangles]
    if camera.fov and not (used > 1e-3 * used.max()).all():
        raise CannotPaintError("the camera is within the mesh")
    scale = side / crop.side
    points = np.empty_like(places)
    points[:, 0] = (places[:, 0] - crop.left) * scale
    points[:, 1] = side - (places[:, 1] - crop.top) * scale
    middle = (used.min() + used.max()) / 2
    if not camera.fov:
        points[:, 2] = (middle - depths) * (crop.picture_width / camera.width * scale)
        return Sight(points, mesh.triangles)
    focal = focal_length(camera.fov, crop.picture_width)
    points[:, 2] = (middle / np.maximum(depths, 1e-3 * middle) - 1) * (focal * scale)
    return Sight(points, mesh.triangles, depths)


def sight(mesh: Mesh, side: float) -> Float64Array:
    """The vertices as the picture sees them, float64 (V, 3): x right, y up and z to the viewer, in pixels.

    mesh: its uv is (V, 2), in the cut-out's frame. side: the cut-out's side in pixels; x and y lie in [0, side], z is 0
    in the middle. Raises `CannotPaintError` if the UVs are no projection from one side.
    """
    if mesh.uv.ndim != 2:
        raise CannotPaintError("the picture does not see a mesh with UVs by corner")
    points = mesh.vertices.astype(np.float64)
    try:
        eye = find_eye(mesh.vertices, mesh.uv)
    except NoEyeError as error:
        raise CannotPaintError("the mesh's UVs are no projection from one side") from error
    depth = eye.seen(points)[:, 2]
    nearness = (depth.mean() - depth) * eye.width(points) * side
    return np.column_stack([mesh.uv.astype(np.float64) * side, nearness])
