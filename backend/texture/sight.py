# SPDX-License-Identifier: GPL-3.0-or-later
"""How a picture sees the mesh that was made from it, read from the mesh's own projection.

Whatever has turned the mesh since, its UVs still say where the picture shows each vertex. What they do not say is the
depth. The best affine map from the vertices to their places in the picture gives the viewing axis (a camera that is
near bends the projection; its mean stays), and the depth is the distance along it. In the space of column, row and
depth rays are parallel, as the lens is in the columns and rows.
"""

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Mesh
from .errors import CannotPaintError

_MOST_ERROR = 0.3  # root mean square that the fit may leave, in that of the places about their mean


def sight(mesh: Mesh, side: float) -> Float64Array:
    """The vertices as the picture sees them, float64 (V, 3): x right, y up and z to the viewer, in pixels.

    mesh: its uv is (V, 2), in the cut-out's frame. side: the cut-out's side in pixels; x and y lie in [0, side], z is 0
    in the middle. Raises `CannotPaintError` if the UVs are no projection from one side.
    """
    if mesh.uv.ndim != 2:
        raise CannotPaintError("the picture does not see a mesh with UVs by corner")
    seen = mesh.uv.astype(np.float64) * side
    points = mesh.vertices.astype(np.float64)
    points -= points.mean(axis=0)
    about = seen - seen.mean(axis=0)
    slopes = np.linalg.lstsq(points, about, rcond=1e-6)[0]
    along, scales, across = np.linalg.svd(slopes, full_matrices=False)
    left = np.linalg.norm(about - points @ slopes)
    if left > _MOST_ERROR * np.linalg.norm(about) or scales[1] <= 0.5 * scales[0]:
        raise CannotPaintError("the mesh's UVs are no projection from one side")
    right, up = (along @ across).T
    depth = points @ np.cross(right, up) * scales.mean()
    return np.column_stack([seen, depth])
