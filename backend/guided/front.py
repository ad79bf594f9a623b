# SPDX-License-Identifier: GPL-3.0-or-later
"""What the picture itself sees of the mesh that was made from it: how well it sees places, and its depth."""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float32Array, Float64Array, Int64Array
from ..flow.products import Cutout, Mesh
from ..raster.render import vertex_normals
from ..raster.resample import crop_resize
from ..raster.ticks import Poll
from ..raster.vectors import unit
from ..texture.bake import View, weights
from ..texture.raster import look
from ..texture.sides import FRONT, kept, places, views
from ..texture.sight import sight
from .rendering import GROUND, Rendering, depth_of

_SIDE = 1024  # of the z-buffer, at most


@dataclass(frozen=True)
class Front:
    """The surface in the frame of its picture.

    points: float64 (V, 3), see `texture.sight`, and the normals there, alike. side: of the cut-out, in pixels.
    """

    mesh: Mesh
    points: Float64Array
    normals: Float64Array
    seen: View
    side: int

    def weights(self, triangles: Int64Array, shares: Float64Array) -> Float64Array:
        """How well the picture sees places, float64 (N,), by their triangles, (N,), and barycentric weights, (N, 3)."""
        corners = self.mesh.triangles[triangles]
        point, normal = (np.einsum("pc,pcx->px", shares, each[corners]) for each in (self.points, self.normals))
        return weights(places(point, FRONT, self.side, len(self.seen.depths)), unit(normal)[:, 2], self.seen)


def front_of(mesh: Mesh, cutout: Cutout, poll: Poll) -> Front:
    """How a cut-out sees the mesh; its `picture_uv` is in the cut-out's frame. Raises `CannotPaintError`."""
    if mesh.picture_uv is None:
        raise ValueError("the mesh does not say where the picture shows it")
    side = len(cutout.rgba)
    points = sight(replace(mesh, uv=mesh.picture_uv), side)
    turned = Mesh(points.astype(np.float32), mesh.triangles, mesh.picture_uv)
    usable = kept(cutout.rgba[..., 3] > 127, min(side, _SIDE))
    seen, _ = views(points, mesh.triangles, side, usable, poll)
    return Front(mesh, points, vertex_normals(turned), seen, side)


def reference_of(front: Front, cutout: Cutout, size: int, poll: Poll) -> Rendering:
    """The picture itself as the reference, over the same ground as the coarse views, with the mesh's depth."""
    rgba = crop_resize(cutout.rgba, 0, 0, front.side, size).astype(np.float32) / 255
    cover = rgba[..., 3:]
    seen = look(
        places(front.points, FRONT, front.side, size), front.mesh.triangles, (size, size), perspective=False, poll=poll
    )
    used = front.points[np.unique(front.mesh.triangles)]
    middle = (used.min(axis=0) + used.max(axis=0)) / 2
    radius = float(np.linalg.norm(used - middle, axis=1).max()) * size / front.side
    there, depth = seen.triangles >= 0, np.zeros((size, size))
    depth[there] = depth_of((-middle[2] * size / front.side - seen.depths[there]) / radius)
    colours: Float32Array = rgba[..., :3] * cover + GROUND * (1 - cover)
    return Rendering(colours, cover[..., 0], depth.astype(np.float32), cover[..., 0])
