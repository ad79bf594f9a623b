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

from ..arrays import BoolArray, Float64Array, Int8Array, Int32Array, Int64Array
from ..mesh.check import components
from ..mesh.rows import first_of
from ..raster.ticks import Poll
from ..raster.triangles import hits
from ..raster.vectors import dot, length

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

    of: int64 (T,), each triangle's chart, from 0. sides: int8 (C,), the side that each chart is seen from, `FRONT` the
    picture's. flat: float64 (T, 3, 2), the corners on their chart's plane: x right, y up, in the unit of the surface.
    outline: int64 (B,), the edges around the charts, as numbers of the corners, 3 T of them, at which they begin.
    """

    of: Int64Array
    sides: Int8Array
    flat: Float64Array
    outline: Int64Array


@dataclass(frozen=True)
class _Grid:
    """What lies at the pixels of a grid over all charts' planes, one over the other, the highest first.

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
    corners = points.take(triangles, axis=0)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across = np.stack([np.bincount(of_face, across[:, axis]) for axis in range(3)], axis=1).astype(np.float64)
    area = length(across)
    normals = across / np.maximum(area, 1e-300)[:, None]
    poll()
    shared = _shared(triangles)
    pairs = of_face[shared // 3]
    pairs = pairs.compress(pairs[0] != pairs[1], axis=1)
    sides = _sides(normals, pairs)
    for _ in range(_ROUNDS):
        poll()
        sides, specks = _without_specks(sides, normals, area, pairs)
        if not specks:
            break
    right, up, towards = (np.einsum("tci,ti->tc", corners, axes[sides[of_face]]) for axes in (_RIGHT, _UP, _NORMALS))
    flat = np.stack([right, up], axis=2)
    grid = _grid(flat, towards, of_face, poll)
    layers = np.zeros(len(sides), np.int8)
    pieces = _pieces(sides, layers, pairs)
    for _ in range(_ROUNDS):
        poll()
        behind = _behind(grid, pieces, pairs)
        if not behind.any():
            break
        layers[behind] += 1
        pieces = _pieces(sides, layers, pairs)
    poll()
    of, first = _joined(pieces, layers, sides, area, pairs, grid)
    of = of[of_face]
    return Charts(of, sides[first], flat, _outline(triangles, shared, of, flat))


def neighbours(triangles: Int32Array) -> Int64Array:
    """The pairs of triangles that share an edge, int64 (E, 2)."""
    return _shared(triangles).T // 3


def _shared(triangles: Int32Array) -> Int64Array:
    """The edges that triangles share, int64 (2, E): the corners, of 3 T, at which each of the two has it begin."""
    start, end = triangles.reshape(-1), triangles[:, [1, 2, 0]].reshape(-1)
    key = np.minimum(start, end).astype(np.int64)
    key *= int(triangles.max()) + 1
    key += np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    key = key[order]
    same = np.flatnonzero(key[1:] == key[:-1])
    return np.stack([order[same], order[same + 1]])


def _outline(triangles: Int32Array, shared: Int64Array, of: Int64Array, flat: Float64Array) -> Int64Array:
    """The edges around charts, see `Charts`: those that no other triangle of the chart has the other way round.

    All edges of triangles that are turned over or have no area are among them, so that what is around a chart is
    closed, and goes around each of its places as often as triangles lie there.
    """
    one, other = shared // 3
    upright = signed_areas(flat) > 0
    inner = (of[one] == of[other]) & upright[one] & upright[other]
    inner &= triangles.reshape(-1)[shared[0]] != triangles.reshape(-1)[shared[1]]
    several = shared[1, :-1] == shared[0, 1:]  # at an edge of three triangles and more none is left out
    inner[1:] &= ~several
    inner[:-1] &= ~several
    around = np.ones(triangles.size, np.bool_)
    around[shared[:, inner]] = False
    return np.flatnonzero(around)


def signed_areas(flat: Float64Array) -> Float64Array:
    """The areas of triangles in a plane, (T, 3, 2), as float64 (T,), below 0 if they are turned over."""
    a, b, c = np.moveaxis(flat, 1, 0)
    return ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


def _sides(normals: Float64Array, pairs: Int64Array) -> Int8Array:
    """The side that each face is seen from, with smooth borders."""
    sides = np.argmax(normals @ (_NORMALS * _REACH[:, None]).T, axis=1).astype(np.int8)
    for _ in range(_SMOOTHINGS):
        asked = np.zeros(len(sides), np.bool_)  # the others agree with all of their neighbours
        asked[_border(sides, pairs)] = True
        near = pairs.compress(asked[pairs[0]] | asked[pairs[1]], axis=1)
        near = np.concatenate([near, near[::-1]], axis=1)
        near = near.compress(asked[near[0]], axis=1)
        own = normals[asked] @ _NORMALS.T
        votes = _FIRM * _counted((np.cumsum(asked) - 1)[near[0]], sides[near[1]], len(own))
        votes[own <= 0.1] = -1.0  # never onto a side from which it is not seen
        sides[asked] = np.argmax(own * _REACH + votes, axis=1)
    return sides


def _border(sides: Int8Array, pairs: Int64Array) -> Int64Array:
    """The pairs of faces, int64 (2, B), that belong to two sides."""
    return pairs.compress(sides[pairs[0]] != sides[pairs[1]], axis=1)


def _counted(of: Int64Array, sides: Int8Array, count: int) -> Float64Array:
    """How often each number below `count` goes with each side, float64 (count, 6). of: int64 (N,). sides: int8 (N,)."""
    counts = np.bincount(of * len(_NORMALS) + sides, minlength=count * len(_NORMALS))
    return counts.reshape(-1, len(_NORMALS)).astype(np.float64)


def _pieces(sides: Int8Array, layers: Int8Array, pairs: Int64Array) -> Int64Array:
    """The connected piece of one side and layer of each face, from 0, in the order of their first faces."""
    kinds = sides + len(_NORMALS) * layers
    one, other = pairs.compress(kinds[pairs[0]] == kinds[pairs[1]], axis=1)
    return components(len(sides), one, other)


def _without_specks(
    sides: Int8Array, normals: Float64Array, area: Float64Array, pairs: Int64Array
) -> tuple[Int8Array, int]:
    """Give small pieces, but for what is turned away from there, to the side with which they have the most edges."""
    pieces = _pieces(sides, np.zeros_like(sides), pairs)
    sizes = np.bincount(pieces, area)
    small = np.flatnonzero((sizes < _SPECK * area.sum())[pieces])
    border = _border(sides, pairs)
    votes = _counted(pieces[border].reshape(-1), sides[border[::-1]].reshape(-1), len(sizes))
    of = pieces[small]
    facing = [np.bincount(of, area[small] * normals[small, axis], len(sizes)) for axis in range(3)]
    votes[np.stack(facing, axis=1) @ _NORMALS.T <= 0.0] = 0
    to = np.argmax(votes, axis=1).astype(np.int8)
    moved = (votes.max(axis=1) > 0)[of] & (dot(normals[small], _NORMALS[to[of]]) > 0)
    sides = sides.copy()
    sides[small[moved]] = to[of[moved]]
    return sides, int(moved.sum())


def _joined(
    pieces: Int64Array, layers: Int8Array, sides: Int8Array, area: Float64Array, pairs: Int64Array, grid: _Grid
) -> tuple[Int64Array, Int64Array]:
    """Give small pieces of one side the layer of their largest neighbour there, if it has nothing in their places.

    Returns the pieces that come out as `_pieces` does, and the first face of each.
    """
    sizes = np.bincount(pieces, area)
    first = first_of(pieces)
    layers = layers[first]
    beside = pieces[
        pairs.compress((sides[pairs[0]] == sides[pairs[1]]) & (pieces[pairs[0]] != pieces[pairs[1]]), axis=1)
    ]
    piece, pixel = pieces[grid.face], grid.pixel
    for _ in range(_ROUNDS):
        one, other = np.concatenate([beside, beside[::-1]], axis=1)
        small = (sizes[one] < _SPECK * area.sum()) & (sizes[other] > sizes[one])
        one, other = one[small], other[small]
        order = np.argsort(sizes[other], kind="stable")
        to = np.full(len(sizes), -1)
        to[one[order]] = other[order]  # the last one stays: the largest
        shown = np.unique(piece * _PIXELS + pixel)
        piece, pixel = np.divmod(shown, _PIXELS)
        to[piece[np.isin(to[piece] * _PIXELS + pixel, shown)]] = -1
        if (to < 0).all():
            break
        layers = np.where(to < 0, layers, layers[to])
        number = components(len(sizes), *beside.compress(layers[beside[0]] == layers[beside[1]], axis=1))
        one_of = first_of(number)
        first, layers = first[one_of], layers[one_of]
        sizes, pieces, piece, beside = np.bincount(number, sizes), number[pieces], number[piece], number[beside]
        beside = beside.compress(beside[0] != beside[1], axis=1)
    return pieces, first


def _grid(flat: Float64Array, depth: Float64Array, of_face: Int64Array, poll: Poll) -> _Grid:
    """What lies at the grid's pixels. flat: as in `Charts`. depth: float64 (T, 3), the corners', towards the side."""
    low, high = (np.array([edge(flat[..., axis]) for axis in (0, 1)]) for edge in (np.min, np.max))
    extent = float((high - low).max())
    scale = (_GRID - 1) / max(extent, 1e-12)
    screen = np.concatenate([(flat - low) * scale + 0.31, depth[..., None]], axis=2)  # beside the pixels' centres
    pixel, triangle, height, _ = hits(screen, (_GRID, _GRID), poll)
    order = np.argsort(-height)
    return _Grid(pixel[order], of_face[triangle[order]], height[order], extent)


def _behind(grid: _Grid, pieces: Int64Array, pairs: Int64Array) -> BoolArray:
    """Which faces lie, somewhere, behind another of their piece, bool (F,).

    Of those that are too small to be at a pixel it is said what most of their neighbours do.
    """
    place = pieces[grid.face] * _PIXELS + grid.pixel
    order = np.argsort(place, kind="stable")
    place, height, face = place[order], grid.height[order], grid.face[order]
    first = np.append(True, place[1:] != place[:-1])
    top = height[np.maximum.accumulate(np.where(first, np.arange(len(place)), 0))]
    hidden = face[height < top - _BEHIND * grid.extent]
    found = np.zeros(len(pieces), np.int8)  # -1: not behind another
    found[face] = -1
    found[hidden] = 1
    touched = np.zeros(int(pieces.max()) + 1, np.bool_)
    touched[pieces[hidden]] = True
    one, other = pairs.compress((found[pairs[0]] == 0) | (found[pairs[1]] == 0), axis=1)
    inside = (pieces[one] == pieces[other]) & touched[pieces[one]]
    one, other = one[inside], other[inside]
    for _ in range(_ROUNDS):
        votes = np.bincount(one, found[other], len(pieces)) + np.bincount(other, found[one], len(pieces))
        found = np.where(found == 0, np.sign(votes), found).astype(np.int8)
    return found > 0
