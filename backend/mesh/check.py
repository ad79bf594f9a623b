# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of a triangle mesh: is it closed, is it a manifold, what does it enclose.

All functions take plain arrays: triangles int (T, 3), vertices float (V, 3).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, Float64Array, Int64Array

Triangles = NDArray[np.integer[Any]]


def half_edges(triangles: Triangles) -> Int64Array:
    """The directed edges, int64 (3 T, 2): first all from corner 0 to 1, then 1 to 2, then 2 to 0."""
    t = np.asarray(triangles, np.int64)
    return np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])


def is_closed(triangles: Triangles) -> bool:
    """Whether every directed edge occurs once and its opposite once: watertight, consistently wound, edges manifold."""
    edges = half_edges(triangles)
    if not len(edges):
        return True
    size = int(edges.max()) + 1
    there = np.sort(edges[:, 0] * size + edges[:, 1])
    back = np.sort(edges[:, 1] * size + edges[:, 0])
    once = bool(np.all(there[1:] != there[:-1]))
    loops = bool(np.any(edges[:, 0] == edges[:, 1]))
    return once and not loops and bool(np.array_equal(there, back))


def border_vertices(triangles: Triangles, vertex_count: int) -> BoolArray:
    """Which vertices lie on an open border: at an edge whose opposite is missing; bool (V,)."""
    edges = half_edges(triangles)
    there, back = edges[:, 0] * vertex_count + edges[:, 1], edges[:, 1] * vertex_count + edges[:, 0]
    border = np.zeros(vertex_count, np.bool_)
    border[edges[~np.isin(there, back)]] = True
    return border


def pinched_vertices(triangles: Triangles) -> int:
    """Count the vertices at which several separate fans of triangles meet; for a closed mesh, 0 means manifold."""
    t = np.asarray(triangles, np.int64)
    if not len(t):
        return 0
    corners = 3 * len(t)
    # Around a vertex, a corner is joined with the corner of the triangle across the edge that leaves the vertex.
    ends = half_edges(t)
    size = int(t.max()) + 1
    corner = np.arange(corners)  # corner k of triangle i is numbered k T + i, as the half-edge that leaves it
    arriving = (corner + len(t)) % corners  # the corner at the half-edge's end
    order = np.argsort(ends[:, 1] * size + ends[:, 0])
    keys = (ends[:, 1] * size + ends[:, 0])[order]
    found = np.minimum(np.searchsorted(keys, ends[:, 0] * size + ends[:, 1]), corners - 1)
    has_opposite = keys[found] == ends[:, 0] * size + ends[:, 1]
    across = arriving[order[found]]
    fans = _label(corners, corner[has_opposite], across[has_opposite])
    used = np.unique(t)
    return len(np.unique(fans)) - len(used)


def components(triangles: Triangles, vertex_count: int) -> Int64Array:
    """Label the connected parts: for each vertex the smallest index of a vertex it is connected with; int64 (V,)."""
    edges = half_edges(triangles)
    return _label(vertex_count, edges[:, 0], edges[:, 1])


def signed_volume(vertices: NDArray[np.floating[Any]], triangles: Triangles) -> float:
    """The enclosed volume, positive where triangles are wound counter-clockwise from outside (divergence theorem)."""
    return float(signed_volumes(vertices, triangles).sum())


def signed_volumes(vertices: NDArray[np.floating[Any]], triangles: Triangles) -> Float64Array:
    """Each triangle's share of the volume, float64 (T,): the tetrahedron that it spans with the vertices' mean."""
    v = np.asarray(vertices, np.float64)
    if not len(v):
        return np.zeros(0)
    a, b, c = np.moveaxis((v - v.mean(axis=0))[np.asarray(triangles)], 1, 0)
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0


def _label(count: int, start: Int64Array, end: Int64Array) -> Int64Array:
    """Connected components of a graph: each node's label is its component's smallest node (hooking and doubling)."""
    label = np.arange(count)
    while len(start):
        a, b = label[start], label[end]
        apart = a != b
        if not apart.any():
            break
        start, end, a, b = start[apart], end[apart], a[apart], b[apart]
        np.minimum.at(label, np.maximum(a, b), np.minimum(a, b))
        while True:
            deeper = label[label]
            if np.array_equal(deeper, label):
                break
            label = deeper
    return label
