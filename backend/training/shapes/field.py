# SPDX-License-Identifier: GPL-3.0-or-later
"""A shape's signed distances, their gradient, and the parts that are nearest, at many points at once.

A row of a shape is read once for up to `POINTS` points, and the loop over them holds one formula and no branch, so that
the machine takes eight points at a time.
"""

import numpy as np
from numba import literal_unroll

from ...arrays import Float32Array, Float64Array, Int64Array
from . import distances as sdf
from . import reliefs
from .compiled import Table, compiled
from .solids import ADD, CUT, GRID, MIRROR, NONE, Shape, Solid

POINTS = 256  # that a table holds
_FAR = 1e3

X, Y, Z, SCENE, SCENE_PART, GROUP, GROUP_PART, A, B, C, D, FAR, LINES = range(13)
"""The lines of a table of points, float64 (LINES, POINTS), that kernels call w.

X, Y, Z: the points. SCENE, SCENE_PART: the distance to the groups so far, and the part that is nearest; GROUP,
GROUP_PART: to the present group. A, B, C: the point in a solid's frame. D: the solid's distance or a relief's height
there. FAR: 1 if the solid is too far away to matter.
"""


@compiled
def _count_near(w: Float64Array, n: int, row: Table) -> int:
    """Note which points are too far from a row's sphere for it to matter, and return how many are not."""
    x, y, z, scene, group, far = w[X], w[Y], w[Z], w[SCENE], w[GROUP], w[FAR]
    (cx, cy, cz), radius, blend, cuts = row.centre, row.radius, row.blend, row.join == CUT
    near = 0
    for k in range(n):
        least = blend - group[k] if cuts else np.minimum(scene[k], group[k]) + blend
        short = np.maximum(least, 0.0) + radius
        far2 = (x[k] - cx) * (x[k] - cx) + (y[k] - cy) * (y[k] - cy) + (z[k] - cz) * (z[k] - cz)
        away = far2 > short * short
        far[k] = 1.0 if away else 0.0
        near += 0 if away else 1
    return near


@compiled
def _move(w: Float64Array, first: int, n: int, motion: Float64Array) -> None:
    """Take the points in the lines from `first` on by a motion (3, 4) into A, B, C."""
    xx, xy, xz, xt = motion[0]
    yx, yy, yz, yt = motion[1]
    zx, zy, zz, zt = motion[2]
    for k in range(n):
        x, y, z = w[first, k], w[first + 1, k], w[first + 2, k]
        w[A, k] = xx * x + xy * y + xz * z + xt
        w[B, k] = yx * x + yy * y + yz * z + yt
        w[C, k] = zx * x + zy * y + zz * z + zt


@compiled
def _fold(w: Float64Array, n: int, row: Table) -> None:
    a, b, c, far = w[A], w[B], w[C], w[FAR]
    f0, f1, f2, f3 = row.folds
    if row.fold == MIRROR:
        a[:n] = np.abs(a[:n])
    elif row.fold == GRID:
        for k in range(n):
            a[k] -= f0 * sdf.clamp(np.floor(a[k] / f0 + 0.5), -f2, f2)
            b[k] -= f1 * sdf.clamp(np.floor(b[k] / f1 + 0.5), -f3, f3)
    else:
        sector = 2.0 * np.pi / f0
        for k in range(n):
            if far[k] == 0.0:
                turn = sector * np.floor(sdf.angle(c[k], a[k]) / sector + 0.5)
                cosine, sine = np.cos(turn), np.sin(turn)
                a[k], c[k] = cosine * a[k] + sine * c[k], cosine * c[k] - sine * a[k]


@compiled
def _solid(w: Float64Array, n: int, row: Table, outlines: Float64Array) -> None:
    """Write the distances to a row's solid, in its own frame and scale."""
    a, b, c, d = w[A], w[B], w[C], w[D]
    n0, n1, n2, n3, n4, n5, n6, n7 = row.numbers
    solid, which, kind = row.solid, row.outline, 0
    for distance in literal_unroll(sdf.SOLIDS):
        if kind == solid:
            for k in range(n):
                d[k] = distance(a[k], b[k], c[k], n0, n1, n2, n3, n4, n5, n6, n7)
        kind += 1  # noqa: SIM113 - numba does not unroll what is enumerated
    if solid == Solid.LATHE:
        for k in range(n):
            d[k] = n0 * sdf.profile(np.sqrt(a[k] * a[k] + c[k] * c[k]) / n0, b[k] / n0, outlines, which)
    elif solid == Solid.EXTRUSION:
        for k in range(n):
            d[k] = sdf.extruded(n0 * sdf.profile(a[k] / n0, b[k] / n0, outlines, which), c[k], n1, n2)


@compiled
def _height(w: Float64Array, n: int, row: Table, shape: Shape, pixel: float) -> None:
    """Write the heights of a row's relief, in its own scale; a cylindrical one unrolls the surface about y."""
    a, b, c, d = w[A], w[B], w[C], w[D]
    relief, _, f, p, q, around, _, _ = row.numbers
    samples, kind = shape.outlines if relief == reliefs.EMBOSSED else shape.lattice, 0
    p, q = row.outline if relief == reliefs.EMBOSSED else p, relief if relief <= reliefs.RIDGES else q
    if around > 0:
        for k in range(n):
            a[k], c[k] = sdf.angle(a[k], c[k]), np.sqrt(a[k] * a[k] + c[k] * c[k])
    for height in literal_unroll(reliefs.HEIGHTS):
        if kind == relief:
            for k in range(n):
                d[k] = height(a[k], b[k], c[k], samples, f, p, q, pixel)
        kind += 1  # noqa: SIM113 - as above


@compiled
def _join(w: Float64Array, n: int, row: Table) -> None:
    """Join a row's solid to its group by a quadratic blend, unless it is far: to cut is to add to what is outside."""
    group, group_part, d, far = w[GROUP], w[GROUP_PART], w[D], w[FAR]
    scale, rounding, part, blend = row.scale, row.rounding, float(row.part), max(row.blend, 1e-6)
    adds, side = row.join == ADD, 1.0 if row.join == ADD else -1.0
    for k in range(n):
        here, near = d[k] * scale - rounding, far[k] <= 0.0
        group_part[k] = part if adds and near and here < group[k] else group_part[k]
        before = side * group[k]
        h = np.maximum(blend - np.abs(before - here), 0.0)
        group[k] = side * (np.minimum(before, here) - h * h / (4.0 * blend)) if near else group[k]


@compiled
def evaluate(w: Float64Array, n: int, shape: Shape, fine: int, pixel: float) -> None:
    """Write the distances (SCENE) and the parts (SCENE_PART) of the first n points of a table.

    fine: 0 leaves reliefs out, which is much faster. pixel: a pixel's width at the shape; what is finer is left out.
    """
    rows, scene, scene_part, group, group_part = shape.rows, w[SCENE], w[SCENE_PART], w[GROUP], w[GROUP_PART]
    for k in range(n):
        scene[k], scene_part[k], group[k], group_part[k] = _FAR, 0.0, _FAR, 0.0
    for i in range(len(rows)):
        row = rows[i]
        reach = row.scale * row.numbers[1]
        if row.solid != Solid.RELIEF:
            if _count_near(w, n, row) > 0:
                _move(w, X, n, row.frame)
                if row.fold != NONE:
                    _fold(w, n, row)
                    _move(w, A, n, row.place)
                _solid(w, n, row, shape.outlines)
                _join(w, n, row)
        elif fine and np.any(group[:n] - 1.5 * np.abs(reach) < np.minimum(scene[:n], 1e2)):  # in front of the scene
            _move(w, X, n, row.frame)
            _height(w, n, row, shape, pixel / row.scale)
            for k in range(n):
                group[k] -= reach * w[D, k]
        if i + 1 == len(rows) or rows[i + 1].group != row.group:
            for k in range(n):
                closer = group[k] < scene[k]
                scene_part[k] = group_part[k] if closer else scene_part[k]
                scene[k] = group[k] if closer else scene[k]
                group[k], group_part[k] = _FAR, 0.0


@compiled
def _evaluated(places: Float64Array, shape: Shape, fine: int, pixel: float) -> Float64Array:
    """Return the distances and the parts, float64 (2, K), of places (3, K)."""
    found, w = np.empty((2, places.shape[1])), np.empty((LINES, POINTS))
    for first in range(0, places.shape[1], POINTS):
        n = min(POINTS, places.shape[1] - first)
        w[:3, :n] = places[:, first : first + n]
        evaluate(w, n, shape, fine, pixel)
        found[:, first : first + n] = w[SCENE : SCENE_PART + 1, :n]
    return found


def distances(places: Float64Array, shape: Shape, fine: int, pixel: float) -> Float64Array:
    """Return the distances, float64 (K), of places (3, K): see `evaluate`."""
    return _evaluated(places, shape, fine, pixel)[0]


@compiled
def gradients(places: Float64Array, shape: Shape, pixel: float) -> Float64Array:
    """Return places (3, K), their unit gradients (central differences across a pixel) and parts, float64 (7, K)."""
    found = np.zeros((7, places.shape[1]))
    found[:3] = places
    for axis in range(3):
        for side in (1.0, -1.0):
            moved = places.copy()
            moved[axis] += side * 0.5 * pixel
            here = _evaluated(moved, shape, 1, pixel)
            found[3 + axis] += side * here[0]
            found[6] = here[1]
    x, y, z = found[3], found[4], found[5]
    found[3:6] /= np.maximum(np.sqrt(x * x + y * y + z * z), 1e-12)
    return found


def volume(shape: Shape, cells: int, pixel: float) -> tuple[Float32Array, float]:
    """Return distances on a cubic lattice about the shape, float32 (N, N, N) by x, y, z, and its half side.

    N = cells + 1, cells a multiple of 8. Far from the surface only the sign is right. `pixel`: see `evaluate`.
    """
    half = shape.radius * 1.02
    step = 2.0 * half / cells
    starts = 8 * np.indices((cells // 8 + 1,) * 3)
    middles = distances((starts.reshape(3, -1) + 3.5) * step - half, shape, 0, pixel).reshape(starts.shape[1:])
    values = middles.repeat(8, 0).repeat(8, 1).repeat(8, 2)[: cells + 1, : cells + 1, : cells + 1]
    near = np.nonzero(np.abs(values) <= 1.8 * 0.5 * 8 * step + shape.bumps)
    values[near] = distances(np.stack(near) * step - half, shape, 1, pixel)
    return values.astype(np.float32), half


def settle(shape: Shape, points: Float64Array, pixel: float) -> tuple[Float64Array, Float64Array, Int64Array]:
    """Move points near the surface, (V, 3), onto it; return them, the unit normals there and the parts."""
    places = np.ascontiguousarray(points.T)
    for _ in range(2):
        off = distances(places, shape, 1, pixel)
        places -= np.clip(off, -2 * pixel, 2 * pixel) * gradients(places, shape, pixel)[3:6]
    found = gradients(places, shape, pixel)
    return places.T, found[3:6].T, found[6].astype(np.int64)
