# SPDX-License-Identifier: GPL-3.0-or-later
"""From the decoder's surface to the mesh that every engine hands on.

The decoder's volume already has Blender's axes: z is up and the object's front looks to -y. (The published code then
turns it to y up, (x, y, z) -> (x, z, -y), for glTF.)
"""

import numpy as np

from ..errors import UserError
from ..stage_types import Cutout, Floats, Mesh
from .surface import Surface, vertex_normals

_VAGUE = 0.1  # a decoded normal that is shorter says nothing
_SEEN = 0.5  # of a pixel


def to_mesh(surface: Surface, cutout: Cutout) -> Mesh:
    """The mesh of a surface, with colours and normals where the surface has them.

    The decoder's normals are made unit; where it gives none worth the name, as where a surface is capped or filled, the
    mesh's own stand. uv is that of `front`. Raises UserError "empty-mesh" for a surface without triangles.
    """
    if not len(surface.triangles):
        sentence = "The networks found no surface in the picture."
        raise UserError("empty-mesh", sentence, "Try another seed, or a picture that shows the whole object.")
    vertices = surface.vertices.float().cpu().numpy()
    colours = normals = None
    if surface.colours is not None:
        own = vertex_normals(surface.vertices, surface.triangles).float().cpu().numpy()
        colours, decoded = np.split(surface.colours.float().cpu().numpy(), [3], axis=1)
        decoded = 2 * decoded - 1
        length = np.linalg.norm(decoded, axis=1, keepdims=True)
        normals = np.where(length < _VAGUE, own, decoded / np.maximum(length, _VAGUE))
        colours = np.ascontiguousarray(colours)
    return Mesh(vertices, surface.triangles.cpu().numpy(), front(vertices, cutout.alpha), colours, normals)


def front(vertices: Floats, alpha: Floats) -> Floats:
    """Project vertices (V, 3) from the front into the cut-out's frame: uv (V, 2).

    The projection is parallel to y, and stretched so that its bounding box is that of the silhouette, `alpha` (S, S)
    over a half. The networks put an object upright and straight before them, however the picture shows it, and say
    nothing of the picture's camera; so this is right for a front view only, and roughly right near one.
    """
    flat = vertices[:, [0, 2]]
    low, high = flat.min(axis=0), flat.max(axis=0)
    share = (flat - low) / np.maximum(high - low, 1e-6)
    rows, columns = np.nonzero(alpha > _SEEN)
    if not len(rows):
        return share
    size = len(alpha)
    lowest = np.array([columns.min(), size - 1 - rows.max()]) / size
    highest = np.array([columns.max() + 1, size - rows.min()]) / size
    return (lowest + share * (highest - lowest)).astype(np.float32)
