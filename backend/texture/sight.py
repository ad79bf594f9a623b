# SPDX-License-Identifier: GPL-3.0-or-later
"""How a picture sees the mesh that was made from it, read from the mesh's own projection.

Whatever has turned the mesh since, its UVs still say where the picture shows each vertex, and so where the camera is.
In the space of column, row and depth rays are parallel, as the lens is in the columns and rows.
"""

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Mesh
from ..mesh.eye import NoEyeError, find_eye
from .errors import CannotPaintError


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
