# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a shape: for every pixel the place at which its ray meets the surface, and the normal there.

Rays step by signed distances (Hart, "Sphere tracing", 1996). Tiles of pixels keep only the operations that their rays
can touch, and bundles of rays go as far as they can together.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from .compiled import Table, compiled, fma
from .distances import Vector, dot, length
from .field import LINES, POINTS, SCENE, X, Y, Z, evaluate, gradient
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
def _aim(u: float, v: float, turn: Float64Array, nearness: float, radius: float) -> tuple[Vector, Vector, float, float]:
    """Return a ray's point on the target plane, its unit direction, and where it enters and leaves the sphere."""
    right, up = turn[0], turn[1]
    ox, oy, oz = fma(u, right[0], v * up[0]), fma(u, right[1], v * up[1]), fma(u, right[2], v * up[2])
    dx, dy, dz = nearness * ox - turn[2, 0], nearness * oy - turn[2, 1], nearness * oz - turn[2, 2]
    norm = length(dx, dy, dz)
    place, way = (ox, oy, oz), (dx / norm, dy / norm, dz / norm)
    along = dot(place, way)
    chord = radius * radius - (dot(place, place) - along * along)
    reach = np.sqrt(np.maximum(chord, 0.0))
    return place, way, -along - reach, -along + reach if chord > 0.0 else -1e3


@compiled
def _rows_near(rows: Table, place: Vector, way: Vector, width: float, spread: float, kept: Table) -> int:
    """Copy into `kept` the rows whose spheres a cone of rays may touch, and return how many; no relief is left alone.

    The cone starts at a place with the radius `width`, goes along a unit direction and widens by `spread` a unit.
    """
    count, start, group, solids = 0, 0, -1, 0
    for i in range(len(rows)):
        row = rows[i]
        if row.group != group:
            count = start if solids == 0 else count
            start, group, solids = count, row.group, 0
        px, py, pz = row.centre[0] - place[0], row.centre[1] - place[1], row.centre[2] - place[2]
        along = dot((px, py, pz), way)
        off = length(px - along * way[0], py - along * way[1], pz - along * way[2])
        if off <= row.radius + width + spread * max(along, 0.0):
            kept[count] = row
            count += 1
            solids += row.join == ADD and row.solid != Solid.RELIEF
    return start if solids == 0 else count


@compiled
def _aim_tile(
    rays: Float64Array, left: int, top: int, step: int, across: int, radius: float, camera: Camera, size: int
) -> None:
    """Write the rays through the middles of across x across squares of `step` pixels."""
    (cx, cy), turn, nearness, pixel = camera.centre, camera.turn, camera.nearness, 2.0 * camera.half / size
    for k in range(across * across):
        u = cx + (left + (k % across + 0.5) * step - 0.5 * size) * pixel
        v = cy - (top + (k // across + 0.5) * step - 0.5 * size) * pixel
        place, way, rays[_DEPTH, k], rays[_END, k] = _aim(u, v, turn, nearness, radius)
        rays[_OX, k], rays[_OY, k], rays[_OZ, k] = place
        rays[_DX, k], rays[_DY, k], rays[_DZ, k] = way


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
def _advance_bundles(
    w: Float64Array, rays: Float64Array, wide: float, shape: Shape, nearness: float, pixel: float
) -> None:
    """Move bundles of rays, `wide` about their middle ones at the target, to where they may touch the shape."""
    who = np.nonzero(rays[_DEPTH] <= rays[_END])[0]
    for _ in range(24):
        _place(w, rays, who)
        evaluate(w, len(who), shape, 0, pixel)
        going = 0
        for k in range(len(who)):
            ray = who[k]
            gap = w[SCENE, k] - shape.bumps - wide * (1.0 + nearness * max(rays[_DEPTH, ray], 0.0))
            if gap >= pixel:
                rays[_DEPTH, ray] += 0.9 * gap
                if rays[_DEPTH, ray] <= rays[_END, ray]:
                    who[going] = ray
                    going += 1
        who = who[:going]
        if going == 0:
            break


@compiled
def _cross(w: Float64Array, rays: Float64Array, who: Int64Array, shape: Shape, pixel: float) -> None:
    """Put rays where they pass the surface between a depth outside (before) and one inside (depth), by halving."""
    depth, outside, inside = rays[_DEPTH], rays[_BEFORE], rays[_END]
    for ray in who:
        inside[ray] = depth[ray]
    for halving in range(9):
        for ray in who:
            depth[ray] = 0.5 * (inside[ray] + outside[ray])
        if halving < 8:
            _place(w, rays, who)
            evaluate(w, len(who), shape, 1, pixel)
            for k in range(len(who)):
                if w[SCENE, k] > 0.0:
                    outside[who[k]] = depth[who[k]]
                else:
                    inside[who[k]] = depth[who[k]]


@compiled
def _step(rays: Float64Array, ray: int, d: float, fine: int, pixel: float, bumps: float, caution: float) -> None:
    """Move a ray by what its distance, without reliefs or (fine) with them, allows, and note its state."""
    if fine == 0:
        d -= bumps
        if bumps > 0.0 and d < pixel:
            rays[_STATE, ray] = _CLOSE
            return
    else:
        rays[_STATE, ray] = _CLOSE if d < 2.0 * bumps else _FREE
        d *= caution
    if d < 0.08 * pixel:
        rays[_STATE, ray] = _ARRIVED if d >= -0.08 * pixel else _INSIDE
        return
    rays[_BEFORE, ray] = rays[_DEPTH, ray]
    rays[_DEPTH, ray] += 0.95 * d
    if rays[_DEPTH, ray] > rays[_END, ray]:
        rays[_STATE, ray] = _PAST


@compiled
def _march(w: Float64Array, rays: Float64Array, shape: Shape, pixel: float) -> Int64Array:
    """Move rays to the surface, and return which arrive."""
    state = rays[_STATE]
    state[:] = np.where(rays[_DEPTH] <= rays[_END], _FREE, _PAST)
    for _ in range(80):
        going = 0
        for fine in range(2):
            who = np.nonzero(state == (_CLOSE if fine else _FREE))[0]
            if len(who) > 0:
                _place(w, rays, who)
                evaluate(w, len(who), shape, fine, pixel)
                for k in range(len(who)):
                    _step(rays, who[k], w[SCENE, k], fine, pixel, shape.bumps, shape.caution)
            going += len(who)
        if going == 0:
            break
    arrived = np.nonzero((state == _ARRIVED) | (state == _INSIDE))[0]
    inside = np.nonzero(state == _INSIDE)[0]
    if len(inside) > 0:  # steep reliefs were stepped into: back to where they begin
        _cross(w, rays, inside, shape, pixel)
    return arrived


@compiled
def _trace(shape: Shape, camera: Camera, size: int, whole: int) -> Float64Array:
    """Return depth and, if whole, place, normal and part of each pixel, float64 (S, S, 8); a depth of 1e4 is a miss.

    A tile of 16 x 16 rays keeps the rows that it can touch; its bundles are of 4 x 4 rays.
    """
    pixel = 2.0 * camera.half / size
    wide, narrow = 0.71 * _TILE * pixel, 0.71 * _BUNDLE * pixel  # half the diagonals
    bumps, nearness, (cx, cy) = shape.bumps, camera.nearness, camera.centre
    found, kept = np.full((size, size, 8), _MISS), np.empty_like(shape.rows)
    rays, bundles = np.empty((10, _TILE * _TILE)), np.empty((10, 16))
    w, hits = np.empty((LINES, POINTS)), np.empty((7, POINTS))
    for top in range(0, size, _TILE):
        for left in range(0, size, _TILE):
            u, v = cx + (left + 8 - 0.5 * size) * pixel, cy - (top + 8 - 0.5 * size) * pixel
            place, way, _, _ = _aim(u, v, camera.turn, nearness, shape.radius)
            near = _rows_near(shape.rows, place, way, wide + bumps, wide * nearness, kept)
            if near == 0:
                continue
            here = Shape(kept[:near], shape.outlines, shape.lattice, shape.radius, bumps, shape.caution, shape.parts)
            _aim_tile(bundles, left, top, _BUNDLE, 4, here.radius + narrow, camera, size)
            _clip(bundles, here.rows, narrow + bumps, narrow * nearness)
            _advance_bundles(w, bundles, narrow, here, nearness, pixel)
            _aim_tile(rays, left, top, 1, _TILE, here.radius, camera, size)
            _clip(rays, here.rows, bumps, 0.0)
            for k in range(_TILE * _TILE):
                mine, right, down = k // 64 * 4 + k % 16 // 4, left + k % 16, top + k // 16
                rays[_DEPTH, k] = max(rays[_DEPTH, k], bundles[_DEPTH, mine])
                if bundles[_DEPTH, mine] > bundles[_END, mine] or right >= size or down >= size:
                    rays[_END, k] = -1e4
            who = _march(w, rays, here, pixel)
            _place(hits, rays, who)
            if whole and len(who) > 0:
                gradient(w, hits, len(who), here, pixel)
            for k in range(len(who)):
                pixel_found = found[top + who[k] // _TILE, left + who[k] % _TILE]
                pixel_found[0] = rays[_DEPTH, who[k]]
                for line in range(7 * whole):
                    pixel_found[1 + line] = hits[line, k]
    return found
