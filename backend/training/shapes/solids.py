# SPDX-License-Identifier: GPL-3.0-or-later
"""A shape as a list of operations.

A shape is a union of groups; a group starts empty, and its operations join solids to it, cut them away, or change it
as a whole (a relief on its surface). Every operation is one row of a table, so that kernels read it, and has a sphere
that holds what it adds: whoever looks along a bundle of rays leaves out the rows whose spheres they all miss.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from ...arrays import Float64Array
from .compiled import Table
from .reliefs import LATTICE

SAMPLES = 72  # of a profile along each side
EYE = np.eye(3)


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


Join = IntEnum("Join", "ADD CUT", start=0)
"""How an operation's solid meets its group."""

Fold = IntEnum("Fold", "NONE MIRROR GRID RING", start=0)
"""How space is folded before the solid is placed, so that it appears several times.

MIRROR: x -> |x|. GRID: spacing x, y and copies to each side x, y. RING: so many copies about y.
"""

ADD, CUT = Join
NONE, MIRROR, GRID, RING = Fold


class Placed(NamedTuple):
    """A rigid motion with a scale: p -> scale * turn @ p + at."""

    turn: Float64Array = EYE
    at: Float64Array = np.zeros(3)
    scale: float = 1.0

    def then(self, inner: "Placed") -> "Placed":
        """Return the motion that does `inner` first."""
        return Placed(self.turn @ inner.turn, self.point(inner.at), self.scale * inner.scale)

    def point(self, at: Float64Array) -> Float64Array:
        """Return where a point goes."""
        return self.scale * (self.turn @ at) + self.at

    def inverse(self) -> Float64Array:
        """Return the motion back as a matrix that takes (x, y, z, 1), float64 (3, 4)."""
        back = self.turn.T / self.scale
        return np.concatenate([back, (-back @ self.at)[:, None]], axis=1)


@dataclass(frozen=True)
class Operation:
    """A solid or a relief. `frame` places the folded space in the shape, `place` the solid in the folded space."""

    solid: Solid
    numbers: tuple[float, ...]
    reach: float  # radius about the solid's own origin that holds it
    frame: Placed
    group: int
    part: int
    place: Placed
    fold: Fold
    folds: tuple[float, ...]
    join: Join = ADD
    blend: float = 0.0
    rounding: float = 0.0
    outline: int = 0
    steepness: float = 0.0  # of a relief: height over wavelength

    def sphere(self) -> tuple[Float64Array, float]:
        """Return the centre and the radius of a sphere that holds every copy of the solid."""
        reach = self.reach * self.place.scale + self.rounding
        at = self.place.at
        if self.fold is MIRROR:
            reach, at = reach + abs(float(at[0])), at * (0.0, 1.0, 1.0)
        elif self.fold is GRID:
            reach += float(np.hypot(self.folds[0] * self.folds[2], self.folds[1] * self.folds[3]))
        elif self.fold is RING:
            reach, at = reach + float(np.hypot(at[0], at[2])), at * (0.0, 1.0, 0.0)
        return self.frame.point(at), reach * self.frame.scale


_WHOLE = ("solid", "join", "fold", "group", "part", "outline")
ROW = np.dtype(
    [(name, np.int64) for name in _WHOLE]
    + [(name, np.float64) for name in ("blend", "rounding", "scale", "radius")]
    + [("folds", np.float64, 4), ("centre", np.float64, 3), ("numbers", np.float64, 8)]
    + [("frame", np.float64, (3, 4)), ("place", np.float64, (3, 4))],
    align=True,
)
"""An operation as kernels read it: lengths in the shape's space, `scale` of the solid's own space, motions inverted.

centre, radius: of the sphere beyond which the operation changes nothing.
"""


class Shape(NamedTuple):
    """rows: of the type `ROW`, sorted by group. outlines: float64 (P, SAMPLES, SAMPLES). lattice: see `reliefs`.

    The shape lies within `radius` about the origin. bumps: how far reliefs reach. caution: the part of a distance that
    a ray may step, for bounds that are too high. parts: how many parts (materials) there are.
    """

    rows: Table
    outlines: Float64Array
    lattice: Float64Array
    radius: float
    bumps: float
    caution: float
    parts: int


def assemble(operations: list[Operation], outlines: list[Float64Array]) -> Shape:
    """Write the operations as rows, moved and scaled into the sphere of radius 1."""
    spheres = [o.sphere() for o in operations if o.join is ADD and o.solid is not Solid.RELIEF]
    low = np.min([at - radius for at, radius in spheres], axis=0)
    high = np.max([at + radius for at, radius in spheres], axis=0)
    middle = (low + high) / 2
    radius = max(float(np.linalg.norm(at - middle)) + reach for at, reach in spheres)
    fit = Placed(EYE, -middle / radius, 1 / radius)
    rows = np.zeros(len(operations), ROW)
    for row, operation in zip(rows, sorted(operations, key=lambda o: o.group), strict=True):
        o = replace(operation, frame=fit.then(operation.frame))
        row["scale"] = o.frame.scale * o.place.scale
        row["blend"], row["rounding"] = o.blend * o.frame.scale, o.rounding * o.frame.scale
        if o.fold is NONE:
            o = replace(o, frame=o.frame.then(o.place), place=Placed())
        for name in _WHOLE:
            row[name] = getattr(o, name)
        row["folds"][: len(o.folds)], row["numbers"][: len(o.numbers)] = o.folds, o.numbers
        row["frame"], row["place"] = o.frame.inverse(), o.place.inverse()
        row["centre"], reach = o.sphere()
        row["radius"] = 1e6 if o.solid is Solid.RELIEF else reach + 2 * row["blend"]
    reliefs = rows[rows["solid"] == Solid.RELIEF]
    heights = np.bincount(reliefs["group"], np.abs(reliefs["numbers"][:, 1]) * reliefs["scale"])
    bumps, steep = float(heights.max(initial=0.0)), max(o.steepness for o in operations)
    caution = float(0.9 / np.sqrt(1.0 + (2.0 * steep) ** 2))
    table = np.stack(outlines) if outlines else np.zeros((1, SAMPLES, SAMPLES))
    return Shape(rows, table, LATTICE, 1.0 + bumps, bumps, caution, 1 + max(o.part for o in operations))
