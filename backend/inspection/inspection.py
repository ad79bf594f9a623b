# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh is like, in numbers that tell whether it can be used and printed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float64Array, Int64Array
from ..mesh.check import components, half_edges, signed_volume
from ..mesh.rows import numbered, used
from .balance import STANDS, tilt
from .walls import thickness

WALL = 1.0
"""Millimetres: thinner walls are thin, unless asked otherwise."""
_ROUNDED = 1e-4  # of a limit: a wall of just that thickness is not thin, however its corners are rounded
STEEP = 45.0
"""Degrees from the vertical: a surface that leans over by more hangs over."""
_FLOOR = 0.001  # of the longest side: what is so near to the lowest point lies on the floor
_FACING_DOWN = -np.sin(np.radians(STEEP)) - 1e-6
_THINNEST = 1  # per cent of the surface that is thinner than what is called the thinnest


@dataclass(frozen=True)
class Inspection:
    """What was found. Lengths are in metres, shares in [0, 1].

    size: along x, y and z. vertices: places of them, so that the copies at a seam are one. triangles: without those
    that have no area because two of their corners are one. parts: what edges hold together. open_edges: edges of one
    triangle alone. crowded_edges: of three or more. turned_edges: of two that are not wound alike. inside_out: whether
    it is closed and its faces look inwards. area: of the surface. volume: what it encloses; wall: what counts as thin;
    thin: the share of the surface below which the mesh is thinner than that; thinnest: the thickness that 99 % of the
    surface has; tilt: see `balance.tilt`; None of all of these if the mesh is not closed. overhang: the share of the
    surface that leans over by more than 45° and does not lie on the floor.
    """

    size: tuple[float, float, float]
    vertices: int
    triangles: int
    parts: int
    open_edges: int
    crowded_edges: int
    turned_edges: int
    inside_out: bool
    area: float
    volume: float | None
    wall: float | None
    thin: float | None
    thinnest: float | None
    overhang: float
    tilt: float | None

    @property
    def closed(self) -> bool:
        """Whether it encloses a volume: each edge has two triangles, wound alike."""
        return not (self.open_edges or self.crowded_edges or self.turned_edges)

    @property
    def stands(self) -> bool:
        """Whether it stands as it is and does not roll away; one that is not closed is not known to."""
        return self.tilt is not None and self.tilt >= STANDS


def inspect(vertices: NDArray[Any], triangles: NDArray[Any], wall: float = WALL) -> Inspection | None:
    """Measure a mesh; None if it has no surface.

    vertices: float (V, 3), metres, z up, finite. triangles: int (T, 3). wall: what counts as thin, in millimetres.
    """
    places, faces, _ = joined(np.asarray(vertices, np.float64), np.asarray(triangles, np.int64))
    if not len(faces):
        return None
    corners = places[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(normals, axis=1) / 2
    area = float(areas.sum())
    if not area > 0:
        return None
    parts, lonely, crowded, turned = _edges(faces)
    closed = not (lonely or crowded or turned)
    volume = signed_volume(places, faces) if closed else 0.0
    thick = np.zeros(0)
    if closed:  # one that is inside out has the same walls
        thick = thickness(places, faces if volume >= 0 else faces[:, ::-1])
    size = np.ptp(places, axis=0)
    lying = corners[..., 2].max(axis=1) <= places[:, 2].min() + _FLOOR * size.max()
    down = normals[:, 2] * np.sign(volume or 1.0) < _FACING_DOWN * 2 * areas
    return Inspection(
        size=(float(size[0]), float(size[1]), float(size[2])),
        vertices=len(places),
        triangles=len(faces),
        parts=parts,
        open_edges=lonely,
        crowded_edges=crowded,
        turned_edges=turned,
        inside_out=volume < 0,
        area=area,
        volume=abs(volume) if closed else None,
        wall=wall / 1000 if closed else None,
        thin=float((thick < wall / 1000 * (1 - _ROUNDED)).mean()) if len(thick) else None,
        thinnest=float(np.percentile(thick, _THINNEST)) if len(thick) else None,
        overhang=float(areas[down & ~lying].sum() / area),
        tilt=tilt(places, faces) if closed else None,
    )


def joined(vertices: Float64Array, triangles: Int64Array) -> tuple[Float64Array, Int64Array, Int64Array]:
    """Make one of vertices at one place, and leave out triangles that have two corners there, and unused vertices.

    Files have a vertex several times if it lies at a seam, and STL files have it once for each triangle. Returns the
    vertices, the triangles, and which of the triangles each was, int64.
    """
    numbers, first = numbered(*(vertices.astype(np.float32) + np.float32(0)).T)  # +0: -0 is at the same place
    faces = numbers[triangles]
    apart = np.flatnonzero((faces != np.roll(faces, 1, axis=1)).all(axis=1))
    kept, faces = used(faces[apart], len(first))
    return vertices[first[kept]], faces, apart


def _edges(faces: Int64Array) -> tuple[int, int, int, int]:
    """Count the parts, the edges of one face, of three or more, and of two that are not wound alike."""
    ends = half_edges(faces)
    low, high = ends.min(axis=1), ends.max(axis=1)
    keys = low * (int(high.max()) + 1) + high
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.diff(keys[order], prepend=-1))
    count = np.diff(np.append(first, len(keys)))
    ahead = np.add.reduceat((ends[order, 0] < ends[order, 1]).astype(np.int64), first)
    pairs = np.flatnonzero(np.diff(keys[order]) == 0)
    parts = int(components(len(faces), order[pairs] % len(faces), order[pairs + 1] % len(faces)).max()) + 1
    return parts, int((count == 1).sum()), int((count > 2).sum()), int(((count == 2) & (ahead != 1)).sum())
