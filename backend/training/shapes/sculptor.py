# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists a shape's operations, solid by solid: every kind of thing is drawn with it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Self, TypedDict, TypeVar, Unpack

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Float64Array
from . import profiles
from .reliefs import EMBOSSED
from .solids import EYE, NONE, Fold, Join, Operation, Placed, Shape, Solid, assemble

Point = Float64Array | tuple[float, float, float]
_T = TypeVar("_T")


class Rest(TypedDict, total=False):
    """What every solid may be given: how it lies, how it meets its group, and a fold that needs no numbers."""

    turn: Float64Array
    blend: float
    join: Join
    fold: Fold


class Sculptor:
    """A list of operations that grows, and the place, group and part that the next one gets.

    Lengths are in the units of the present place; angles in radians. y is up, z towards the front. What adds something
    returns the sculptor, so that a solid can follow what begins its group, and a relief the solid that it is on.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.place = Placed()
        self.operations: list[Operation] = []
        self.outlines: list[Float64Array] = []
        self.group = self.part = 0
        self.parts = 1
        self.fold: tuple[Fold, tuple[float, ...]] = (NONE, ())

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between two."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Draw whether something with a probability happens."""
        return bool(self.rng.random() < probability)

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def one_of(self, *options: _T) -> _T:
        """Draw one of several, all alike likely."""
        return options[self.whole(0, len(options) - 1)]

    @contextmanager
    def at(self, at: Point = (0, 0, 0), scale: float = 1.0, turn: Float64Array = EYE) -> Generator[None]:
        """Work at a place within the present one."""
        before = self.place
        self.place = before.then(Placed(turn, np.asarray(at, np.float64), scale))
        yield
        self.place = before

    @contextmanager
    def folded(self, fold: Fold, *numbers: float) -> Generator[None]:
        """Repeat what is added: its own positions are taken after the present place's space is folded."""
        self.fold = (fold, numbers)
        yield
        self.fold = (NONE, ())

    def begin(self, *, part: bool = True) -> Self:
        """Begin a group that meets those before it at a crease; by default also a part (of its own material)."""
        self.group += 1
        if part:
            self.part = self.parts
            self.parts += 1
        return self

    def ball(self, at: Point, a: float, b: float = 0, c: float = 0, **rest: Unpack[Rest]) -> Self:
        """Add an ellipsoid of half axes a, b, c (by default a)."""
        b, c = b or a, c or a
        return self._add(Solid.ELLIPSOID, (a, b, c), max(a, b, c), at, **rest)

    def box(self, at: Point, a: float, b: float, c: float, rounding: float = 0.0, **rest: Unpack[Rest]) -> Self:
        """Add a box of half sides a, b, c, its edges rounded."""
        r = min(rounding, 0.9 * min(a, b, c))
        reach = float(np.hypot(np.hypot(a - r, b - r), c - r))
        return self._add(Solid.BOX, (a - r, b - r, c - r), reach, at, rounding=r, **rest)

    def superquadric(self, at: Point, a: float, b: float, c: float, p: float, q: float, **rest: Unpack[Rest]) -> Self:
        """Add a superquadric of half axes a, b, c and exponents p (around y), q (along y), at least 2."""
        return self._add(Solid.SUPERQUADRIC, (a, b, c, p, q), float(np.sqrt(a * a + b * b + c * c)), at, **rest)

    def limb(self, start: Point, end: Point, ra: float, rb: float, **rest: Unpack[Rest]) -> Self:
        """Add a capsule between two points whose radius goes from ra to rb."""
        a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
        middle, reach = (a + b) / 2, float(np.linalg.norm(b - a)) / 2 + max(ra, rb)
        return self._add(Solid.CAPSULE, (*(a - middle), *(b - middle), ra, rb), reach, middle, **rest)

    def tube(self, points: Float64Array, radii: ArrayLike, **rest: Unpack[Rest]) -> Self:
        """Add limbs along a line of points (V, 3), radii (V) or one for all."""
        wide = np.broadcast_to(np.asarray(radii, np.float64), len(points))
        for k in range(len(points) - 1):
            self.limb(points[k], points[k + 1], float(wide[k]), float(wide[k + 1]), **rest)
        return self

    def cone(self, at: Point, low: float, top: float, h: float, rounding: float = 0, **rest: Unpack[Rest]) -> Self:
        """Add a cone frustum (or cylinder) about y: radii at the bottom and at the top, half height."""
        r = min(rounding, 0.9 * h, 0.9 * max(low, top))
        numbers, reach = (max(low - r, 0.0), max(top - r, 0.0), h - r), float(np.hypot(max(low, top), h))
        return self._add(Solid.CONE, numbers, reach, at, rounding=r, **rest)

    def torus(self, at: Point, ring: float, tube: float, **rest: Unpack[Rest]) -> Self:
        """Add a torus about y."""
        return self._add(Solid.TORUS, (ring, tube), ring + tube, at, **rest)

    def lathe(self, points: Float64Array, wall: float = 0.0, **rest: Unpack[Rest]) -> Self:
        """Turn a line of (radius, height) points (V, 2) about y: solid, or a shell of half thickness `wall`."""
        size = float(np.abs(points).max()) + wall
        if wall:
            samples = profiles.stroked(points / size, wall / size)
        else:
            right = points[np.argsort(points[:, 1], kind="stable")] if points[0, 1] > points[-1, 1] else points
            samples = profiles.filled(np.concatenate([right, right[::-1] * (-1, 1)]) / size)
        return self._add(Solid.LATHE, (size,), 1.42 * size, (0, 0, 0), outline=self.outline(samples), **rest)

    def extrude(self, at: Point, corners: ArrayLike, half: float, bevel: float = 0.0, **rest: Unpack[Rest]) -> Self:
        """Pull a closed outline (V, 2) to half a depth to each side along z."""
        line = np.asarray(corners, np.float64)
        size = float(np.abs(line).max())
        numbers, reach = (size, half, min(bevel, 0.9 * half)), float(np.hypot(1.42 * size, half))
        outline = self.outline(profiles.filled(line / size))
        return self._add(Solid.EXTRUSION, numbers, reach, at, outline=outline, **rest)

    def relief(
        self, kind: int, amplitude: float, frequency: float, p: float = 0.5, q: float = 0.2, *, around: bool = False,
        turn: Float64Array = EYE, outline: int = 0,
    ) -> Self:  # fmt: skip
        """Push the present group's surface in and out: see `reliefs`. around: unrolled about y at radius 1."""
        steep = amplitude * frequency * (1.5 if kind == EMBOSSED else 1.0)
        numbers = (kind, amplitude, frequency, p, q, float(around))
        return self._add(Solid.RELIEF, numbers, 0.0, (0, 0, 0), turn, outline=outline, steepness=steep)

    def outline(self, samples: Float64Array) -> int:
        """Keep a profile's samples, and return its number."""
        self.outlines.append(samples)
        return len(self.outlines) - 1

    def _add(
        self, solid: Solid, numbers: tuple[float, ...], reach: float, at: Point, turn: Float64Array = EYE,
        fold: Fold = NONE, **rest: Any,  # noqa: ANN401
    ) -> Self:  # fmt: skip
        where = (self.place, self.group, self.part, Placed(turn, np.asarray(at, np.float64)))
        fold, folds = (fold, ()) if fold else self.fold
        self.operations.append(Operation(solid, numbers, reach, *where, fold, folds, **rest))
        return self

    def shape(self) -> Shape:
        """Return the shape that the operations make."""
        used = sorted({o.part for o in self.operations})
        return assemble([replace(o, part=used.index(o.part)) for o in self.operations], self.outlines)


def _about(axis: int, angle: float) -> Float64Array:
    """Return the rotation about an axis (0 to 2), float64 (3, 3)."""
    turn, i, j = np.eye(3), (axis + 1) % 3, (axis + 2) % 3
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[j, i] = np.sin(angle)
    turn[i, j] = -turn[j, i]
    return turn


about_x, about_y, about_z = (partial(_about, axis) for axis in range(3))


def any_turn(rng: np.random.Generator) -> Float64Array:
    """Draw a rotation, float64 (3, 3), all alike likely."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))
