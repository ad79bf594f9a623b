# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage of every engine: the mesh as it enters the scene."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..stage_types import Crop, Floats, Mesh, Report
from . import check
from .simplify import simplify

_STEPS = 20
_SPECK = 0.02  # of the whole's extent: smaller parts are dust of the mask, not of the object
FACES = 100_000
"""How many triangles a mesh may have, unless told."""


def finish(mesh: Mesh, crop: Crop, report: Report, *, faces: int = FACES) -> Mesh:
    """Clean a mesh, reduce it, and set it on the floor, one metre long, its uv in the picture's frame.

    mesh: closed, in any unit, its uv in the cut-out's frame. crop: the square of the picture that the cut-out is.
    faces: how many triangles it may have at most. Returns float32 vertices and int32 triangles: outward, without
    specks, centred in x and y, lowest point at z = 0, longest side 1 m. Raises UserError "empty-mesh" for a mesh
    without extent.
    """
    report(0, _STEPS)
    triangles = _without_specks(mesh.vertices, _outward(mesh))
    report(1, _STEPS)
    points, uv, triangles = simplify(
        mesh.vertices.astype(np.float64),
        mesh.uv.astype(np.float64),
        triangles.astype(np.int64),
        faces,
        lambda fraction: report(1 + int(fraction * (_STEPS - 2)), _STEPS),
    )
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(3), np.zeros(3))
    size = float((high - low).max())
    if not (np.isfinite(size) and size > 0):
        raise UserError("empty-mesh", "The result has no surface.", "Try another picture or another seed.")
    floor = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    report(_STEPS, _STEPS)
    return Mesh(((points - floor) / size).astype(np.float32), triangles.astype(np.int32), _in_picture(uv, crop))


def _without_specks(vertices: Floats, triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Drop the connected parts whose extent is next to nothing."""
    if not len(triangles):
        return triangles
    label = check.components(triangles, len(vertices))
    part = label[triangles[:, 0]]
    low, high = np.full((len(vertices), 3), np.inf), np.full((len(vertices), 3), -np.inf)
    np.minimum.at(low, label, vertices)
    np.maximum.at(high, label, vertices)
    extent = (high - low).max(axis=1)
    whole = float(np.ptp(vertices[np.unique(triangles)], axis=0).max())
    return triangles[extent[part] >= _SPECK * whole]


def _outward(mesh: Mesh) -> NDArray[np.int32]:
    """Turn the whole mesh inside out if its volume is negative; parts are left as they are, as some may be cavities."""
    inverted = check.signed_volume(mesh.vertices, mesh.triangles) < 0
    return mesh.triangles[:, ::-1] if inverted else mesh.triangles


def _in_picture(uv: NDArray[np.float64], crop: Crop) -> Floats:
    """Carry uv from the cut-out's frame to the picture's; both have v upward, the crop counts rows downward."""
    u = (crop.left + uv[:, 0] * crop.side) / crop.picture_width
    v = 1.0 - (crop.top + (1.0 - uv[:, 1]) * crop.side) / crop.picture_height
    return np.stack([u, v], axis=1).astype(np.float32)
