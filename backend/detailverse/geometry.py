# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of a mesh: is it sound, is it one body, how flat is it, how sharp are its edges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Mesh
from ..mesh.check import signed_volume
from ..mesh.parts import parts_of
from ..training.geometry.triangles import Triangles, areas, crosses, joined, of_some, shared_edges, soundness

DEGREES = 180


@dataclass(frozen=True)
class Geometry:
    """Measures of a mesh whose vertices at one place count as one, so that seams of an image are no borders.

    vertices, faces: how many. closed: every edge has two faces. wound: the two faces of an edge are wound alike.
    bodies: the number of connected parts. largest: the share of the whole area that the largest part has. empty: the
    share of faces without area. volume: what the surface encloses, as a share of its box; negative if it is inside out.
    thin: the smallest of its extents along its principal axes, as a share of the largest. dihedral: how many edges of
    exactly two faces have an angle between the faces' normals of [0, 1), [1, 2), … [179, 180] degrees.
    """

    vertices: int
    faces: int
    closed: bool
    wound: bool
    bodies: int
    largest: float
    empty: float
    volume: float
    thin: float
    dihedral: tuple[int, ...]


def measured(mesh: Mesh) -> Geometry | None:
    """Measure a mesh; None if it has no surface."""
    whole = joined(Triangles(mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64)))
    surface = of_some(whole, areas(whole.corners) > 0)
    if not len(surface.faces):
        return None
    sound = soundness(whole.faces)
    vertices, faces = surface.vertices.astype(np.float32), surface.faces.astype(np.int32)
    parts = parts_of(Mesh(vertices, faces, np.zeros((len(vertices), 2), np.float32)))
    low, high = surface.box
    extents = _principal_extents(surface)
    return Geometry(
        vertices=len(whole.vertices),
        faces=len(whole.faces),
        closed=sound.watertight,
        wound=sound.winding,
        bodies=len(parts.area),
        largest=float(parts.area.max() / parts.area.sum()),
        empty=1 - len(surface.faces) / len(mesh.triangles),
        volume=signed_volume(surface.vertices, surface.faces) / max(float(np.prod(high - low)), 1e-300),
        thin=float(extents.min() / extents.max()),
        dihedral=tuple(int(count) for count in _dihedral(surface)),
    )


def sharp_edges(dihedral: Sequence[int], angle: int) -> int:
    """How many edges are sharper than a whole number of degrees, from `Geometry.dihedral`.

    Counted as Blender's selection of sharp edges does: edges of exactly two faces, by the angle between their normals.
    """
    return sum(dihedral[angle:])


def _dihedral(surface: Triangles) -> Float64Array:
    normals = crosses(surface.corners)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    one, other = (shared_edges(surface.faces) % len(surface.faces)).T
    cosines = (normals[one] * normals[other]).sum(axis=1).clip(-1, 1)
    return np.histogram(np.degrees(np.arccos(cosines)), DEGREES, (0, DEGREES))[0]


def _principal_extents(surface: Triangles) -> Float64Array:
    """The extents along the surface's axes of inertia, float64 (3,), whatever its triangles are."""
    corners, weights = surface.corners, areas(surface.corners)
    corners = corners - weights @ corners.mean(axis=1) / weights.sum()
    sums = corners.sum(axis=1)
    # A triangle's integral of x x^T is A / 12 times this.
    squares = np.einsum("tki,tkj->tij", corners, corners) + np.einsum("ti,tj->tij", sums, sums)
    axes = np.linalg.eigh(np.einsum("t,tij->ij", weights, squares))[1]
    return np.ptp(surface.vertices @ axes, axis=0)
