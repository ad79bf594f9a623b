# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a mesh down to a number of triangles."""

from dataclasses import replace

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Mesh, Report
from .simplify import simplify

FACES = 100_000
"""How many triangles a mesh may have, unless something else is asked for."""

_STEPS = 20


def reduce(mesh: Mesh, *, faces: int, report: Report) -> Mesh:
    """Reduce a closed mesh to at most `faces` triangles, with its uv, colours and normals; see `simplify`.

    Raises ValueError if the UVs are given by corner: collapsing an edge across a seam would tear the image.
    """
    if mesh.uv.ndim != 2:
        raise ValueError("a mesh with UVs by corner cannot be reduced")
    columns = [part for part in (mesh.uv, mesh.colours, mesh.normals) if part is not None]
    points, carried, triangles = simplify(
        mesh.vertices.astype(np.float64),
        np.concatenate(columns, axis=1).astype(np.float64),
        mesh.triangles.astype(np.int64),
        faces,
        lambda fraction: report(int(fraction * _STEPS), _STEPS),
    )
    carried = carried.astype(np.float32)
    colours = None if mesh.colours is None else np.ascontiguousarray(carried[:, 2:5])
    normals = None if mesh.normals is None else _unit(carried[:, -3:])
    return replace(
        mesh,
        vertices=points.astype(np.float32),
        triangles=triangles.astype(np.int32),
        uv=np.ascontiguousarray(carried[:, :2]),
        colours=colours,
        normals=normals,
    )


def _unit(vectors: Float32Array) -> Float32Array:
    """Vectors made as long as 1, (N, 3); up if opposite normals have met and nothing is left."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0], np.float32)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), up).astype(np.float32)
