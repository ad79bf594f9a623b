# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage `place`: sets a mesh on the floor, one metre long."""

from dataclasses import replace

import numpy as np

from ..arrays import Float64Array
from ..errors import UserError
from ..flow.products import Mesh, Report
from .rows import used


def place(mesh: Mesh, *, report: Report) -> Mesh:
    """Centre a mesh in x and y, with its lowest point at z = 0 and its longest side 1 m.

    Unused vertices do not count. Raises UserError "empty-mesh" for a mesh without extent.
    """
    floor, size = resting(mesh)
    report(1, 1)
    return replace(mesh, vertices=((mesh.vertices - floor) / size).astype(np.float32))


def resting(mesh: Mesh) -> tuple[Float64Array, float]:
    """The point, (3,), that `place` brings to the origin, and the length that it makes a metre. Raises as it does."""
    places = mesh.vertices[used(mesh.triangles, len(mesh.vertices))[0]].astype(np.float64)
    low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.zeros(3), np.zeros(3))
    size = float((high - low).max())
    if not (np.isfinite(size) and size > 0):
        raise UserError("empty-mesh", "The result has no surface.", "Try another picture or another seed.")
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]), size
