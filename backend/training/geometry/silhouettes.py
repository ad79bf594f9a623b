# SPDX-License-Identifier: GPL-3.0-or-later
"""Parallel rays through surfaces: outlines, the first and the last depth, and what is inside.

A view is a square of size x size pixels about the origin, which reaches so far to every side; row 0 is on top.
"""

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from ...raster.triangles import hits
from .triangles import Triangles

SIDE = 256
"""A view's pixels along a side."""

REACH = 0.75
"""How far a view and the voxels reach to every side of the origin; what is judged has its box's middle there and the
longest side 1."""

VOXELS = 64


def seen_from(surface: Triangles, degrees: float) -> Triangles:
    """Return a surface as a camera sees it that has moved so far around it, to the right."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return surface._replace(vertices=surface.vertices @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]))


def seen_from_above(surface: Triangles) -> Triangles:
    """Return a surface as a camera above it sees it, the front at the bottom of the view."""
    return surface._replace(vertices=surface.vertices @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]]))


def on_screen(surface: Triangles, size: int, reach: float) -> Float64Array:
    """Return column, row and z of the corners of every face in a view, float64 (F, 3, 3)."""
    x, y, z = surface.vertices.T
    scale = size / (2 * reach)
    return np.stack([(x + reach) * scale, (reach - y) * scale, z], axis=1)[surface.faces]


def depths(surface: Triangles, size: int = SIDE, reach: float = REACH) -> tuple[Float64Array, Float64Array]:
    """Return z where the rays first enter and last leave, float64 (size, size) each, NaN where they meet nothing."""
    pixel, _, z, _ = hits(on_screen(surface, size, reach), (size, size))
    front, back = np.full(size * size, -np.inf), np.full(size * size, np.inf)
    np.maximum.at(front, pixel, z)
    np.minimum.at(back, pixel, z)
    for sheet in (front, back):
        sheet[np.isinf(sheet)] = np.nan
    return front.reshape(size, size), back.reshape(size, size)


def outline(surface: Triangles) -> BoolArray:
    """Return which pixels of a view show the surface, bool (SIDE, SIDE)."""
    shown = np.zeros(SIDE * SIDE, np.bool_)
    shown[hits(on_screen(surface, SIDE, REACH), (SIDE, SIDE))[0]] = True
    return shown.reshape(SIDE, SIDE)


def occupied(surface: Triangles, size: int = VOXELS, reach: float = REACH) -> BoolArray:
    """Return at which voxels' centres the surface has its inside, bool (x, y, z), over [-reach, reach] along each axis.

    Rays along x, y and z each say it by their winding numbers, and two of the three decide: they agree in a closed
    surface, and a small gap misleads one of them.
    """
    votes = np.zeros((size, size, size), np.uint8)
    for turn in range(3):  # the axes go round: z, x and y point to the viewer in turn
        turned = surface._replace(vertices=np.roll(surface.vertices, turn, axis=1))
        votes += np.moveaxis(_wound(turned, size, reach), (0, 1, 2), np.roll((0, 1, 2), turn).tolist())
    return votes >= 2


def _wound(surface: Triangles, size: int, reach: float) -> BoolArray:
    """Return where the winding number along z is not 0, bool (x, y, z)."""
    corners = on_screen(surface, size, reach)
    pixel, face, z, _ = hits(corners, (size, size))
    behind = np.clip(np.ceil((z + reach) * size / (2 * reach) - 0.5), 0, size).astype(np.int64)  # so many voxels
    turns = np.zeros((size + 1, size * size), np.int64)
    np.add.at(turns, (behind, pixel), _turns(corners)[face])
    winding = np.cumsum(turns[::-1], axis=0)[::-1][1:].reshape(size, size, size)  # (z, row, x)
    return np.moveaxis(winding != 0, (2, 1, 0), (0, 1, 2))[:, ::-1]


def _turns(corners: Float64Array) -> Int64Array:
    """Return 1 for faces that turn one way on the screen, -1 for the others, int64 (F,)."""
    a, b, c = np.moveaxis(corners[..., :2], 1, 0)
    across = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return np.sign(across).astype(np.int64)
