# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces of triangles as the camera sees them, and what they are in themselves: closed, wound alike, standing."""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from ...flow.products import Mesh
from ...mesh.check import centre_of_mass, half_edges, vertex_components

_SAME = 1e-6  # of a surface's longest side: vertices that are so near are one
_TOUCHING = 0.005  # of a mesh's longest side: what is so near to the floor touches it


class Triangles(NamedTuple):
    """A surface.

    vertices: float64 (V, 3), x right, y up, z to the viewer. faces: int64 (F, 3), indices into them.
    """

    vertices: Float64Array
    faces: Int64Array

    @property
    def corners(self) -> Float64Array:
        """The places of every face's corners, float64 (F, 3, 3)."""
        return self.vertices[self.faces]

    @property
    def box(self) -> tuple[Float64Array, Float64Array]:
        """The lowest and the highest x, y and z, float64 (3,) each."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)


class Soundness(NamedTuple):
    """What a surface is in itself.

    watertight: every edge has two faces. winding: the two faces of an edge are wound alike. bodies: the number of parts
    that edges of two faces hold together.
    """

    watertight: bool
    winding: bool
    bodies: int


def from_scene(mesh: Mesh) -> Triangles:
    """Return a mesh, Blender's axes, as the camera at the front sees it: (x, y, z) becomes (x, z, -y).

    It is joined, see `joined`.
    """
    vertices = mesh.vertices[:, [0, 2, 1]].astype(np.float64) * np.array([1.0, 1.0, -1.0])
    return joined(Triangles(vertices, mesh.triangles.astype(np.int64)))


def joined(surface: Triangles) -> Triangles:
    """Make one of vertices at one place; faces without extent and unused vertices are left out.

    To within a millionth, as meshes to compare and to learn from come from many programs, which round differently. What
    is made of an artist's own mesh joins equal vertices alone: `texture.winding.welded`, `inspection.joined`.
    """
    step = _SAME * max(float(np.ptp(surface.vertices, axis=0).max()), 1e-30)
    _, first, number = np.unique(np.rint(surface.vertices / step), axis=0, return_index=True, return_inverse=True)
    faces = number.reshape(-1)[surface.faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    used, renumbered = np.unique(faces, return_inverse=True)
    return Triangles(surface.vertices[first[used]], renumbered.reshape(-1, 3).astype(np.int64))


def soundness(faces: Int64Array) -> Soundness:
    """Look at the edges of faces, int64 (F, 3)."""
    edges = half_edges(faces)
    edge, count = _edges(edges)
    turns = np.bincount(edge, np.where(edges[:, 0] < edges[:, 1], 1.0, -1.0))
    shared = shared_edges(faces) % len(faces)
    neighbours = np.column_stack([shared, shared[:, :1]])  # the graph of faces, as triangles along its edges
    bodies = len(np.unique(vertex_components(neighbours, len(faces))))
    return Soundness(bool((count == 2).all()), bool((turns[count == 2] == 0).all()), bodies)


def shared_edges(faces: Int64Array) -> Int64Array:
    """Return the edges of exactly two faces, int64 (E, 2), as the two half edges that each is, see `half_edges`.

    A half edge's number, modulo the number of faces, is its face.
    """
    edge, count = _edges(half_edges(faces))
    order = np.argsort(edge, kind="stable")
    return order[(count == 2)[edge[order]]].reshape(-1, 2)


def _edges(ends: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Number edges of any direction, int64 (N,), by their ends, (N, 2); and count each."""
    low, high = ends.min(axis=1), ends.max(axis=1)
    _, edge, count = np.unique(low * (int(high.max()) + 1) + high, return_inverse=True, return_counts=True)
    return edge.reshape(-1), count


def stands(mesh: Mesh) -> bool:
    """Whether a mesh, z up, would stay as it is on a level floor.

    It does if its centre of mass lies above the inside of the convex hull of all vertices that are at most 0.5 % of its
    longest side higher than the lowest. Its mass is its volume, or its surface if the volume is nothing.
    """
    vertices = mesh.vertices.astype(np.float64)[np.unique(mesh.triangles)]
    touching = vertices[:, 2] <= vertices[:, 2].min() + _TOUCHING * np.ptp(vertices, axis=0).max()
    spokes = vertices[touching, :2] - centre_of_mass(mesh.vertices, mesh.triangles)[:2]
    spokes = spokes[(spokes != 0).any(axis=1)]
    if not len(spokes):
        return False
    # A point is inside a hull if the directions to the others leave no gap of half a turn around it.
    angles = np.sort(np.arctan2(spokes[:, 1], spokes[:, 0]))
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    return bool(gaps.max() < np.pi * (1 - 1e-9))


def areas(corners: Float64Array) -> Float64Array:
    """Return the areas of faces, float64 (F,), from the places of their corners (F, 3, 3)."""
    return np.linalg.norm(crosses(corners), axis=1) / 2


def crosses(corners: Float64Array) -> Float64Array:
    """Return vectors along the faces' normals, twice as long as the faces' areas, float64 (F, 3)."""
    a, b, c = np.moveaxis(corners, 1, 0)
    return np.asarray(np.cross(b - a, c - a), np.float64)


def of_some(surface: Triangles, which: BoolArray) -> Triangles:
    """Return the surface of some faces; which: bool (F,)."""
    return Triangles(surface.vertices, surface.faces[which])
