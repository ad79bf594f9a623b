# SPDX-License-Identifier: GPL-3.0-or-later
"""The connected parts of a mesh, and how to drop those that do not belong to the object.

Two kinds of stray parts are known. *Specks* come from dust in a mask: they are tiny in every direction; a long and thin
part may be a twig. *Floaters* come from the networks: specks too, and flakes, which are thin and of any length. In
results of the published network, flakes were at most 1.4 % as thick as the body is long, and real detached parts at
least 11.8 %; the bound is the geometric mean.

A part's thickness is the smallest of its extents along its principal axes. A curled flake has large extents, so it is
also measured by 2 V / A: that is the thickness of a plate, and a third of a ball's diameter.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from ..flow.products import Mesh
from ..raster.vectors import dot, length
from . import check
from .rows import used

_SPECK = 0.02  # of the whole's extent
_FLAKE = 0.04  # of the body's extent: between flakes (0.014) and parts (0.118)
_CURLED_FLAKE = 0.014  # of the body's extent: 2 V / A of the thickest flakes
_LARGE = 0.05  # of the whole's area: a part that is larger may be thin, such as a cape or a wing


@dataclass(frozen=True)
class Parts:
    """The connected parts of a mesh and their measures.

    of: int64 (T,), the part that each triangle belongs to, from 0. extents: float64 (P, 3), along the axes. thickness:
    float64 (P,), the smallest extent along the principal axes. plate_thickness: float64 (P,), 2 V / A. area: float64
    (P,).
    """

    of: Int64Array
    extents: Float64Array
    thickness: Float64Array
    plate_thickness: Float64Array
    area: Float64Array


def parts_of(mesh: Mesh) -> Parts:
    """Find and measure the connected parts of a mesh with at least one triangle."""
    of = _part_of_each(mesh)
    order = np.argsort(of, kind="stable")
    first = np.searchsorted(of[order], np.arange(of.max() + 1))
    corners = mesh.vertices[mesh.triangles[order]].astype(np.float64)  # (T, 3, 3)
    owner = of[order]

    middle = np.add.reduceat(corners.mean(axis=1), first) / np.bincount(of)[:, None]
    corners -= middle[owner, None]  # if a part is open, its volume depends on the origin: take its own middle
    a, b, c = np.moveaxis(corners, 1, 0)
    cross = np.cross(b - a, c - a)
    area = np.add.reduceat(length(cross), first) / 2
    volume = np.abs(np.add.reduceat(dot(a, cross), first)) / 6

    spread = np.add.reduceat(np.einsum("tki,tkj->tij", corners, corners), first)
    axes = np.linalg.eigh(spread)[1]
    return Parts(
        of=of,
        extents=_extents(corners, first),
        thickness=_extents(np.einsum("tki,tij->tkj", corners, axes[owner]), first).min(axis=1),
        plate_thickness=2 * volume / np.maximum(area, 1e-300),
        area=area,
    )


def _part_of_each(mesh: Mesh) -> Int64Array:
    """Return the part that each triangle belongs to, int64 (T,), from 0 without gaps."""
    label = check.vertex_components(mesh.triangles, len(mesh.vertices))
    return np.unique(label[mesh.triangles[:, 0]], return_inverse=True)[1].reshape(-1)


def drop_specks(mesh: Mesh) -> tuple[Mesh, int]:
    """Drop the parts that are tiny in every direction: smaller than 2 % of the whole's longest side.

    If all are, the object is made of such parts, and they stay. Returns the mesh without specks and without unused
    vertices, and how many parts were dropped.
    """
    if not len(mesh.triangles):
        return mesh, 0
    of = _part_of_each(mesh)
    if not of.any():  # one part, which is not measured
        return _without(mesh, of, np.zeros(1, np.bool_))
    parts = parts_of(mesh)
    whole = float(np.ptp(mesh.vertices[np.unique(mesh.triangles)], axis=0).max())
    specks = parts.extents.max(axis=1) < _SPECK * whole
    return _without(mesh, of, specks & ~specks.all())


def drop_floaters(mesh: Mesh) -> tuple[Mesh, int]:
    """Drop the parts that are thinner than 4 % of the body's longest side, or than 1.4 % by 2 V / A.

    The body is the part with the largest area. It stays however thin it is, and so does a part with 5 % of all area.
    Returns the mesh without floaters and unused vertices, and how many parts were dropped.
    """
    if not len(mesh.triangles):
        return mesh, 0
    parts = parts_of(mesh)
    body = int(parts.area.argmax())
    size = float(parts.extents[body].max())
    thin = (parts.thickness < _FLAKE * size) | (parts.plate_thickness < _CURLED_FLAKE * size)
    thin &= parts.area < _LARGE * parts.area.sum()
    thin[body] = False
    return _without(mesh, parts.of, thin)


def _extents(corners: Float64Array, first: Int64Array) -> Float64Array:
    """Return each part's extent along three axes, (P, 3). corners: (T, 3, 3), in order of the parts."""
    highest, lowest = corners.max(axis=1), corners.min(axis=1)
    return np.maximum.reduceat(highest, first) - np.minimum.reduceat(lowest, first)


def _without(mesh: Mesh, of: Int64Array, stray: BoolArray) -> tuple[Mesh, int]:
    """Return the mesh without stray parts and unused vertices, and how many parts are stray."""
    kept = ~stray[of]
    vertices, triangles = used(mesh.triangles[kept], len(mesh.vertices))
    cleaned = replace(
        mesh,
        vertices=mesh.vertices[vertices],
        triangles=triangles.astype(np.int32),
        uv=mesh.uv[vertices] if mesh.uv.ndim == 2 else mesh.uv[kept],
        colours=None if mesh.colours is None else mesh.colours[vertices],
        normals=None if mesh.normals is None else mesh.normals[vertices],
    )
    return cleaned, int(stray.sum())
