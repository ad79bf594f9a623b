# SPDX-License-Identifier: GPL-3.0-or-later
"""Split triangles where a surface is to bend more than they can: edges are halved, and triangles follow.

An edge is halved for both of its triangles, so that a closed mesh stays closed.
"""

from dataclasses import replace

import numpy as np

from ..arrays import BoolArray, Float32Array, Int32Array
from ..flow.products import Mesh
from ..mesh.check import half_edges
from ..raster.vectors import TO_VIEWER, unit


def edges_of(triangles: Int32Array) -> tuple[Int32Array, Int32Array]:
    """The edges' ends, int32 (E, 2), and each triangle's edges, int32 (T, 3): corners 0 to 1, 1 to 2, 2 to 0."""
    half = np.sort(half_edges(triangles), axis=1)
    count = int(triangles.max(initial=0)) + 1
    keys, numbers = np.unique(half[:, 0] * count + half[:, 1], return_inverse=True)
    ends = np.stack(np.divmod(keys, count), axis=1).astype(np.int32)
    return ends, numbers.reshape(3, -1).T.astype(np.int32)


def halved(mesh: Mesh, ends: Int32Array, sides: Int32Array, chosen: BoolArray) -> Mesh:
    """Halve the chosen edges. ends, sides: as `edges_of` gives them. chosen: bool (E,). What vertices have is averaged.

    mesh: its uv is (V, 2). New vertices follow the old ones, in the order of the edges.
    """
    count = len(mesh.vertices)
    number = np.full(len(ends), -1, np.int32)
    number[chosen] = np.arange(count, count + np.count_nonzero(chosen), dtype=np.int32)
    middles = number[sides]
    split = middles >= 0
    many = split.sum(axis=1)
    parts = [mesh.triangles[many == 0]]
    one = many == 1
    a, b, c, ab, _, _ = _turned(mesh.triangles[one], middles[one], split[one].argmax(axis=1))
    parts += [np.stack(corners, axis=1) for corners in ((a, ab, c), (ab, b, c))]
    two = many == 2
    a, b, c, ab, bc, _ = _turned(mesh.triangles[two], middles[two], (split[two].argmin(axis=1) + 1) % 3)
    parts += [np.stack(corners, axis=1) for corners in ((ab, b, bc), (a, ab, bc), (a, bc, c))]
    three = many == 3
    a, b, c, ab, bc, ca = (*mesh.triangles[three].T, *middles[three].T)
    parts += [np.stack(corners, axis=1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]

    def grown(values: Float32Array) -> Float32Array:
        return np.concatenate([values, values[ends[chosen]].mean(axis=1, dtype=np.float64).astype(np.float32)])

    return replace(
        mesh,
        vertices=grown(mesh.vertices),
        triangles=np.concatenate(parts),
        uv=grown(mesh.uv),
        colours=None if mesh.colours is None else grown(mesh.colours),
        normals=None if mesh.normals is None else unit(grown(mesh.normals), TO_VIEWER),
    )


def _turned(triangles: Int32Array, middles: Int32Array, first: Int32Array) -> tuple[Int32Array, ...]:
    """Corners a, b, c and the middles of ab, bc, ca, (N,) each, of triangles turned so that edge `first` is ab."""
    order = (first[:, None] + np.arange(3)) % 3
    corners, between = (np.take_along_axis(part, order, axis=1) for part in (triangles, middles))
    return (*corners.T, *between.T)
