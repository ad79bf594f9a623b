# SPDX-License-Identifier: GPL-3.0-or-later
"""Split a mesh along the seams of its UVs, for file formats whose UVs belong to vertices."""

from dataclasses import replace

import numpy as np

from ..arrays import Float32Array, Int32Array, Int64Array
from ..flow.products import Mesh
from .rows import numbered


def split_at_seams(mesh: Mesh) -> Mesh:
    """Return the mesh with vertices duplicated so that each has one UV; its uv is (V, 2).

    Every vertex becomes as many as its corners have different UVs; unused vertices are dropped. Triangles and corners
    keep their order, and the copies of a vertex follow each other, in an order that depends on the UVs alone. UVs are
    different if any of their bits are; only 0 equals -0. A mesh whose UVs are given by vertex is returned unchanged.

    The copies are not connected: clean and reduce a mesh before it is split.
    """
    if mesh.uv.ndim == 2:
        return mesh
    numbers, first = corner_copies(mesh.triangles, mesh.uv)
    source = mesh.triangles.reshape(-1)[first]
    return replace(
        mesh,
        vertices=mesh.vertices[source],
        triangles=numbers.reshape(-1, 3),
        uv=mesh.uv.reshape(-1, 2)[first],
        colours=None if mesh.colours is None else mesh.colours[source],
        normals=None if mesh.normals is None else mesh.normals[source],
        picture_uv=None if mesh.picture_uv is None else mesh.picture_uv[source],
    )


def corner_copies(triangles: Int32Array, uv: Float32Array) -> tuple[Int32Array, Int64Array]:
    """The copies of vertices that corners with different UVs need, numbered as `split_at_seams` has them.

    triangles: int32 (T, 3). uv: float32 (T, 3, 2). Returns each corner's copy, int32 (3 T,), and a corner of each copy,
    int64.
    """
    # Adding 0 turns -0 into 0; as integers, NaNs too can be ordered and compared.
    u, v = np.add(uv.reshape(-1, 2), 0, dtype=np.float32).view(np.int32).T
    numbers, first = numbered(triangles.reshape(-1), u, v)
    return numbers.astype(np.int32), first
