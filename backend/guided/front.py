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
from ..texture.sight import Sight, sight
from .rendering import GROUND, Rendering, depth_of

_SIDE = 1024  # of the z-buffer, at most


@dataclass(frozen=True)
class Front:
    """The surface in the frame of its picture.

    normals: float64 (V, 3), in the space of `sight`, and seen: what the picture sees there. side: of the cut-out, in
    pixels.
    """

    sight: Sight
    normals: Float64Array
    seen: View
    side: int

    def weights(self, triangles: Int64Array, shares: Float64Array) -> Float64Array:
        """How well the picture sees places, float64 (N,), by their triangles, (N,), and barycentric weights, (N, 3)."""
        point = self.sight.at(triangles, shares)
        normal = unit(np.einsum("pc,pcx->px", shares, self.normals[self.sight.triangles[triangles]]))
        return weights(places(point, FRONT, self.side, len(self.seen.depths)), normal[:, 2], self.seen)


def front_of(mesh: Mesh, cutout: Cutout, poll: Poll) -> Front:
    """How a cut-out sees the mesh; its `picture_uv` is in the cut-out's frame. Raises `CannotPaintError`."""
    if mesh.picture_uv is None:
        raise ValueError("the mesh does not say where the picture shows it")
    points = sight(replace(mesh, uv=mesh.picture_uv), len(cutout.rgba))
    return pictured(Sight(points, mesh.triangles), cutout, poll)


def pictured(sight: Sight, cutout: Cutout, poll: Poll) -> Front:
    """What a cut-out shows of a surface that it sees so."""
    side = len(cutout.rgba)
    flat = np.zeros((len(sight.points), 2), np.float32)
    normals = vertex_normals(Mesh(sight.points.astype(np.float32), sight.triangles, flat))
    usable = kept(cutout.rgba[..., 3] > 127, min(side, _SIDE))
    seen, _ = views(sight.points, sight.triangles, side, usable, poll)
    return Front(sight, normals, seen, side)


def reference_of(front: Front, cutout: Cutout, size: int, poll: Poll) -> Rendering:
    """The picture itself as the reference, over the same ground as the coarse views, with the mesh's depth."""
    rgba = crop_resize(cutout.rgba, 0, 0, front.side, size).astype(np.float32) / 255
    cover = rgba[..., 3:]
    points, triangles = front.sight.points, front.sight.triangles
    seen = look(places(points, FRONT, front.side, size), triangles, (size, size), perspective=False, poll=poll)
    used = points[np.unique(triangles)]
    middle = (used.min(axis=0) + used.max(axis=0)) / 2
    radius = float(np.linalg.norm(used - middle, axis=1).max()) * size / front.side
    there, depth = seen.triangles >= 0, np.zeros((size, size))
    depth[there] = depth_of((-middle[2] * size / front.side - seen.depths[there]) / radius)
    colours: Float32Array = rgba[..., :3] * cover + GROUND * (1 - cover)
    return Rendering(colours, cover[..., 0], depth.astype(np.float32), cover[..., 0])
