# SPDX-License-Identifier: GPL-3.0-or-later
"""The connected parts of a mesh, and which of them are not of the object.

Two kinds of stray parts are known. *Specks* are dust of a mask: tiny in every direction, while what is long and thin
may be a twig. *Floaters* are what the networks scatter around a body: specks too, and flakes, which are as long as one
likes but thin. On the published network's results flakes were at most 1.4 % as thick as the body is long and real
detached parts at least 11.8 %; the bound lies between, at equal ratios.

How thick a part is, is the smallest of its extents along its principal axes, and for curled flakes, whose extents say
little, 2 V / A: that is the thickness of a plate, and a third of that of a ball.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from ..flow.products import Mesh
from . import check

_SPECK = 0.02  # of the whole's extent
_FLAT = 0.04  # of the body's extent: between flakes (0.014) and parts (0.118)
_FILM = 0.014  # of the body's extent: what curls is as thin as the thickest flakes
_LARGE = 0.05  # of the whole's area: a cape or a wing may be thin

Numbers = Float64Array


@dataclass(frozen=True)
class Parts:
    """The connected parts of a mesh and their measures.

    of: int64 (T,), which part each triangle belongs to, from 0. extents: (P, 3) along the axes. thickness: (P,) the
    smallest extent along the principal axes. film: (P,) 2 V / A. area: (P,).
    """

    of: Int64Array
    extents: Numbers
    thickness: Numbers
    film: Numbers
    area: Numbers


def parts_of(mesh: Mesh) -> Parts:
    """Find and measure the connected parts of a mesh with at least one triangle."""
    label = check.components(mesh.triangles, len(mesh.vertices))
    _, of = np.unique(label[mesh.triangles[:, 0]], return_inverse=True)
    order = np.argsort(of, kind="stable")
    first = np.searchsorted(of[order], np.arange(of.max() + 1))
    corners = mesh.vertices[mesh.triangles[order]].astype(np.float64)  # (T, 3, 3)
    owner = of[order]

    middle = np.add.reduceat(corners.mean(axis=1), first) / np.bincount(of)[:, None]
    corners -= middle[owner, None]  # the volume of a part that is not quite closed is taken from its own middle
    a, b, c = np.moveaxis(corners, 1, 0)
    cross = np.cross(b - a, c - a)
    area = np.add.reduceat(np.linalg.norm(cross, axis=1), first) / 2
    volume = np.abs(np.add.reduceat((a * cross).sum(axis=1), first)) / 6

    spread = np.add.reduceat(np.einsum("tki,tkj->tij", corners, corners), first)
    axes = np.linalg.eigh(spread)[1]
    return Parts(
        of=of,
        extents=_extents(corners, first),
        thickness=_extents(np.einsum("tki,tij->tkj", corners, axes[owner]), first).min(axis=1),
        film=2 * volume / np.maximum(area, 1e-300),
        area=area,
    )


def drop_specks(mesh: Mesh) -> tuple[Mesh, int]:
    """Drop the parts that are tiny in every direction: less than 2 % of the whole's longest side.

    Returns the mesh without them and without vertices that no triangle uses, and how many parts went.
    """
    if not len(mesh.triangles):
        return mesh, 0
    parts = parts_of(mesh)
    whole = float(np.ptp(mesh.vertices[np.unique(mesh.triangles)], axis=0).max())
    return _without(mesh, parts, parts.extents.max(axis=1) < _SPECK * whole)


def drop_floaters(mesh: Mesh) -> tuple[Mesh, int]:
    """Drop the parts that are thinner than 4 % of the body's longest side, or 1.4 % by 2 V / A.

    The body is the part with the largest area; that and what has 5 % of all the area stay however thin they are.
    Returns the mesh without floaters and without vertices that no triangle uses, and how many parts went.
    """
    if not len(mesh.triangles):
        return mesh, 0
    parts = parts_of(mesh)
    body = int(parts.area.argmax())
    size = float(parts.extents[body].max())
    thin = (parts.thickness < _FLAT * size) | (parts.film < _FILM * size)
    thin &= parts.area < _LARGE * parts.area.sum()
    thin[body] = False
    return _without(mesh, parts, thin)


def _extents(corners: Numbers, first: Int64Array) -> Numbers:
    """How far each part reaches along three axes, (P, 3), of `corners` (T, 3, 3) in order of the parts."""
    highest, lowest = corners.max(axis=1), corners.min(axis=1)
    return np.maximum.reduceat(highest, first) - np.minimum.reduceat(lowest, first)


def _without(mesh: Mesh, parts: Parts, stray: BoolArray) -> tuple[Mesh, int]:
    """The mesh without stray parts, and how many these are."""
    triangles = mesh.triangles[~stray[parts.of]]
    used, numbered = np.unique(triangles, return_inverse=True)
    cleaned = replace(
        mesh,
        vertices=mesh.vertices[used],
        triangles=numbered.reshape(-1, 3).astype(np.int32),
        uv=mesh.uv[used],
        colours=None if mesh.colours is None else mesh.colours[used],
        normals=None if mesh.normals is None else mesh.normals[used],
    )
    return cleaned, int(stray.sum())
