# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a shape: for every pixel the place at which its ray meets the surface, and the normal there.

Rays step by signed distances (Hart, "Sphere tracing", 1996). Tiles of pixels keep only the operations that their rays
can touch, and bundles of rays go as far as they can together.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from .compiled import Table, compiled
from .distances import dot, length
from .field import LINES, POINTS, SCENE, X, Y, Z, evaluate, gradients
from .solids import ADD, Shape, Solid

_FREE, _CLOSE, _ARRIVED, _INSIDE, _PAST = 0.0, 1.0, 2.0, 3.0, 4.0  # what a ray does: reliefs count if it is close
_MISS = 1e4
_TILE, _BUNDLE = 16, 4  # rays to a side

# The lines of a table of rays: a point on the target plane and a unit direction, the depth reached and the last one,
# the depth before the last step, and what the ray does.
_OX, _OY, _OZ, _DX, _DY, _DZ, _DEPTH, _END, _BEFORE, _STATE = range(10)


class Camera(NamedTuple):
    """A camera, and the square of its target plane that is looked at.

    turn: float64 (3, 3), rows right, up and back in the shape's space. nearness: one over the distance from the eye to
    the target (the shape's origin), 0 for parallel rays. centre, half: the square on the plane through the target.
    """

    turn: Float64Array
    nearness: float
    centre: tuple[float, float]
    half: float


class GBuffer(NamedTuple):
    """What a camera shows of a shape, S x S, row 0 on top; zeros where hit is False.

    hit: bool. depth: float64, along the ray from the target plane on. places: float64 (S, S, 3), in the shape's space.
    normals: float64 (S, S, 3), unit, in the shape's space. parts: int64.
    """

    hit: BoolArray
    depth: Float64Array
    places: Float64Array
    normals: Float64Array
    parts: Int64Array


def look(shape: Shape, camera: Camera, size: int) -> GBuffer:
    """Return what the camera shows of the shape at size x size pixels."""
    found = _trace(shape, camera, size, 1)
    hit = found[..., 0] < _MISS
    found[~hit] = 0
    return GBuffer(hit, found[..., 0], found[..., 1:4], found[..., 4:7], found[..., 7].astype(np.int64))


def glance(shape: Shape, camera: Camera, size: int) -> BoolArray:
    """Return where the camera meets the shape, bool (size, size): enough for framing."""
    return _trace(shape, camera, size, 0)[..., 0] < _MISS


@compiled
def _aim(rays: Float64Array, left: int, top: int, step: int, radius: float, camera: Camera, size: int) -> None:
    """Write the rays through the middles of a tile's squares of `step` pixels, and where they meet a sphere."""
    (cx, cy), nearness, across = camera.centre, camera.nearness, _TILE // step
    right, up, back, pixel = camera.turn[0], camera.turn[1], camera.turn[2], 2.0 * camera.half / size
    for k in range(across * across):
        u = cx + (left + (k % across + 0.5) * step - 0.5 * size) * pixel
        v = cy - (top + (k // across + 0.5) * step - 0.5 * size) * pixel
        ox, oy, oz = u * right[0] + v * up[0], u * right[1] + v * up[1], u * right[2] + v * up[2]
        dx, dy, dz = nearness * ox - back[0], nearness * oy - back[1], nearness * oz - back[2]
        norm = length(dx, dy, dz)
        place, way = (ox, oy, oz), (dx / norm, dy / norm, dz / norm)
        along = dot(place, way)
        chord = radius * radius - (dot(place, place) - along * along)
        reach = np.sqrt(np.maximum(chord, 0.0))
        rays[_OX, k], rays[_OY, k], rays[_OZ, k] = place
        rays[_DX, k], rays[_DY, k], rays[_DZ, k] = way
        rays[_DEPTH, k], rays[_END, k] = -along - reach, -along + reach if chord > 0.0 else -1e3


@compiled
def _rows_near(rows: Table, ray: Float64Array, width: float, spread: float, kept: Table) -> int:
    """Copy into `kept` the rows of solids, and of reliefs on them, that may meet a cone, and return how many."""
    count, start, group, solids = 0, 0, -1, 0
    for i in range(len(rows)):
        row = rows[i]
        if row.group != group:
            count = start if solids == 0 else count
            start, group, solids = count, row.group, 0
        px, py, pz = row.centre[0] - ray[_OX], row.centre[1] - ray[_OY], row.centre[2] - ray[_OZ]
        along = dot((px, py, pz), (ray[_DX], ray[_DY], ray[_DZ]))
        off = length(px - along * ray[_DX], py - along * ray[_DY], pz - along * ray[_DZ])
        if off <= row.radius + width + spread * max(along, 0.0):
            kept[count] = row
            count += 1
            solids += row.join == ADD and row.solid != Solid.RELIEF
    return start if solids == 0 else count


@compiled
def _clip(rays: Float64Array, rows: Table, slack: float, spread: float) -> None:
    """Shorten rays to where they are in the solids' spheres; one that meets none ends before it starts."""
    x, y, z, dx, dy, dz = rays[_OX], rays[_OY], rays[_OZ], rays[_DX], rays[_DY], rays[_DZ]
    n, first, last = len(x), rays[_BEFORE], rays[_STATE]
    first[:], last[:] = 1e3, -1e3
    for i in range(len(rows)):
        if rows[i].join == ADD and rows[i].solid != Solid.RELIEF:
            (u, v, w), radius = rows[i].centre, rows[i].radius + slack
            for k in range(n):
                a, b, c = u - x[k], v - y[k], w - z[k]
                along = a * dx[k] + b * dy[k] + c * dz[k]
                wide = radius + spread * max(along, 0.0)
                chord = wide * wide - (a * a + b * b + c * c - along * along)
                reach = np.sqrt(max(chord, 0.0))
                first[k] = min(first[k], along - reach) if chord > 0.0 else first[k]
                last[k] = max(last[k], along + reach) if chord > 0.0 else last[k]
    rays[_DEPTH], rays[_END] = np.maximum(rays[_DEPTH], first), np.minimum(rays[_END], last)


@compiled
def _place(w: Float64Array, rays: Float64Array, who: Int64Array) -> None:
    """Write the places that some rays have reached as the first points of a table."""
    for k in range(len(who)):
        ray = who[k]
        w[X, k] = rays[_OX, ray] + rays[_DEPTH, ray] * rays[_DX, ray]
        w[Y, k] = rays[_OY, ray] + rays[_DEPTH, ray] * rays[_DY, ray]
        w[Z, k] = rays[_OZ, ray] + rays[_DEPTH, ray] * rays[_DZ, ray]


@compiled
def _advance(w: Float64Array, rays: Float64Array, wide: float, shape: Shape, nearness: float, pixel: float) -> None:
    """Move bundles of rays, `wide` about their middle ones at the target, to where they may touch the shape."""
    depth, who = rays[_DEPTH], np.nonzero(rays[_DEPTH] <= rays[_END])[0]
    for _ in range(24):
        _place(w, rays, who)
        evaluate(w, len(who), shape, 0, pixel)
        going = 0
        for k in range(len(who)):
            ray = who[k]
            gap = w[SCENE, k] - shape.bumps - wide * (1.0 + nearness * max(depth[ray], 0.0))
            depth[ray] += 0.9 * gap if gap >= pixel else 0.0
            if gap >= pixel and depth[ray] <= rays[_END, ray]:
                who[going] = ray
                going += 1
        who = who[:going]
        if going == 0:
            break


@compiled
def _cross(w: Float64Array, rays: Float64Array, who: Int64Array, shape: Shape, pixel: float) -> None:
    """Put rays where they pass the surface between a depth outside (before) and one inside (depth), by halving."""
    depth, outside, inside = rays[_DEPTH], rays[_BEFORE], rays[_END]
    inside[who] = depth[who]
    for _ in range(8 if len(who) > 0 else 0):
        depth[who] = 0.5 * (inside[who] + outside[who])
        _place(w, rays, who)
        evaluate(w, len(who), shape, 1, pixel)
        for k in range(len(who)):
            side = outside if w[SCENE, k] > 0.0 else inside
            side[who[k]] = depth[who[k]]
    depth[who] = 0.5 * (inside[who] + outside[who])


@compiled
def _march(w: Float64Array, rays: Float64Array, shape: Shape, pixel: float) -> Int64Array:
    """Move rays by the distance, without reliefs or (fine) with them, to the surface; return which arrive."""
    depth, state, bumps = rays[_DEPTH], rays[_STATE], shape.bumps
    state[:] = np.where(depth <= rays[_END], _FREE, _PAST)
    for _ in range(80):
        for fine in range(2):
            who = np.nonzero(state == (_CLOSE if fine else _FREE))[0]
            if len(who) > 0:
                _place(w, rays, who)
                evaluate(w, len(who), shape, fine, pixel)
            for k in range(len(who)):
                ray, d = who[k], w[SCENE, k] * shape.caution if fine else w[SCENE, k] - bumps
                if fine == 0 and bumps > 0.0 and d < pixel:
                    state[ray] = _CLOSE
                elif d < 0.08 * pixel:
                    state[ray] = _ARRIVED if d >= -0.08 * pixel else _INSIDE
                else:
                    rays[_BEFORE, ray] = depth[ray]
                    depth[ray] += 0.95 * d
                    state[ray] = _CLOSE if fine and w[SCENE, k] < 2.0 * bumps else _FREE
                    state[ray] = _PAST if depth[ray] > rays[_END, ray] else state[ray]
        if not np.any(state < _ARRIVED):
            break
    arrived = np.nonzero((state == _ARRIVED) | (state == _INSIDE))[0]
    # Steep reliefs were stepped into: back to where they begin.
    _cross(w, rays, np.nonzero(state == _INSIDE)[0], shape, pixel)
    return arrived


@compiled
def _trace(shape: Shape, camera: Camera, size: int, whole: int) -> Float64Array:
    """Return depth (1e4 is a miss) and, if whole, place, normal and part of each pixel, float64 (S, S, 8)."""
    pixel = 2.0 * camera.half / size
    wide, narrow = 0.71 * _TILE * pixel, 0.71 * _BUNDLE * pixel  # half the diagonals
    bumps, nearness, radius = shape.bumps, camera.nearness, shape.radius
    found, kept = np.full((size, size, 8), _MISS), np.empty_like(shape.rows)
    rays, bundles, w = np.empty((10, _TILE * _TILE)), np.empty((10, 16)), np.empty((LINES, POINTS))
    for top in range(0, size, _TILE):
        for left in range(0, size, _TILE):
            _aim(bundles, left, top, _TILE, radius, camera, size)
            near = _rows_near(shape.rows, bundles[:, 0], wide + bumps, wide * nearness, kept)
            if near == 0:
                continue
            here = Shape(kept[:near], shape.outlines, shape.lattice, radius, bumps, shape.caution, shape.parts)
            _aim(bundles, left, top, _BUNDLE, radius + narrow, camera, size)
            _clip(bundles, here.rows, narrow + bumps, narrow * nearness)
            _advance(w, bundles, narrow, here, nearness, pixel)
            _aim(rays, left, top, 1, radius, camera, size)
            _clip(rays, here.rows, bumps, 0.0)
            for k in range(_TILE * _TILE):
                mine, right, down = k // 64 * 4 + k % 16 // 4, left + k % 16, top + k // 16
                rays[_DEPTH, k] = max(rays[_DEPTH, k], bundles[_DEPTH, mine])
                if bundles[_DEPTH, mine] > bundles[_END, mine] or right >= size or down >= size:
                    rays[_END, k] = -1e4
            who = _march(w, rays, here, pixel)
            _place(w, rays, who)
            hits = gradients(w[:3, : len(who)].copy(), here, pixel) if whole else np.empty((7, 0))
            for k in range(len(who)):
                seen = found[top + who[k] // _TILE, left + who[k] % _TILE]
                seen[0] = rays[_DEPTH, who[k]]
                for line in range(len(hits) * whole):
                    seen[1 + line] = hits[line, k]
    return found
