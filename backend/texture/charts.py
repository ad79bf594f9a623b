# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a surface into charts: pieces that lie flat, one for each side from which they are seen.

The six sides are those of the picture's camera, so that what the picture shows is one chart and keeps its pixels. A
face, which is a triangle or several that make a polygon, belongs to the side that it faces; front and back reach
further, as few long seams are better than many short ones. Ragged borders are smoothed and specks go to their
neighbours, but nothing is turned over. Pieces of one side are charts of their own, and so is what lies behind a part of
its own chart.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array, Int32Array, Int64Array
from ..mesh.check import vertex_components
from ..raster.ticks import Poll
from ..raster.triangles import hits

FRONT = 0
_NORMALS = np.array([(0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)], np.float64)
_RIGHT = np.array([(1, 0, 0), (-1, 0, 0), (0, 0, -1), (0, 0, 1), (1, 0, 0), (1, 0, 0)], np.float64)
_UP = np.array([(0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)], np.float64)
_REACH = np.array([1.6, 1.6, 1, 1, 1, 1])  # front and back take what is seen from them at up to 58 degrees
_FIRM = 0.5  # how much the neighbours of a triangle count against its own direction
_SMOOTHINGS = 6
_SPECK = 0.002  # of the surface: a smaller piece goes to its neighbours
_ROUNDS = 4
_GRID = 320  # pixels of the longest side when a chart is searched for what lies behind it
_PIXELS = _GRID**2
_BEHIND = 0.003  # of the longest side


@dataclass(frozen=True)
class Charts:
    """The charts of a surface.

    of: int64 (T,), each triangle's chart, from 0. sides: int64 (C,), the side that each chart is seen from, `FRONT` the
    picture's. flat: float64 (T, 3, 2), the corners on their chart's plane: x right, y up, in the unit of the surface.
    """

    of: Int64Array
    sides: Int64Array
    flat: Float64Array


@dataclass(frozen=True)
class _Grid:
    """What lies at the pixels of a grid over all charts' planes, one over the other.

    pixel, face: int64 (P,). height: float64 (P,), towards the side that the face is seen from. extent: the grid's, in
    the surface's unit.
    """

    pixel: Int64Array
    face: Int64Array
    height: Float64Array
    extent: float


def cut(points: Float64Array, triangles: Int32Array, poll: Poll, faces: Int32Array | None = None) -> Charts:
    """Cut a surface into charts.

    points: float64 (V, 3), x right, y up, z to the viewer. triangles: int32 (T, 3), at least one, wound outward. faces:
    int32 (T,), the face that each triangle is part of, which stays whole; without it each is its own.
    """
    of_face = np.arange(len(triangles)) if faces is None else np.unique(faces, return_inverse=True)[1].reshape(-1)
    corners = points[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across = np.stack([np.bincount(of_face, across[:, axis]) for axis in range(3)], axis=1)
    area = np.linalg.norm(across, axis=1)
    normals = across / np.maximum(area, 1e-300)[:, None]
    pairs = of_face[neighbours(triangles)]
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    sides = _sides(normals, pairs)
    for _ in range(_ROUNDS):
        poll()
        sides, specks = _without_specks(sides, normals, area, pairs)
        if not specks:
            break
    right, up, towards = (np.einsum("tci,ti->tc", corners, axes[sides[of_face]]) for axes in (_RIGHT, _UP, _NORMALS))
    flat = np.stack([right, up], axis=2)
    grid = _grid(flat, towards, of_face, poll)
    layers = np.zeros(len(sides), np.int64)
    pieces = _pieces(sides, layers, pairs)
    for _ in range(_ROUNDS):
        poll()
        behind = _behind(grid, pieces, pairs)
        if not behind.any():
            break
        layers[behind] += 1
        pieces = _pieces(sides, layers, pairs)
    for _ in range(_ROUNDS):
        poll()
        layers = _joined(layers, sides, area, pieces, pairs, grid)
        pieces = _pieces(sides, layers, pairs)
    _, first, of = np.unique(pieces, return_index=True, return_inverse=True)
    return Charts(of.reshape(-1).astype(np.int64)[of_face], sides[first], flat)


def neighbours(triangles: Int32Array) -> Int64Array:
    """The pairs of triangles that share an edge, int64 (E, 2)."""
    ends = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64), axis=1)
    key = ends[:, 0] * (int(triangles.max()) + 1) + ends[:, 1]
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    return np.stack([order[same], order[same + 1]], axis=1) // 3


def _sides(normals: Float64Array, pairs: Int64Array) -> Int64Array:
    """The side that each face is seen from, with smooth borders."""
    own = normals @ _NORMALS.T
    score = own * _REACH
    sides = np.argmax(score, axis=1)
    for _ in range(_SMOOTHINGS):
        votes = _FIRM * _counted(np.concatenate([pairs, pairs[:, ::-1]]), sides)
        votes[own <= 0.1] = -1.0  # never onto a side from which it is not seen
        sides = np.argmax(score + votes, axis=1)
    return sides


def _counted(pairs: Int64Array, sides: Int64Array) -> Float64Array:
    """How many pairs lead from each face to each side, float64 (F, 6)."""
    counts = np.bincount(pairs[:, 0] * len(_NORMALS) + sides[pairs[:, 1]], minlength=len(sides) * len(_NORMALS))
    return counts.reshape(-1, len(_NORMALS)).astype(np.float64)


def _pieces(sides: Int64Array, layers: Int64Array, pairs: Int64Array) -> Int64Array:
    """The connected piece of one side and layer that each face belongs to."""
    joined = pairs[(sides[pairs[:, 0]] == sides[pairs[:, 1]]) & (layers[pairs[:, 0]] == layers[pairs[:, 1]])]
    return vertex_components(joined[:, [0, 1, 1]].astype(np.int32), len(sides)).astype(np.int64)


def _without_specks(
    sides: Int64Array, normals: Float64Array, area: Float64Array, pairs: Int64Array
) -> tuple[Int64Array, int]:
    """Give small pieces, but for what is turned away from there, to the side with which they have the most edges."""
    pieces = _pieces(sides, np.zeros_like(sides), pairs)
    sizes = np.bincount(pieces, area, len(sides))
    small = sizes[pieces] < _SPECK * area.sum()
    both = np.concatenate([pairs, pairs[:, ::-1]])
    border = both[small[both[:, 0]] & (sides[both[:, 0]] != sides[both[:, 1]])]
    if not len(border):
        return sides, 0
    votes = _counted(np.stack([pieces[border[:, 0]], border[:, 1]], axis=1), sides)
    facing = np.stack([np.bincount(pieces, area * normals[:, axis], len(sides)) for axis in range(3)], axis=1)
    votes[facing @ _NORMALS.T <= 0.0] = 0
    to = np.argmax(votes[pieces], axis=1)
    moved = small & (votes[pieces].max(axis=1) > 0) & ((normals * _NORMALS[to]).sum(axis=1) > 0)
    return np.where(moved, to, sides), int(moved.sum())


def _joined(
    layers: Int64Array, sides: Int64Array, area: Float64Array, pieces: Int64Array, pairs: Int64Array, grid: _Grid
) -> Int64Array:
    """Give small pieces of one side the layer of their largest neighbour there, if it has nothing in their places."""
    sizes = np.bincount(pieces, area, len(sides))
    both = np.concatenate([pairs, pairs[:, ::-1]])
    one, other = pieces[both].T
    beside = (sizes[one] < _SPECK * area.sum()) & (one != other) & (sides[both[:, 0]] == sides[both[:, 1]])
    beside &= sizes[other] > sizes[one]
    one, other, layer = one[beside], other[beside], layers[both[beside, 1]]
    order = np.lexsort((sizes[other], one))
    to, taken = np.full((2, len(sides)), -1)
    to[one[order]], taken[one[order]] = other[order], layer[order]  # the last one stays: the largest
    shown = np.unique(pieces[grid.face] * _PIXELS + grid.pixel)
    piece, pixel = np.divmod(shown, _PIXELS)
    taken[piece[np.isin(to[piece] * _PIXELS + pixel, shown)]] = -1
    return np.where(taken[pieces] >= 0, taken[pieces], layers)


def _grid(flat: Float64Array, depth: Float64Array, of_face: Int64Array, poll: Poll) -> _Grid:
    """What lies at the grid's pixels. flat: as in `Charts`. depth: float64 (T, 3), the corners', towards the side."""
    low = flat.min(axis=(0, 1))
    extent = float(np.ptp(flat, axis=(0, 1)).max())
    scale = (_GRID - 1) / max(extent, 1e-12)
    screen = np.concatenate([(flat - low) * scale + 0.31, depth[..., None]], axis=2)  # beside the pixels' centres
    pixel, triangle, height, _ = hits(screen, (_GRID, _GRID), poll)
    return _Grid(pixel, of_face[triangle], height, extent)


def _behind(grid: _Grid, pieces: Int64Array, pairs: Int64Array) -> BoolArray:
    """Which faces lie, somewhere, behind another of their piece, bool (F,).

    Of those that are too small to be at a pixel it is said what most of their neighbours do.
    """
    place = pieces[grid.face] * _PIXELS + grid.pixel
    order = np.lexsort((-grid.height, place))
    place, height, face = place[order], grid.height[order], grid.face[order]
    first = np.append(True, place[1:] != place[:-1])
    top = height[np.maximum.accumulate(np.where(first, np.arange(len(place)), 0))]
    behind = np.zeros(len(pieces), np.bool_)
    behind[face[height < top - _BEHIND * grid.extent]] = True
    found = np.zeros(len(pieces), np.bool_)
    found[face] = True
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[~found[both[:, 0]] & (pieces[both[:, 0]] == pieces[both[:, 1]])]
    for _ in range(_ROUNDS):
        votes = np.bincount(both[:, 0], found[both[:, 1]] * np.where(behind[both[:, 1]], 1.0, -1.0), len(pieces))
        taken = ~found & (votes != 0)
        behind[taken] = votes[taken] > 0
        found |= taken
    return behind
