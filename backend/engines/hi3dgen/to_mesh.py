# SPDX-License-Identifier: GPL-3.0-or-later
"""From the decoder's surface to the mesh that the engine gives.

The decoder's volume already has Blender's axes: z is up and the object's front looks to -y. (The published code then
turns it to y up, (x, y, z) -> (x, z, -y), for glTF.)
"""

import numpy as np

from ...errors import UserError
from ...flow.products import Cutout, Mesh, NormalMap
from ...raster.vectors import unit
from ...surface.surface import Surface, vertex_normals
from .pose import FRONT, find_pose, project

_VAGUE = 0.1  # a shorter decoded normal has no direction


def to_mesh(surface: Surface, cutout: Cutout, normal_map: NormalMap | None = None, roll: float = 0.0) -> Mesh:
    """The mesh of a surface, with colours and normals if the surface has them.

    The decoder's normals are made unit; at vertices with a decoded normal near zero, as those of caps and fillings
    are, the mesh's own normals are used. uv: the places of the vertices in the cut-out, seen from the pose that fits
    the normal map best, or from the front without a map. roll: of the normal map's camera, see `find_pose`. Raises
    UserError "empty-mesh" if there are no triangles.
    """
    if not len(surface.triangles):
        sentence = "The networks found no surface in the picture."
        raise UserError("empty-mesh", sentence, "Try another seed, or a picture that shows the whole object.")
    vertices = surface.vertices.float().cpu().numpy()
    colours = normals = None
    if surface.colours is not None:
        own = vertex_normals(surface.vertices, surface.triangles).float().cpu().numpy()
        colours, decoded = np.split(surface.colours.float().cpu().numpy(), [3], axis=1)
        normals = unit((2 * decoded - 1).astype(np.float32), own, least=_VAGUE)
        colours = np.ascontiguousarray(colours)
    triangles = surface.triangles.cpu().numpy()
    pose = FRONT if normal_map is None else find_pose(vertices, triangles, normal_map, roll)
    return Mesh(vertices, triangles, project(vertices, cutout.alpha, pose), colours, normals)
