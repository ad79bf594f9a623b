# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage `reduce`: brings a mesh down to a number of triangles."""

from dataclasses import replace

import numpy as np

from ..flow.products import Mesh, Report
from ..raster.vectors import unit
from .simplify import simplify

_STEPS = 20
_UP = (0.0, 0.0, 1.0)  # the normal of a vertex in which opposite normals have met


def reduce(mesh: Mesh, *, faces: int, report: Report) -> Mesh:
    """Reduce a mesh to at most `faces` triangles, with its uv, colours and normals; see `simplify`.

    Raises ValueError if the UVs are given by corner: a collapse across a seam would tear the image apart.
    """
    if mesh.uv.ndim != 2:
        raise ValueError("a mesh with UVs by corner cannot be reduced: reduce it before it gets them")
    columns = [part for part in (mesh.uv, mesh.colours, mesh.normals) if part is not None]
    points, attributes, triangles = simplify(
        mesh.vertices.astype(np.float64),
        np.concatenate(columns, axis=1).astype(np.float64),
        mesh.triangles.astype(np.int64),
        faces,
        lambda fraction: report(int(fraction * _STEPS), _STEPS),
    )
    attributes = attributes.astype(np.float32)
    colours = None if mesh.colours is None else np.ascontiguousarray(attributes[:, 2:5])
    normals = None if mesh.normals is None else unit(attributes[:, -3:], _UP)
    return replace(
        mesh,
        vertices=points.astype(np.float32),
        triangles=triangles.astype(np.int32),
        uv=np.ascontiguousarray(attributes[:, :2]),
        colours=colours,
        normals=normals,
    )
