# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at a shape: for every pixel where its ray meets the surface, and the normal there.

Rays step by signed distances (Hart, "Sphere tracing", 1996). Tiles of pixels keep only the operations that their rays
can touch. Without numba the same steps are taken by all rays together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compiled import Array, Reals, compiled, either, select
from .packets import LANES, LINES, distances, find
from .relief import noise_lattice
from .solids import Shape, rows_near

Indices = NDArray[np.int64]

_STEPS = 80
_FREE, _CLOSE, _ARRIVED, _INSIDE, _PAST = 0.0, 1.0, 2.0, 3.0, 4.0  # what a ray does: close is where reliefs count
_FAR = 1e4
LATTICE = noise_lattice()
"""What all noise is read from."""


@dataclass(frozen=True)
class View:
    """A camera, and the square of its target plane that is looked at.

    turn: float64 (3, 3), rows right, up and back in the shape's space. nearness: one over the distance from the eye to
    the target (the shape's origin), 0 for parallel rays. centre, half: the square on the plane through the target.
    """

    turn: Array
    nearness: float
    centre: tuple[float, float]
    half: float


@dataclass(frozen=True)
class Surface:
    """What a view shows of a shape, S x S, row 0 on top; zeros where hit is False.

    hit: bool. depth: float64, along the ray from the target plane on. places: float64 (S, S, 3), in the shape's space.
    normals: float64 (S, S, 3), unit, in the shape's space. parts: int64.
    """

    hit: NDArray[np.bool_]
    depth: Array
    places: Array
    normals: Array
    parts: NDArray[np.int64]


def look(shape: Shape, view: View, size: int) -> Surface:
    """Return what the view shows of the shape at size x size pixels."""
    found = either(_march, _march_arrays)(*_arguments(shape, view, size), 1)
    hit = found[..., 0] < _FAR
    found[~hit] = 0
    return Surface(hit, found[..., 0], found[..., 1:4], found[..., 4:7], found[..., 7].astype(np.int64))


def glance(shape: Shape, view: View, size: int) -> NDArray[np.bool_]:
    """Return where the view meets the shape, bool (size, size): enough for framing."""
    return either(_march, _march_arrays)(*_arguments(shape, view, size), 0)[..., 0] < _FAR


def _arguments(shape: Shape, view: View, size: int) -> tuple[Array, Array, Array, Array, Array]:
    frame = np.array([view.nearness, *view.centre, view.half, shape.radius, shape.bumps, shape.caution, size])
    return shape.rows, shape.outlines, view.turn, frame, LATTICE


@compiled
def _aim(
    u: Reals, v: Reals, turn: Array, nearness: Reals, radius: Reals
) -> tuple[Reals, Reals, Reals, Reals, Reals, Reals, Reals, Reals]:
    """Return a ray's point on the target plane, its unit direction, and where it enters and leaves the sphere."""
    ox, oy, oz = u * turn[0, 0] + v * turn[1, 0], u * turn[0, 1] + v * turn[1, 1], u * turn[0, 2] + v * turn[1, 2]
    dx, dy, dz = nearness * ox - turn[2, 0], nearness * oy - turn[2, 1], nearness * oz - turn[2, 2]
    norm = np.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / norm, dy / norm, dz / norm
    along = ox * dx + oy * dy + oz * dz
    chord = radius * radius - (ox * ox + oy * oy + oz * oz - along * along)
    reach = np.sqrt(np.maximum(chord, 0.0))
    return ox, oy, oz, dx, dy, dz, -along - reach, select(chord > 0.0, -along + reach, -1e3)


def gradient(
    x: Array, y: Array, z: Array, rows: Array, outlines: Array, pixel: float, lattice: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the unit gradient of the distance at points (K), by central differences across a pixel, and the parts."""
    h = 0.5 * pixel
    right, _ = distances(x + h, y, z, rows, outlines, 1, pixel, lattice)
    left, _ = distances(x - h, y, z, rows, outlines, 1, pixel, lattice)
    above, _ = distances(x, y + h, z, rows, outlines, 1, pixel, lattice)
    below, _ = distances(x, y - h, z, rows, outlines, 1, pixel, lattice)
    before, _ = distances(x, y, z + h, rows, outlines, 1, pixel, lattice)
    behind, part = distances(x, y, z - h, rows, outlines, 1, pixel, lattice)
    gx, gy, gz = right - left, above - below, before - behind
    norm = np.maximum(np.sqrt(gx * gx + gy * gy + gz * gz), 1e-12)
    return gx / norm, gy / norm, gz / norm, part


@compiled
def _aim_tile(rays: Array, left: int, top: int, step: int, across: int, widen: float, turn: Array, frame: Array) -> int:
    """Write the rays through the middles of across x across squares of `step` pixels, and return how many."""
    nearness, cx, cy, half, radius, _, _, size = frame
    pixel = 2.0 * half / size
    for k in range(across * across):
        u = cx + (left + (k % across + 0.5) * step - 0.5 * size) * pixel
        v = cy - (top + (k // across + 0.5) * step - 0.5 * size) * pixel
        ray = _aim(u, v, turn, nearness, radius + widen)
        rays[0, k], rays[1, k], rays[2, k], rays[3, k], rays[4, k], rays[5, k], rays[6, k], rays[7, k] = ray
    return across * across


@compiled
def _clip(rays: Array, n: int, rows: Array, slack: float, spread: float) -> None:
    """Shorten rays to where they are in the solids' spheres; one that meets none ends before it starts."""
    x, y, z, dx, dy, dz, first, last = rays[0], rays[1], rays[2], rays[3], rays[4], rays[5], rays[8], rays[9]
    for k in range(n):
        first[k], last[k] = 1e3, -1e3
    for i in range(rows.shape[0]):
        if rows[i, 1] == 0 and rows[i, 0] != 8:
            u, v, w, radius = rows[i, 13], rows[i, 14], rows[i, 15], rows[i, 16] + slack
            for k in range(n):
                a, b, c = u - x[k], v - y[k], w - z[k]
                along = a * dx[k] + b * dy[k] + c * dz[k]
                wide = radius + spread * max(along, 0.0)
                chord = wide * wide - (a * a + b * b + c * c - along * along)
                reach = np.sqrt(max(chord, 0.0))
                first[k] = min(first[k], along - reach) if chord > 0.0 else first[k]
                last[k] = max(last[k], along + reach) if chord > 0.0 else last[k]
    for k in range(n):
        rays[6, k], rays[7, k] = max(rays[6, k], first[k]), min(rays[7, k], last[k])


@compiled
def _place(w: Array, k: int, rays: Array, ray: int, t: float) -> None:
    """Write into column k of a table where a ray is at t."""
    w[0, k] = rays[0, ray] + t * rays[3, ray]
    w[1, k] = rays[1, ray] + t * rays[4, ray]
    w[2, k] = rays[2, ray] + t * rays[5, ray]


@compiled
def _cone_starts(
    w: Array, rays: Array, who: Indices, n: int, wide: float, frame: Array, rows: Array, outlines: Array, lattice: Array
) -> None:
    """Move the starts of bundles of rays, `wide` about their middle ones at the target, to where they may touch."""
    nearness, _, _, half, _, bumps, _, size = frame
    pixel = 2.0 * half / size
    count = 0
    for k in range(n):
        if rays[6, k] <= rays[7, k]:
            who[count] = k
            count += 1
    for _ in range(24):
        for k in range(count):
            _place(w, k, rays, who[k], rays[6, who[k]])
        find(w, count, rows, outlines, 0, pixel, lattice)
        going = 0
        for k in range(count):
            ray = who[k]
            gap = w[3, k] - bumps - wide * (1.0 + nearness * max(rays[6, ray], 0.0))
            if gap >= pixel:
                rays[6, ray] += 0.9 * gap
                if rays[6, ray] <= rays[7, ray]:
                    who[going] = ray
                    going += 1
        count = going
        if count == 0:
            break


@compiled
def _cross(
    w: Array, rays: Array, who: Indices, n: int, rows: Array, outlines: Array, pixel: float, lattice: Array
) -> None:
    """Put rays where they pass the surface between a depth outside (line 8) and one inside (6), by halving."""
    for _ in range(8):
        for k in range(n):
            _place(w, k, rays, who[k], 0.5 * (rays[6, who[k]] + rays[8, who[k]]))
        find(w, n, rows, outlines, 1, pixel, lattice)
        for k in range(n):
            ray = who[k]
            rays[8 if w[3, k] > 0.0 else 6, ray] = 0.5 * (rays[6, ray] + rays[8, ray])
    for k in range(n):
        rays[6, who[k]] = 0.5 * (rays[6, who[k]] + rays[8, who[k]])


@compiled
def _listed(state: Array, n: int, which: float, who: Indices) -> int:
    """List the rays in a state, and return how many they are."""
    count = 0
    for k in range(n):
        if state[k] == which:
            who[count] = k
            count += 1
    return count


@compiled
def _step(rays: Array, ray: int, d: float, state: Array, fine: int, pixel: float, bumps: float, caution: float) -> None:
    """Move a ray by what its distance, without reliefs or (fine) with them, allows, and note its state."""
    if fine == 0:
        d -= bumps
        if bumps > 0.0 and d < pixel:
            state[ray] = _CLOSE
            return
    else:
        state[ray] = _CLOSE if d < 2.0 * bumps else _FREE
        d *= caution
    if d < 0.08 * pixel:
        state[ray] = _ARRIVED if d >= -0.08 * pixel else _INSIDE
        return
    rays[8, ray] = rays[6, ray]
    rays[6, ray] += 0.95 * d
    if rays[6, ray] > rays[7, ray]:
        state[ray] = _PAST


@compiled
def _march_rays(
    w: Array, rays: Array, who: Indices, n: int, frame: Array, rows: Array, outlines: Array, lattice: Array
) -> int:
    """Move rays (line 6) to the surface, and return how many arrive; `who` says which."""
    _, _, _, half, _, bumps, caution, size = frame
    pixel = 2.0 * half / size
    state = rays[9]
    for k in range(n):
        state[k] = _FREE if rays[6, k] <= rays[7, k] else _PAST
    for _ in range(_STEPS):
        going = 0
        for fine in range(2):
            count = _listed(state, n, _CLOSE if fine else _FREE, who)
            if count == 0:
                continue
            for k in range(count):
                _place(w, k, rays, who[k], rays[6, who[k]])
            find(w, count, rows, outlines, fine, pixel, lattice)
            for k in range(count):
                _step(rays, who[k], w[3, k], state, fine, pixel, bumps, caution)
            going += count
        if going == 0:
            break
    count = _listed(state, n, _INSIDE, who)
    if count > 0:  # steep reliefs were stepped into: back to where they begin
        _cross(w, rays, who, count, rows, outlines, pixel, lattice)
        for k in range(count):
            state[who[k]] = _ARRIVED
    return _listed(state, n, _ARRIVED, who)


@compiled
def _normals(w: Array, found: Array, n: int, rows: Array, outlines: Array, pixel: float, lattice: Array) -> None:
    """Write the normals and parts (lines 4 to 7) of n places (1 to 3), as `gradient` gives them."""
    for axis in range(3):
        for k in range(n):
            found[4 + axis, k] = 0.0
        for side in (1.0, -1.0):
            for k in range(n):
                w[0, k], w[1, k], w[2, k] = found[1, k], found[2, k], found[3, k]
                w[axis, k] += side * 0.5 * pixel
            find(w, n, rows, outlines, 1, pixel, lattice)
            for k in range(n):
                found[4 + axis, k] += side * w[3, k]
    for k in range(n):
        gx, gy, gz = found[4, k], found[5, k], found[6, k]
        norm = max(np.sqrt(gx * gx + gy * gy + gz * gz), 1e-12)
        found[4, k], found[5, k], found[6, k], found[7, k] = gx / norm, gy / norm, gz / norm, w[4, k]


@compiled
def _march(rows: Array, outlines: Array, turn: Array, frame: Array, lattice: Array, whole: int) -> Array:
    """Return depth, place, normal and part of each pixel, float64 (S, S, 8); a depth of 1e4 is a miss.

    A tile of 16 x 16 rays keeps the rows that it can touch. Bundles of 4 x 4 rays go as far as they can together.
    """
    nearness, cx, cy, half, radius, bumps, _, size = frame
    pixel, size = 2.0 * half / size, int(size)
    found = np.full((size, size, 8), 1e4)
    kept, rays, cones, w = np.empty_like(rows), np.empty((10, LANES)), np.empty((10, 16)), np.empty((LINES, LANES))
    who, hits = np.empty(LANES, np.int64), np.empty((8, LANES))
    wide, narrow = 0.71 * 16 * pixel, 0.71 * 4 * pixel
    for top in range(0, size, 16):
        for left in range(0, size, 16):
            u, v = cx + (left + 8 - 0.5 * size) * pixel, cy - (top + 8 - 0.5 * size) * pixel
            ox, oy, oz, dx, dy, dz, _, _ = _aim(u, v, turn, nearness, radius)
            near = rows_near(rows, ox, oy, oz, dx, dy, dz, wide + bumps, wide * nearness, kept)
            if near == 0:
                continue
            here = kept[:near]
            n = _aim_tile(cones, left, top, 4, 4, narrow, turn, frame)
            _clip(cones, n, here, narrow + bumps, narrow * nearness)
            _cone_starts(w, cones, who, n, narrow, frame, here, outlines, lattice)
            n = _aim_tile(rays, left, top, 1, 16, 0.0, turn, frame)
            _clip(rays, n, here, bumps, 0.0)
            for k in range(n):
                cone = k // 64 * 4 + k % 16 // 4
                rays[6, k] = max(rays[6, k], cones[6, cone])
                if cones[6, cone] > cones[7, cone] or left + k % 16 >= size or top + k // 16 >= size:
                    rays[7, k] = -1e4
            n = _march_rays(w, rays, who, n, frame, here, outlines, lattice)
            for k in range(n):
                _place(hits[1:], k, rays, who[k], rays[6, who[k]])
                found[top + who[k] // 16, left + who[k] % 16, 0] = rays[6, who[k]]
            if whole and n > 0:
                _normals(w, hits, n, here, outlines, pixel, lattice)
                for k in range(n):
                    for line in range(1, 8):
                        found[top + who[k] // 16, left + who[k] % 16, line] = hits[line, k]
    return found


def _crossing(
    outside: Array, inside: Array, rays: Array, rows: Array, outlines: Array, pixel: float, lattice: Array
) -> Array:
    """Return where rays (6, K) pass the surface between a depth outside and one inside, by halving eight times."""
    for _ in range(8):
        t = 0.5 * (outside + inside)
        d, _ = distances(*(rays[:3] + t * rays[3:6]), rows, outlines, 1, pixel, lattice)
        outside, inside = np.where(d > 0.0, t, outside), np.where(d > 0.0, inside, t)
    return 0.5 * (outside + inside)


def _march_arrays(rows: Array, outlines: Array, turn: Array, frame: Array, lattice: Array, whole: int) -> Array:
    """Do as `_march`, all rays together."""
    nearness, cx, cy, half, radius, bumps, caution, _ = frame
    size = int(frame[7])
    pixel = 2.0 * half / size
    across = (np.arange(size) + 0.5 - 0.5 * size) * pixel
    u, v = np.meshgrid(cx + across, cy - across)
    rays = np.stack(_aim(u.ravel(), v.ravel(), turn, nearness, radius))
    found = np.full((size * size, 8), _FAR)
    going = np.flatnonzero(rays[6] <= rays[7])
    t, before = rays[6].copy(), rays[6].copy()
    for _ in range(_STEPS):
        x, y, z = rays[:3, going] + t[going] * rays[3:6, going]
        d = distances(x, y, z, rows, outlines, 0, pixel, lattice)[0] - bumps
        close = np.flatnonzero(d < pixel)
        if bumps > 0 and len(close):
            d[close] = caution * distances(x[close], y[close], z[close], rows, outlines, 1, pixel, lattice)[0]
        arrived = d < 0.08 * pixel
        found[going[arrived], 0] = t[going[arrived]]
        deep = going[d < -0.08 * pixel]
        found[deep, 0] = _crossing(before[deep], t[deep], rays[:6, deep], rows, outlines, pixel, lattice)
        before[going] = t[going]
        t[going] += 0.95 * d
        going = going[~arrived & (t[going] <= rays[7, going])]
    hit = np.flatnonzero(found[:, 0] < _FAR)
    if whole and len(hit):
        x, y, z = rays[:3, hit] + found[hit, 0] * rays[3:6, hit]
        found[hit, 1:] = np.stack([x, y, z, *gradient(x, y, z, rows, outlines, pixel, lattice)], axis=1)
    return found.reshape(size, size, 8)
