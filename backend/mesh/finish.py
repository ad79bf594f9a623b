# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage of every engine: the mesh as it enters the scene."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..stage_types import Crop, Floats, Mesh, Report
from . import check

_STEPS = 3


def finish(mesh: Mesh, crop: Crop, report: Report) -> Mesh:
    """Set a mesh on the floor, one metre long, its uv in the picture's frame.

    mesh: in any unit, its uv in the cut-out's frame. crop: the square of the picture that the cut-out is.
    Returns float32 vertices and int32 triangles: outward, centred in x and y, lowest point at z = 0, longest side 1 m.
    Raises UserError "empty-mesh" for a mesh without extent.
    """
    report(0, _STEPS)
    triangles = _outward(mesh)
    report(1, _STEPS)
    used, numbered = np.unique(triangles, return_inverse=True)
    vertices = mesh.vertices[used].astype(np.float64)
    low, high = (vertices.min(axis=0), vertices.max(axis=0)) if len(used) else (np.zeros(3), np.zeros(3))
    size = float((high - low).max())
    if not (np.isfinite(size) and size > 0):
        raise UserError("empty-mesh", "The result has no surface.", "Try another picture or another seed.")
    report(2, _STEPS)
    floor = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    placed = Mesh(
        vertices=((vertices - floor) / size).astype(np.float32),
        triangles=numbered.reshape(-1, 3).astype(np.int32),
        uv=_in_picture(mesh.uv[used], crop),
    )
    report(_STEPS, _STEPS)
    return placed


def _outward(mesh: Mesh) -> NDArray[np.int32]:
    """Turn the whole mesh inside out if its volume is negative; parts are left as they are, as some may be cavities."""
    inverted = check.signed_volume(mesh.vertices, mesh.triangles) < 0
    return mesh.triangles[:, ::-1] if inverted else mesh.triangles


def _in_picture(uv: Floats, crop: Crop) -> Floats:
    """Carry uv from the cut-out's frame to the picture's; both have v upward, the crop counts rows downward."""
    u = (crop.left + uv[:, 0] * crop.side) / crop.picture_width
    v = 1.0 - (crop.top + (1.0 - uv[:, 1]) * crop.side) / crop.picture_height
    return np.stack([u, v], axis=1).astype(np.float32)
