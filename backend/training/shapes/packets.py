# SPDX-License-Identifier: GPL-3.0-or-later

"""A shape's distances at many points at once: as `solids.distance`, with the loop over the points innermost.

A row of a shape is read once for up to `LANES` points, and the loop over them holds one formula and no branch, so that
the machine takes eight points at a time. That is several times as fast as a point at a time.

The points stand in a scratch table, one line each for x, y, z, what is found of them and what is known so far.
"""

import numpy as np

from .compiled import Array, compiled, either
from .distances import angle, box, cone, ellipsoid, extruded, profile, round_cone, smooth_minimum, superquadric, torus
from .relief import dents, embossed, folds, fractal, panels, ribs, scales, strands
from .solids import distance, in_grid, in_ring, is_far

LANES = 256
"""How many points a scratch table holds."""

LINES = 12
"""x, y, z, distance, part (what is found); the group's distance and part; a, b, c (x, y, z in a solid's frame), its
distance, whether it is far."""


@compiled
def _begin_group(w: Array, n: int) -> None:
    scene, scene_part, group, group_part = w[3], w[4], w[5], w[6]
    for k in range(n):
        closer = group[k] < scene[k]
        scene_part[k] = group_part[k] if closer else scene_part[k]
        scene[k] = group[k] if closer else scene[k]
        group[k] = 1e3
        group_part[k] = 0.0


@compiled
def _count_near(w: Array, n: int, rows: Array, i: int) -> int:
    """Note which points are too far from a row's sphere for it to matter, and return how many are not."""
    x, y, z, scene, group, far = w[0], w[1], w[2], w[3], w[5], w[11]
    u, v, t, radius, blend, join = rows[i, 13], rows[i, 14], rows[i, 15], rows[i, 16], rows[i, 2], int(rows[i, 1])
    near = 0
    for k in range(n):
        away = is_far(x[k], y[k], z[k], u, v, t, radius, blend, join, scene[k], group[k])
        far[k] = 1.0 if away else 0.0
        near += 0 if away else 1
    return near


@compiled
def _move(w: Array, first: int, n: int, rows: Array, i: int, start: int) -> None:
    """Take the points in the lines from `first` on by a motion of row i, into a, b, c."""
    xx, xy, xz, yx, yy, yz = (
        rows[i, start],
        rows[i, start + 1],
        rows[i, start + 2],
        rows[i, start + 3],
        rows[i, start + 4],
        rows[i, start + 5],
    )
    zx, zy, zz, tx, ty, tz = (
        rows[i, start + 6],
        rows[i, start + 7],
        rows[i, start + 8],
        rows[i, start + 9],
        rows[i, start + 10],
        rows[i, start + 11],
    )
    for k in range(n):
        x, y, z = w[first, k], w[first + 1, k], w[first + 2, k]
        w[7, k] = xx * x + xy * y + xz * z + tx
        w[8, k] = yx * x + yy * y + yz * z + ty
        w[9, k] = zx * x + zy * y + zz * z + tz


@compiled
def _fold(w: Array, n: int, rows: Array, i: int) -> None:
    a, b, c, far = w[7], w[8], w[9], w[11]
    f0, f1, f2, f3 = rows[i, 9], rows[i, 10], rows[i, 11], rows[i, 12]
    if rows[i, 5] == 1:
        for k in range(n):
            a[k] = np.abs(a[k])
    elif rows[i, 5] == 2:
        for k in range(n):
            a[k] = in_grid(a[k], f0, f2)
            b[k] = in_grid(b[k], f1, f3)
    else:
        for k in range(n):
            if far[k] == 0.0:
                a[k], c[k] = in_ring(a[k], c[k], f0)


@compiled
def _solid(  # noqa: C901, PLR0912 - a formula each
    w: Array, n: int, rows: Array, i: int, outlines: Array
) -> None:
    """Write the distances to row i's solid, in its own frame and scale."""
    a, b, c, d = w[7], w[8], w[9], w[10]
    n0, n1, n2, n3 = rows[i, 41], rows[i, 42], rows[i, 43], rows[i, 44]
    n4, n5, n6, n7 = rows[i, 45], rows[i, 46], rows[i, 47], rows[i, 48]
    kind, which = int(rows[i, 0]), int(rows[i, 7])
    if kind == 0:
        for k in range(n):
            d[k] = ellipsoid(a[k], b[k], c[k], n0, n1, n2)
    elif kind == 1:
        for k in range(n):
            d[k] = box(a[k], b[k], c[k], n0, n1, n2)
    elif kind == 2:
        for k in range(n):
            d[k] = superquadric(a[k], b[k], c[k], n0, n1, n2, n3, n4)
    elif kind == 3:
        for k in range(n):
            d[k] = round_cone(a[k], b[k], c[k], n0, n1, n2, n3, n4, n5, n6, n7)
    elif kind == 4:
        for k in range(n):
            d[k] = cone(a[k], b[k], c[k], n0, n1, n2)
    elif kind == 5:
        for k in range(n):
            d[k] = torus(a[k], b[k], c[k], n0, n1)
    elif kind == 6:
        for k in range(n):
            d[k] = n0 * profile(np.sqrt(a[k] * a[k] + c[k] * c[k]) / n0, b[k] / n0, outlines, which)
    else:
        for k in range(n):
            d[k] = extruded(n0 * profile(a[k] / n0, b[k] / n0, outlines, which), c[k], n1, n2)


@compiled
def _height(  # noqa: C901, PLR0912 - a formula each
    w: Array, n: int, rows: Array, i: int, outlines: Array, pixel: float, lattice: Array
) -> None:
    """Write the heights of row i's relief, in its own scale."""
    a, b, c, d = w[7], w[8], w[9], w[10]
    f, p, q = rows[i, 43], rows[i, 44], rows[i, 45]
    kind, which = int(rows[i, 41]), int(rows[i, 7])
    if rows[i, 46] > 0:
        for k in range(n):
            a[k], c[k] = angle(a[k], c[k]), np.sqrt(a[k] * a[k] + c[k] * c[k])
    if kind == 0:
        for k in range(n):
            d[k] = fractal(a[k], b[k], c[k], f, p, 4, 0, pixel, lattice)
    elif kind == 1:
        for k in range(n):
            d[k] = fractal(a[k], b[k], c[k], f, p, 4, 1, pixel, lattice)
    elif kind == 2:
        for k in range(n):
            d[k] = folds(a[k], b[k], c[k], f, p, q, pixel, lattice)
    elif kind == 3:
        for k in range(n):
            d[k] = scales(a[k], b[k], f, p, pixel)
    elif kind == 4:
        for k in range(n):
            d[k] = panels(a[k], b[k], f, p, q, pixel)
    elif kind == 5:
        for k in range(n):
            d[k] = ribs(a[k], f, q, pixel)
    elif kind == 6:
        for k in range(n):
            d[k] = embossed(a[k], b[k], f, q, outlines, which, pixel)
    elif kind == 7:
        for k in range(n):
            d[k] = dents(a[k], b[k], c[k], f, pixel)
    else:
        for k in range(n):
            d[k] = strands(a[k], b[k], c[k], f, p, pixel, lattice)


@compiled
def _join(w: Array, n: int, rows: Array, i: int) -> None:
    """Join row i's solid to its group, where it is not far."""
    group, group_part, d, far = w[5], w[6], w[10], w[11]
    scale, rounding, part, blend = rows[i, 8], rows[i, 6], rows[i, 4], max(rows[i, 2], 1e-6)
    if rows[i, 1] == 0:
        for k in range(n):
            here = d[k] * scale - rounding
            far_off = far[k] > 0.0
            group_part[k] = group_part[k] if far_off or here >= group[k] else part
            group[k] = group[k] if far_off else smooth_minimum(group[k], here, blend)
    else:
        side = -1.0 if rows[i, 1] == 1 else 1.0  # what is cut is outside of the solid
        for k in range(n):
            here = side * (d[k] * scale - rounding)
            group[k] = group[k] if far[k] > 0.0 else -smooth_minimum(-group[k], -here, blend)


@compiled
def _matters(w: Array, n: int, height: float) -> bool:
    """Return whether, at some point, a group that is raised by a height may be in front."""
    scene, group = w[3], w[5]
    front = 0
    for k in range(n):
        front += 1 if group[k] - height < min(scene[k], 1e2) else 0
    return front > 0


@compiled
def find(w: Array, n: int, rows: Array, outlines: Array, fine: int, pixel: float, lattice: Array) -> None:
    """Write the distances and the parts, as `solids.distance` gives them, of the first n points of a table."""
    for k in range(n):
        w[3, k], w[4, k] = 1e3, 0.0
        w[5, k], w[6, k] = 1e3, 0.0
    for i in range(rows.shape[0]):
        if i > 0 and rows[i, 3] != rows[i - 1, 3]:
            _begin_group(w, n)
        if rows[i, 0] == 8:
            scale = rows[i, 8]
            reach = scale * rows[i, 42]
            if fine == 0 or not _matters(w, n, 1.5 * np.abs(reach)):
                continue
            _move(w, 0, n, rows, i, 17)
            _height(w, n, rows, i, outlines, pixel / scale, lattice)
            for k in range(n):
                w[5, k] -= reach * w[10, k]
        elif _count_near(w, n, rows, i) > 0:
            _move(w, 0, n, rows, i, 17)
            if rows[i, 5] > 0:
                _fold(w, n, rows, i)
                _move(w, 7, n, rows, i, 29)
            _solid(w, n, rows, i, outlines)
            _join(w, n, rows, i)
    _begin_group(w, n)


@compiled
def _find_all(
    x: Array, y: Array, z: Array, rows: Array, outlines: Array, fine: int, pixel: float, lattice: Array
) -> tuple[Array, Array]:
    found, parts, w = np.empty(len(x)), np.empty(len(x)), np.empty((LINES, LANES))
    for first in range(0, len(x), LANES):
        n = min(LANES, len(x) - first)
        for k in range(n):
            w[0, k], w[1, k], w[2, k] = x[first + k], y[first + k], z[first + k]
        find(w, n, rows, outlines, fine, pixel, lattice)
        for k in range(n):
            found[first + k], parts[first + k] = w[3, k], w[4, k]
    return found, parts


distances = either(_find_all, distance)
"""`solids.distance` for arrays (K)."""
