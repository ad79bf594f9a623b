# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes that come from outside are looked at before anything is done with them."""

import numpy as np

from ..errors import UserError
from ..flow.products import Mesh, Report

MOST_TRIANGLES = 4_000_000
_ANOTHER = "Repair the mesh, or use another one."


def read_mesh(mesh: Mesh, *, report: Report) -> Mesh:
    """Check a mesh that a request or a program brings. Raises UserError "bad-mesh" if it has no whole surface."""
    vertices, triangles = mesh.vertices, mesh.triangles
    if not len(triangles):
        raise UserError("bad-mesh", "The mesh has no faces.", _ANOTHER)
    if len(triangles) > MOST_TRIANGLES:
        sentence = f"The mesh has {len(triangles)} triangles, and {MOST_TRIANGLES} are the most."
        raise UserError("bad-mesh", sentence, "Reduce it first.")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise UserError("bad-mesh", "Faces of the mesh name vertices that are not there.", _ANOTHER)
    report(0, 1)
    used = vertices[triangles]
    if not np.isfinite(used).all():
        raise UserError("bad-mesh", "Vertices of the mesh have places that are no numbers.", _ANOTHER)
    corners = used.astype(np.float64) - used[0, 0]
    size = float(np.ptp(corners, axis=(0, 1)).max())
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    report(1, 1)
    if not (size > 0 and np.linalg.norm(across, axis=1).sum() > 1e-12 * size**2):
        raise UserError("bad-mesh", "The mesh has no surface: all of its faces are points or lines.", _ANOTHER)
    return mesh
