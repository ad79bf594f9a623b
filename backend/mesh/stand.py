# SPDX-License-Identifier: GPL-3.0-or-later
"""A body that nearly stands is set down: it tips onto the facet below its centre, and its sole is made flat.

What is up is known to some degrees only. A thing that stood in the picture would so stand on an edge. The supporting
facet of the body's convex hull below the centre of mass is what it would come to rest on; if that is nearly level, the
body is turned onto it. A sole that is plainly flat, which has its whole width near the lowest point at once, is cut
level. A ball has none and stays round.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np

from ..arrays import Float64Array
from ..flow.products import Mesh, Report
from . import check

_TIP = np.tan(np.radians(12.0))  # along x and along y: the steepest slope of a facet that it is tipped onto
_SOLE = (0.004, 0.016)  # of the size: the thickness of two slices at the bottom
_FLAT = 0.65  # the width of the thinner slice over that of the thicker, from which on a sole is flat
_ROUNDS = 60
_EPSILON = 1e-9


def stand(mesh: Mesh, *, upright: bool, report: Report) -> Mesh:
    """Turn a closed mesh that nearly stands so that it does, with its normals; a stage of engines.

    upright: if not, the mesh stays as it is. An open mesh has no centre of mass and stays as well.
    """
    turn = None
    if upright and check.is_closed(mesh.triangles):
        turn = resting_turn(mesh.vertices.astype(np.float64), mesh.triangles)
    report(1, 1)
    if turn is None:
        return mesh
    vertices, normals = (
        None if lines is None else turned(lines.astype(np.float64), turn).astype(np.float32)
        for lines in (mesh.vertices, mesh.normals)
    )
    return replace(mesh, vertices=vertices, normals=normals)


def set_down(vertices: Float64Array, triangles: check.IntegerArray) -> Float64Array:
    """Return the vertices, (V, 3), Blender's axes, of a body that is upright but for some degrees, set down."""
    turn = resting_turn(vertices, triangles)
    return vertices if turn is None else _with_level_sole(turned(vertices, turn))


def resting_turn(vertices: Float64Array, triangles: check.IntegerArray) -> Float64Array | None:
    """Return the rotation, (3, 3), that levels the facet on which a body would come to rest; None if it is steep."""
    slope = _facet_below(vertices - check.centre_of_mass(vertices, triangles))
    if slope is None:
        return None
    normal = np.array([-slope[0], -slope[1], 1.0])
    return turn_to_z(normal / np.linalg.norm(normal))


def _with_level_sole(vertices: Float64Array) -> Float64Array:
    """Return the vertices, (V, 3), with what is lowest cut level, if it is plainly flat."""
    size = float(np.ptp(vertices, axis=0).max())
    bottom = float(vertices[:, 2].min())
    thin, thick = (_width(vertices[vertices[:, 2] < bottom + part * size, :2]) for part in _SOLE)
    if thin < _FLAT * thick:
        return vertices
    level = bottom + _SOLE[0] * size
    return np.column_stack([vertices[:, :2], np.maximum(vertices[:, 2], level)])


def _facet_below(points: Float64Array) -> Float64Array | None:
    """Return the slopes (dz/dx, dz/dy) of the hull's facet below the origin, or None if it is steeper than `_TIP`.

    The facet is the highest plane z = c + a x + b y below all points at x = y = 0: a linear programme in three
    unknowns. It is solved over a few points, to which the lowest under the plane is added, until there is none.
    """
    x, y, z = points.T
    chosen = [int(np.argmin(z))]
    slope = np.zeros(2)
    for _ in range(_ROUNDS):
        below = z - slope[0] * x - slope[1] * y
        lowest = int(np.argmin(below))
        if lowest in chosen and len(chosen) > 1:
            break
        if lowest not in chosen:
            chosen.append(lowest)
        slope = _highest_plane(points[chosen])
    return slope if np.abs(slope).max() < 0.999 * _TIP else None


def _highest_plane(points: Float64Array) -> Float64Array:
    """Return the slopes, within `_TIP`, of the plane below some points that is highest at the origin."""
    walls = np.array([(1, 0, _TIP), (-1, 0, _TIP), (0, 1, _TIP), (0, -1, _TIP)])
    # Every row (p, q, r) says p a + q b + s c <= r, with s 1 for points and 0 for the walls.
    rows = np.vstack(
        [np.column_stack([points[:, :2], np.ones(len(points))]), np.column_stack([walls[:, :2], np.zeros(4)])]
    )
    limits = np.concatenate([points[:, 2], walls[:, 2]])
    three = np.array(list(combinations(range(len(rows)), 3)))
    three = three[np.abs(np.linalg.det(rows[three])) >= _EPSILON]
    corners = np.linalg.solve(rows[three], limits[three][..., None])[..., 0]
    allowed = corners[(np.einsum("ti,ri->tr", corners, rows) <= limits + 1e-7).all(axis=1)]
    return allowed[np.argmax(allowed[:, 2]), :2] if len(allowed) else np.zeros(2)


def turned(vertices: Float64Array, turn: Float64Array) -> Float64Array:
    """Apply a rotation, (3, 3), to vertices, (V, 3): not by BLAS, whose last bits depend on the number of threads."""
    return np.einsum("ij,vj->vi", turn, vertices)


def turn_to_z(direction: Float64Array) -> Float64Array:
    """Return the shortest rotation, (3, 3), that takes a unit direction, not straight down, to z."""
    x, y, z = direction
    cross = np.array([[0.0, 0.0, -x], [0.0, 0.0, -y], [x, y, 0.0]])
    return np.eye(3) + cross + cross @ cross / (1 + z)


def _width(points: Float64Array) -> float:
    """Return the mean extent of points (N, 2) over eight directions."""
    angles = np.arange(8) * np.pi / 8
    return float(np.ptp(np.einsum("ij,jk->ik", points, np.stack([np.cos(angles), np.sin(angles)])), axis=0).mean())
