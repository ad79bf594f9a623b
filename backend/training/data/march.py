# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0917 - kernels take plain numbers, in order, and choose a formula by a number
"""Looks at a shape: for every pixel where its ray meets the surface, and the normal there.

Rays step by signed distances (Hart, "Sphere tracing", 1996). Tiles of pixels keep only the operations that their rays
can touch. Without numba the same steps are taken by all rays together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compiled import Array, Reals, compiled, either, select
from .relief import noise_lattice
from .solids import Shape, distance, rows_near

_STEPS = 80
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


def _arguments(shape: Shape, view: View, size: int) -> tuple[Array, Array, Array, Array, int, Array]:
    frame = np.array([view.nearness, *view.centre, view.half, shape.radius, shape.bumps, shape.caution])
    return shape.rows, shape.outlines, view.turn, frame, size, LATTICE


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


@compiled
def gradient(
    x: Reals, y: Reals, z: Reals, rows: Array, outlines: Array, pixel: float, lattice: Array
) -> tuple[Reals, Reals, Reals, Reals]:
    """Return the unit gradient of the distance, by central differences across a pixel, and the part that is there."""
    h = 0.5 * pixel
    right, _ = distance(x + h, y, z, rows, outlines, 1, pixel, lattice)
    left, _ = distance(x - h, y, z, rows, outlines, 1, pixel, lattice)
    above, _ = distance(x, y + h, z, rows, outlines, 1, pixel, lattice)
    below, _ = distance(x, y - h, z, rows, outlines, 1, pixel, lattice)
    before, _ = distance(x, y, z + h, rows, outlines, 1, pixel, lattice)
    behind, part = distance(x, y, z - h, rows, outlines, 1, pixel, lattice)
    gx, gy, gz = right - left, above - below, before - behind
    norm = np.maximum(np.sqrt(gx * gx + gy * gy + gz * gz), 1e-12)
    return gx / norm, gy / norm, gz / norm, part


@compiled
def _cone_start(
    u: Reals,
    v: Reals,
    wide: Reals,
    t: Reals,
    turn: Array,
    frame: Array,
    rows: Array,
    outlines: Array,
    pixel: float,
    lattice: Array,
) -> Reals:
    """Return how far a bundle of rays, `wide` about its middle one at the target, goes from t before it may touch."""
    nearness, _, _, _, radius, bumps, _ = frame
    ox, oy, oz, dx, dy, dz, start, end = _aim(u, v, turn, nearness, radius + wide)
    t = max(t, start)
    for _ in range(40):
        d, _ = distance(ox + t * dx, oy + t * dy, oz + t * dz, rows, outlines, 0, pixel, lattice)
        gap = d - bumps - wide * (1.0 + nearness * max(t, 0.0))
        if gap < pixel or t > end:
            break
        t += 0.9 * gap
    return t if t <= end else 1e4


@compiled
def _crossing(
    outside: Reals,
    inside: Reals,
    ox: Reals,
    oy: Reals,
    oz: Reals,
    dx: Reals,
    dy: Reals,
    dz: Reals,
    rows: Array,
    outlines: Array,
    pixel: float,
    lattice: Array,
) -> Reals:
    """Return where a ray passes the surface between a depth outside and one inside, by halving eight times."""
    for _ in range(8):
        t = 0.5 * (outside + inside)
        d, _ = distance(ox + t * dx, oy + t * dy, oz + t * dz, rows, outlines, 1, pixel, lattice)
        outside, inside = select(d > 0.0, t, outside), select(d > 0.0, inside, t)
    return 0.5 * (outside + inside)


@compiled
def _march_pixel(
    u: Reals,
    v: Reals,
    t: Reals,
    last: Reals,
    turn: Array,
    frame: Array,
    rows: Array,
    outlines: Array,
    pixel: float,
    lattice: Array,
) -> tuple[Reals, Reals, Reals, Reals]:
    """Return where a ray meets the surface between t and last: depth (1e4 for nowhere) and place."""
    nearness, _, _, _, radius, bumps, caution = frame
    ox, oy, oz, dx, dy, dz, start, end = _aim(u, v, turn, nearness, radius)
    t, end = max(t, start), min(end, last)
    close, d, before = False, 0.0, t
    for _ in range(80):
        if t > end:
            break
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        if not close:
            d = distance(x, y, z, rows, outlines, 0, pixel, lattice)[0] - bumps
            close = bumps > 0.0 and d < pixel
        if close:
            d, _ = distance(x, y, z, rows, outlines, 1, pixel, lattice)
            close = d < 2.0 * bumps
            d *= caution
        if d < 0.08 * pixel:
            if d < -0.08 * pixel:  # a steep relief was stepped into: back to where it begins
                t = _crossing(before, t, ox, oy, oz, dx, dy, dz, rows, outlines, pixel, lattice)
            return t, ox + t * dx, oy + t * dy, oz + t * dz
        before = t
        t += 0.95 * d
    return 1e4, 0.0, 0.0, 0.0


@compiled
def _last(x: Reals, y: Reals, z: Reals, dx: Reals, dy: Reals, dz: Reals, rows: Array, slack: Reals) -> Reals:
    """Return how far along a ray the solids' spheres reach."""
    far = -1e3
    for i in range(rows.shape[0]):
        if rows[i, 1] == 0 and rows[i, 0] != 8:
            along = (rows[i, 13] - x) * dx + (rows[i, 14] - y) * dy + (rows[i, 15] - z) * dz
            far = max(far, along + rows[i, 16])
    return far + slack


@compiled
def _march(rows: Array, outlines: Array, turn: Array, frame: Array, size: int, lattice: Array, whole: int) -> Array:
    """Return depth, place, normal and part of each pixel, float64 (S, S, 8); a depth of 1e4 is a miss.

    Bundles of 16 x 16 rays go as far as they can together, then bundles of 4 x 4, then each ray.
    """
    nearness, cx, cy, half, radius, bumps, _ = frame
    pixel = 2.0 * half / size
    found = np.full((size, size, 8), 1e4)
    kept, fewer = np.empty_like(rows), np.empty_like(rows)
    wide, narrow = 0.71 * 16 * pixel, 0.71 * 4 * pixel
    for top in range(0, size, 16):
        for left in range(0, size, 16):
            u, v = cx + (left + 8 - 0.5 * size) * pixel, cy - (top + 8 - 0.5 * size) * pixel
            ox, oy, oz, dx, dy, dz, _, _ = _aim(u, v, turn, nearness, radius)
            n = rows_near(rows, ox, oy, oz, dx, dy, dz, wide + bumps, wide * nearness, kept)
            first = _cone_start(u, v, wide, -1e3, turn, frame, kept[:n], outlines, pixel, lattice) if n else 1e4
            if first >= 1e4:
                continue
            for upper in range(top, min(top + 16, size), 4):
                for near in range(left, min(left + 16, size), 4):
                    u, v = cx + (near + 2 - 0.5 * size) * pixel, cy - (upper + 2 - 0.5 * size) * pixel
                    ox, oy, oz, dx, dy, dz, _, _ = _aim(u, v, turn, nearness, radius)
                    m = rows_near(kept[:n], ox, oy, oz, dx, dy, dz, narrow + bumps, narrow * nearness, fewer)
                    here = fewer[:m]
                    second = _cone_start(u, v, narrow, first, turn, frame, here, outlines, pixel, lattice) if m else 1e4
                    if second >= 1e4:
                        continue
                    last = _last(ox, oy, oz, dx, dy, dz, here, bumps + narrow * (1.0 + nearness))
                    for i in range(upper, min(upper + 4, size)):
                        for j in range(near, min(near + 4, size)):
                            u, v = cx + (j + 0.5 - 0.5 * size) * pixel, cy - (i + 0.5 - 0.5 * size) * pixel
                            t, x, y, z = _march_pixel(u, v, second, last, turn, frame, here, outlines, pixel, lattice)
                            found[i, j, 0] = t
                            if whole and t < 1e4:
                                found[i, j, 1], found[i, j, 2], found[i, j, 3] = x, y, z
                                gx, gy, gz, part = gradient(x, y, z, here, outlines, pixel, lattice)
                                found[i, j, 4], found[i, j, 5], found[i, j, 6], found[i, j, 7] = gx, gy, gz, part
    return found


def _march_arrays(
    rows: Array, outlines: Array, turn: Array, frame: Array, size: int, lattice: Array, whole: int
) -> Array:
    """Do as `_march`, all rays together."""
    nearness, cx, cy, half, radius, bumps, caution = frame
    pixel = 2.0 * half / size
    across = (np.arange(size) + 0.5 - 0.5 * size) * pixel
    u, v = np.meshgrid(cx + across, cy - across)
    rays = np.stack(_aim(u.ravel(), v.ravel(), turn, nearness, radius))
    found = np.full((size * size, 8), _FAR)
    going = np.flatnonzero(rays[6] <= rays[7])
    t, before = rays[6].copy(), rays[6].copy()
    for _ in range(_STEPS):
        x, y, z = rays[:3, going] + t[going] * rays[3:6, going]
        d = distance(x, y, z, rows, outlines, 0, pixel, lattice)[0] - bumps
        close = np.flatnonzero(d < pixel)
        if bumps > 0 and len(close):
            d[close] = caution * distance(x[close], y[close], z[close], rows, outlines, 1, pixel, lattice)[0]
        arrived = d < 0.08 * pixel
        found[going[arrived], 0] = t[going[arrived]]
        deep = going[d < -0.08 * pixel]
        ox, oy, oz, dx, dy, dz = rays[:6, deep]
        found[deep, 0] = _crossing(before[deep], t[deep], ox, oy, oz, dx, dy, dz, rows, outlines, pixel, lattice)
        before[going] = t[going]
        t[going] += 0.95 * d
        going = going[~arrived & (t[going] <= rays[7, going])]
    hit = np.flatnonzero(found[:, 0] < _FAR)
    if whole and len(hit):
        x, y, z = rays[:3, hit] + found[hit, 0] * rays[3:6, hit]
        found[hit, 1:] = np.stack([x, y, z, *gradient(x, y, z, rows, outlines, pixel, lattice)], axis=1)
    return found.reshape(size, size, 8)
