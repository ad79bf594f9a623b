# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0911 - kernels take plain numbers, in order, and choose a formula by a number
"""A shape as a list of operations, and the signed distance that they come to.

A shape is a union of groups; a group starts empty, and its operations join solids to it, cut them away, or change it
as a whole (a relief on its surface). Every operation is one row of numbers, so that compiled code reads them, and
carries a sphere that holds what it adds: whoever looks along a bundle of rays leaves out the rows that they all miss.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from .compiled import Array, Reals, Truth, certain, compiled, select
from .distances import (
    angle,
    box,
    cone,
    ellipsoid,
    extruded,
    length,
    profile,
    round_cone,
    smooth_minimum,
    superquadric,
    torus,
)
from .relief import relief

SAMPLES = 72
"""A profile's samples along each side."""


class Solid(IntEnum):
    """What an operation adds or does, with its numbers."""

    ELLIPSOID = 0  # half axes a, b, c
    BOX = 1  # half sides a, b, c
    SUPERQUADRIC = 2  # half axes a, b, c, exponents across, along
    CAPSULE = 3  # ends a, b and their radii
    CONE = 4  # radius at the bottom and at the top, half height
    TORUS = 5  # radius of the ring, of the tube
    LATHE = 6  # scale of a profile in (radius, y)
    EXTRUSION = 7  # scale of a profile in (x, y), half depth, bevel
    RELIEF = 8  # kind, amplitude, frequency, p, q, cylindrical: a height on the whole group


class Join(IntEnum):
    """How an operation's solid meets its group."""

    ADD = 0
    CUT = 1
    KEEP = 2  # what is in both


class Fold(IntEnum):
    """How space is folded before the solid is placed, so that it appears several times."""

    NONE = 0
    MIRROR = 1  # x -> |x|
    GRID = 2  # spacing x, y; copies to each side x, y
    RING = 3  # so many copies about y


@dataclass(frozen=True)
class Placed:
    """A rigid motion with a scale: p -> scale * turn @ p + at."""

    turn: Array = field(default_factory=lambda: np.eye(3))
    at: Array = field(default_factory=lambda: np.zeros(3))
    scale: float = 1.0

    def then(self, inner: "Placed") -> "Placed":
        """Return the motion that does `inner` first."""
        return Placed(self.turn @ inner.turn, self.point(inner.at), self.scale * inner.scale)

    def point(self, at: Array) -> Array:
        """Return where a point goes."""
        return self.scale * (self.turn @ at) + self.at


@dataclass(frozen=True)
class Operation:
    """One row. `frame` places the folded space in the shape, `place` the solid in the folded space."""

    solid: Solid
    numbers: tuple[float, ...]
    reach: float  # radius about the solid's own origin that holds it
    join: Join = Join.ADD
    blend: float = 0.0
    frame: Placed = field(default_factory=Placed)
    fold: Fold = Fold.NONE
    folds: tuple[float, ...] = ()
    place: Placed = field(default_factory=Placed)
    rounding: float = 0.0
    outline: int = 0
    part: int = 0
    group: int = 0
    steepness: float = 0.0  # of a relief: height over wavelength


(_SOLID, _JOIN, _BLEND, _GROUP, _PART, _FOLD, _ROUND, _OUTLINE, _SCALE) = range(9)
_FOLDS, _BALL, _FRAME, _PLACE, _NUMBERS, WIDTH = 9, 13, 17, 29, 41, 49


@dataclass(frozen=True)
class Shape:
    """rows: float64 (N, WIDTH). outlines: float64 (P, SAMPLES, SAMPLES). Lies within `radius` about the origin.

    bumps: how far reliefs reach. caution: the part of a distance that a ray may step, for bounds that are too high.
    parts: how many parts (materials) there are.
    """

    rows: Array
    outlines: Array
    radius: float
    bumps: float
    caution: float
    parts: int


def _inverse(motion: Placed) -> Array:
    inverse = motion.turn.T / motion.scale
    return np.concatenate([inverse.ravel(), -inverse @ motion.at])


def _ball(operation: Operation) -> tuple[Array, float]:
    """Return the centre and radius of a sphere that holds every copy of the operation's solid."""
    reach = operation.reach * operation.place.scale + operation.rounding
    at, folds = operation.place.at, operation.folds
    if operation.fold is Fold.MIRROR:
        reach += abs(float(at[0]))
        at = at * (0.0, 1.0, 1.0)
    elif operation.fold is Fold.GRID:
        reach += float(np.hypot(folds[0] * folds[2], folds[1] * folds[3]))
    elif operation.fold is Fold.RING:
        reach += float(np.hypot(at[0], at[2]))
        at = at * (0.0, 1.0, 0.0)
    return operation.frame.point(at), reach * operation.frame.scale


def assemble(operations: list[Operation], outlines: list[Array]) -> Shape:
    """Write the operations, sorted by group, as rows, moved and scaled into the sphere of radius 1."""
    solids = [o for o in operations if o.join is Join.ADD and o.solid is not Solid.RELIEF]
    balls = [_ball(o) for o in solids]
    low = np.min([at - radius for at, radius in balls], axis=0)
    high = np.max([at + radius for at, radius in balls], axis=0)
    middle = (low + high) / 2
    radius = max(float(np.linalg.norm(at - middle)) + reach for at, reach in balls)
    fit = Placed(np.eye(3), -middle / radius, 1 / radius)
    rows = np.zeros((len(operations), WIDTH))
    bumps, steep = dict.fromkeys((o.group for o in operations), 0.0), 0.0
    for row, operation in zip(rows, sorted(operations, key=lambda o: o.group), strict=True):
        moved = replace(operation, frame=fit.then(operation.frame))
        scale = moved.frame.scale * moved.place.scale
        _write(row, moved, scale)
        if moved.solid is Solid.RELIEF:
            bumps[moved.group] += abs(moved.numbers[1]) * scale
            steep = max(steep, moved.steepness)
    table = np.stack(outlines) if outlines else np.zeros((1, SAMPLES, SAMPLES))
    parts = 1 + max(o.part for o in operations)
    highest = max(bumps.values())
    return Shape(rows, table, 1.0 + highest, highest, 0.9 / np.sqrt(1.0 + (2.0 * steep) ** 2), parts)


def _write(row: Array, operation: Operation, scale: float) -> None:
    if operation.fold is Fold.NONE:
        operation = replace(operation, frame=operation.frame.then(operation.place), place=Placed())
    heads = (operation.solid, operation.join, operation.blend * operation.frame.scale, operation.group)
    row[:_FOLDS] = (
        *heads,
        operation.part,
        operation.fold,
        operation.rounding * operation.frame.scale,
        operation.outline,
        scale,
    )
    row[_FOLDS : _FOLDS + len(operation.folds)] = operation.folds
    at, reach = _ball(operation)
    never = operation.join is Join.KEEP or operation.solid is Solid.RELIEF
    row[_BALL:_FRAME] = (*at, 1e6 if never else reach + 2 * operation.blend * operation.frame.scale)
    row[_FRAME:_PLACE], row[_PLACE:_NUMBERS] = _inverse(operation.frame), _inverse(operation.place)
    row[_NUMBERS : _NUMBERS + len(operation.numbers)] = operation.numbers


@compiled
def _moved(x: Reals, y: Reals, z: Reals, rows: Array, i: int, start: int) -> tuple[Reals, Reals, Reals]:
    """Take a point by the motion that stands in row i from `start` on."""
    return (
        rows[i, start] * x + rows[i, start + 1] * y + rows[i, start + 2] * z + rows[i, start + 9],
        rows[i, start + 3] * x + rows[i, start + 4] * y + rows[i, start + 5] * z + rows[i, start + 10],
        rows[i, start + 6] * x + rows[i, start + 7] * y + rows[i, start + 8] * z + rows[i, start + 11],
    )


@compiled
def in_grid(x: Reals, step: Reals, most: Reals) -> Reals:
    """Return a coordinate within the nearest cell of a grid that has so many cells to each side of the middle one."""
    return x - step * np.minimum(np.maximum(np.floor(x / step + 0.5), -most), most)


@compiled
def in_ring(x: Reals, z: Reals, count: Reals) -> tuple[Reals, Reals]:
    """Return x and z within the first of so many sectors about y."""
    sector = 2.0 * np.pi / count
    turn: Reals = sector * np.floor(angle(z, x) / sector + 0.5)
    cosine: Reals = np.cos(turn)
    sine: Reals = np.sin(turn)
    return cosine * x + sine * z, cosine * z - sine * x


@compiled
def _folded(x: Reals, y: Reals, z: Reals, rows: Array, i: int) -> tuple[Reals, Reals, Reals]:
    kind = rows[i, 5]
    if kind == 1:
        return np.abs(x), y, z
    if kind == 2:
        return in_grid(x, rows[i, 9], rows[i, 11]), in_grid(y, rows[i, 10], rows[i, 12]), z
    x, z = in_ring(x, z, rows[i, 9])
    return x, y, z


@compiled
def _solid(kind: int, x: Reals, y: Reals, z: Reals, rows: Array, i: int, outlines: Array) -> Reals:
    n0, n1, n2, n3 = rows[i, 41], rows[i, 42], rows[i, 43], rows[i, 44]
    n4, n5, n6, n7 = rows[i, 45], rows[i, 46], rows[i, 47], rows[i, 48]
    if kind == 0:
        return ellipsoid(x, y, z, n0, n1, n2)
    if kind == 1:
        return box(x, y, z, n0, n1, n2)
    if kind == 2:
        return superquadric(x, y, z, n0, n1, n2, n3, n4)
    if kind == 3:
        return round_cone(x, y, z, n0, n1, n2, n3, n4, n5, n6, n7)
    if kind == 4:
        return cone(x, y, z, n0, n1, n2)
    if kind == 5:
        return torus(x, y, z, n0, n1)
    which = int(rows[i, 7])
    if kind == 6:
        return n0 * profile(np.sqrt(x * x + z * z) / n0, y / n0, outlines, which)
    return extruded(n0 * profile(x / n0, y / n0, outlines, which), z, n1, n2)


@compiled
def _height(x: Reals, y: Reals, z: Reals, rows: Array, i: int, outlines: Array, pixel: float, lattice: Array) -> Reals:
    """Return the height of a relief's row; a cylindrical one unrolls the surface about y at radius 1."""
    scale, n0, n1, n2, n3, n4 = rows[i, 8], rows[i, 41], rows[i, 42], rows[i, 43], rows[i, 44], rows[i, 45]
    u, v = x, z
    if rows[i, 46] > 0:
        u, v = angle(x, z), np.sqrt(x * x + z * z)
    return scale * n1 * relief(int(n0), u, y, v, n2, n3, n4, outlines, int(rows[i, 7]), pixel / scale, lattice)


@compiled
def is_far(
    x: Reals,
    y: Reals,
    z: Reals,
    u: Reals,
    v: Reals,
    w: Reals,
    r: Reals,
    k: Reals,
    join: int,
    scene: Reals,
    group: Reals,
) -> Truth:
    """Return whether a row's sphere (centre u, v, w, radius r) is so far away that the row changes nothing there."""
    short = np.maximum(select(join == 1, k - group, np.minimum(scene, group) + k), 0.0) + r
    return (x - u) * (x - u) + (y - v) * (y - v) + (z - w) * (z - w) > short * short


@compiled
def distance(
    x: Reals, y: Reals, z: Reals, rows: Array, outlines: Array, fine: int, pixel: float, lattice: Array
) -> tuple[Reals, Reals]:
    """Return the signed distance to a shape, and the part that is nearest; x, y, z numbers or arrays.

    fine: 0 leaves reliefs out, which is much faster. pixel: the width of a pixel at the shape; what is finer than that
    is left out.
    """
    scene, scene_part = x * 0.0 + 1e3, x * 0.0
    group, group_part = x * 0.0 + 1e3, x * 0.0
    number = -1.0
    for i in range(rows.shape[0]):
        kind, join, part = int(rows[i, 0]), int(rows[i, 1]), rows[i, 4]
        if rows[i, 3] != number:
            scene_part = select(group < scene, group_part, scene_part)
            scene = np.minimum(scene, group)
            group, group_part, number = x * 0.0 + 1e3, x * 0.0, rows[i, 3]
        if kind == 8 and fine == 0:
            continue
        u, v, w, radius, k = rows[i, 13], rows[i, 14], rows[i, 15], rows[i, 16], rows[i, 2]
        far = is_far(x, y, z, u, v, w, radius, k, join, scene, group)
        if kind != 8 and certain(far):
            continue
        a, b, c = _moved(x, y, z, rows, i, 17)
        if kind == 8:
            group = group - _height(a, b, c, rows, i, outlines, pixel, lattice)
            continue
        if rows[i, 5] > 0:
            a, b, c = _folded(a, b, c, rows, i)
            a, b, c = _moved(a, b, c, rows, i, 29)
        d = _solid(kind, a, b, c, rows, i, outlines) * rows[i, 8] - rows[i, 6]
        k = np.maximum(rows[i, 2], 1e-6)
        if join == 0:
            group_part = select(np.logical_or(far, d >= group), group_part, part)
            joined = smooth_minimum(group, d, k)
        elif join == 1:
            joined = -smooth_minimum(-group, d, k)
        else:
            joined = -smooth_minimum(-group, -d, k)
        group = select(far, group, joined)
    scene_part = select(group < scene, group_part, scene_part)
    return np.minimum(scene, group), scene_part


@compiled
def rows_near(
    rows: Array, x: Reals, y: Reals, z: Reals, dx: Reals, dy: Reals, dz: Reals, width: Reals, spread: Reals, kept: Array
) -> Reals:
    """Copy into `kept` the rows whose spheres a cone of rays may touch, and return how many.

    The cone starts at x, y, z with the radius `width`, goes along the unit direction dx, dy, dz and widens by `spread`
    a unit. A group of which no solid is left goes as a whole.
    """
    count, start, number, solids = 0, 0, -1.0, 0
    for i in range(rows.shape[0]):
        if rows[i, 3] != number:
            if solids == 0:
                count = start
            start, number, solids = count, rows[i, 3], 0
        px, py, pz = rows[i, 13] - x, rows[i, 14] - y, rows[i, 15] - z
        along = px * dx + py * dy + pz * dz
        off = length(px - along * dx, py - along * dy, pz - along * dz)
        if off <= rows[i, 16] + width + spread * max(along, 0.0):
            kept[count] = rows[i]
            count += 1
            solids += rows[i, 1] == 0 and rows[i, 0] != 8
    return start if solids == 0 else count
