# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of a triangle mesh: is it closed, is it a manifold, what volume does it enclose.

All functions take plain arrays: triangles int (T, 3), vertices float (V, 3).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, Float64Array, Int64Array
from ..raster.vectors import length
from .rows import first_of

IntegerArray = NDArray[np.integer[Any]]

_HOLLOW = 1e-9  # of the box: a smaller volume has no centre


def half_edges(triangles: IntegerArray) -> Int64Array:
    """Return the directed edges, int64 (3 T, 2): first all from corner 0 to 1, then 1 to 2, then 2 to 0."""
    t = np.asarray(triangles, np.int64)
    return np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])


def is_closed(triangles: IntegerArray) -> bool:
    """Whether every directed edge occurs once, and so does its opposite: closed, and all triangles turn alike."""
    edges = half_edges(triangles)
    if not len(edges):
        return True
    size = int(edges.max()) + 1
    there = np.sort(edges[:, 0] * size + edges[:, 1])
    back = np.sort(edges[:, 1] * size + edges[:, 0])
    once = bool(np.all(there[1:] != there[:-1]))
    loops = bool(np.any(edges[:, 0] == edges[:, 1]))
    return once and not loops and bool(np.array_equal(there, back))


def border_vertices(triangles: IntegerArray, vertex_count: int) -> BoolArray:
    """Whether each vertex lies on an open border, at an edge whose opposite is missing; bool (V,)."""
    edges = half_edges(triangles)
    start, end = edges.T
    border = np.zeros(vertex_count, np.bool_)
    both = np.sort((np.minimum(start, end) * vertex_count + np.maximum(start, end)) * 2 + (start < end))
    if len(both) % 2 or (both[0::2] % 2).any() or (both[0::2] + 1 != both[1::2]).any():
        there, back = start * vertex_count + end, end * vertex_count + start
        border[edges[~np.isin(there, back)]] = True
    return border


def pinched_vertices(triangles: IntegerArray) -> int:
    """Count the extra fans of triangles at vertices where several meet; a closed mesh is a manifold if it has none."""
    t = np.asarray(triangles, np.int64)
    if not len(t):
        return 0
    corners = 3 * len(t)
    # Corners at the same vertex are joined if their triangles share an edge there; what remains apart are the fans.
    ends = half_edges(t)
    size = int(t.max()) + 1
    corner = np.arange(corners)  # corner k of triangle i has the number k T + i, as has the half-edge that leaves it
    arriving = (corner + len(t)) % corners  # the corner at the half-edge's end
    order = np.argsort(ends[:, 1] * size + ends[:, 0])
    keys = (ends[:, 1] * size + ends[:, 0])[order]
    found = np.minimum(np.searchsorted(keys, ends[:, 0] * size + ends[:, 1]), corners - 1)
    has_opposite = keys[found] == ends[:, 0] * size + ends[:, 1]
    across = arriving[order[found]]
    fans = components(corners, corner[has_opposite], across[has_opposite])
    return int(fans.max()) + 1 - len(np.unique(t))


def vertex_components(triangles: IntegerArray, vertex_count: int) -> Int64Array:
    """Label connected vertices alike, int64 (V,): by the smallest index among them."""
    edges = half_edges(triangles)
    number = components(vertex_count, edges[:, 0], edges[:, 1])
    return first_of(number)[number]


def components(count: int, start: Int64Array, end: Int64Array) -> Int64Array:
    """Number a graph's components, int64 (count,): from 0, in the order of their smallest nodes.

    count: how many nodes there are. start, end: int64 (E,), the edges' nodes. Each node is hooked to its smallest
    neighbour if that is smaller than itself, the trees that come out are the nodes of a smaller graph, and so on.
    """
    if not len(start):
        return np.arange(count)
    root = np.arange(count)
    np.minimum.at(root, np.maximum(start, end), np.minimum(start, end))
    while True:
        deeper = root[root]
        if np.array_equal(deeper, root):
            break
        root = deeper
    number = (np.cumsum(root == np.arange(count)) - 1)[root]
    start, end = number[start], number[end]
    apart = start != end
    return components(int(number.max()) + 1, start[apart], end[apart])[number]


def signed_volume(vertices: NDArray[np.floating[Any]], triangles: IntegerArray) -> float:
    """Return the enclosed volume (divergence theorem); positive if triangles are counter-clockwise from outside."""
    return float(signed_volumes(vertices, triangles).sum())


def signed_volumes(vertices: NDArray[np.floating[Any]], triangles: IntegerArray) -> Float64Array:
    """Return each triangle's share of the volume, float64 (T,): its tetrahedron with the vertices' mean."""
    v = np.asarray(vertices, np.float64)
    if not len(v):
        return np.zeros(0)
    a, b, c = np.moveaxis((v - v.mean(axis=0))[np.asarray(triangles)], 1, 0)
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0


def centre_of_mass(vertices: NDArray[np.floating[Any]], triangles: IntegerArray) -> Float64Array:
    """Return where a mesh with some surface balances, (3,): its volume, or its surface if the volume is nothing.

    Not by BLAS, whose last bits depend on the number of threads.
    """
    v = np.asarray(vertices, np.float64)
    corners = v[np.asarray(triangles)]
    volumes = signed_volumes(v, triangles)
    if abs(volumes.sum()) > _HOLLOW * np.ptp(v, axis=0).max() ** 3:
        # `signed_volumes` spans its tetrahedra from the vertices' mean.
        middles = (corners.sum(axis=1) + v.mean(axis=0)) / 4
        return (middles * volumes[:, None]).sum(axis=0) / volumes.sum()
    a, b, c = np.moveaxis(corners, 1, 0)
    areas = length(np.cross(b - a, c - a))
    return (corners.mean(axis=1) * areas[:, None]).sum(axis=0) / areas.sum()
