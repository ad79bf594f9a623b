# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists a shape's operations, solid by solid: every kind of thing is drawn with it."""

from collections.abc import Callable, Generator
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
Number = float | tuple[float, float]  # or the two that it is drawn between
Repeat = Fold | tuple[Fold, *tuple[float, ...]]  # with the fold's numbers, if it needs any
HERE: Point = (0.0, 0.0, 0.0)
_T = TypeVar("_T")


class Rest(TypedDict, total=False):
    """What every solid may be given: how it lies, how it meets its group, and how it is repeated."""

    turn: Float64Array
    blend: float
    join: Join
    fold: Repeat


class Sculptor:
    """A list of operations that grows, and the place, group and part that the next one gets.

    Lengths are in the units of the present place; angles in radians. y is up, z towards the front. What adds something
    returns the sculptor, so that a solid can follow what begins its group, and a relief the solid that it is on. A part
    has a material of its own.

    What chance leaves out is still called, so that a thing reads as one list without `if`s:

        s.perhaps(0.6).ball(at, s.draw(1, 2)).otherwise().box(at, 1, 1, 1)

    A call that is left out adds nothing. Numbers drawn for it, its arguments too, come from a spare generator, so that
    a shape's own random numbers are those of an `if`. Draw what later calls need before `perhaps` or `begin`.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.generators = rng, np.random.default_rng(0)
        self.place = Placed()
        self.operations: list[Operation] = []
        self.outlines: list[Float64Array] = []
        self.group = self.part = 0
        self.parts = 1
        self.fold: Repeat = NONE
        self.left_out = 0.0  # how many of the next operations are not added; infinite: all to the next `begin` or `end`
        self.taken = True  # whether what followed the last `perhaps` was added

    @property
    def rng(self) -> np.random.Generator:
        """What random numbers are drawn from next."""
        return self.generators[self.left_out > 0]

    def draw(self, low: float, high: float) -> float:
        """Draw a number between two."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Draw whether something with a probability happens; what is certain or impossible needs no random number."""
        return probability >= 1 or (probability > 0 and bool(self.rng.random() < probability))

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def one_of(self, *options: _T) -> _T:
        """Draw one of several, all alike likely."""
        return options[self.whole(0, len(options) - 1)]

    def perhaps(self, chance: float, count: float = 1) -> Self:
        """Add the next operation, or the next `count`, with this probability only. A tube is one a limb."""
        if not self.left_out:
            self.taken = self.chance(chance)
            self.left_out = 0 if self.taken else count
        return self

    def otherwise(self, count: float = 1) -> Self:
        """Add the next operation, or the next `count`, only if the last `perhaps` left its own out."""
        return self.perhaps(not self.taken, count)

    def begin(self, *, chance: float = 1, part: float = 1) -> Self:
        """Begin a group that meets those before it at a crease. chance: of being there; part: of being a part too."""
        self.end().perhaps(chance, np.inf)
        self.group += not self.left_out
        if self.chance(part) and not self.left_out:
            self.part, self.parts = self.parts, self.parts + 1
        return self

    def end(self) -> Self:
        """End the present group: numbers that are drawn next do not belong to it, even if it is left out."""
        self.left_out = 0
        return self

    @contextmanager
    def at(self, at: Point = HERE, scale: float = 1, turn: Float64Array = EYE, fold: Repeat = NONE) -> Generator[None]:
        """Work at a place within the present one, its space folded; a group that is left out within ends with it."""
        before = self.place, self.fold, self.left_out
        self.place, self.fold = self.place.then(Placed(turn, np.asarray(at, np.float64), scale)), fold
        yield
        self.place, self.fold, self.left_out = before

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
        """Turn a line of (radius, height) points (V, 2), upwards, about y: solid, or a shell of half thickness wall."""
        size = float(np.abs(points).max()) + wall
        sample = partial(profiles.stroked, thickness=wall / size) if wall else profiles.filled
        line = points if wall else np.concatenate([points, points[::-1] * (-1, 1)])
        outline = self._keep(sample, line / size)
        return self._add(Solid.LATHE, (size,), 1.42 * size, HERE, outline=outline, **rest)

    def extrude(self, at: Point, corners: ArrayLike, half: float, bevel: float = 0.0, **rest: Unpack[Rest]) -> Self:
        """Pull a closed outline (V, 2) to half a depth to each side along z."""
        line = np.asarray(corners, np.float64)
        size = float(np.abs(line).max())
        numbers, reach = (size, half, min(bevel, 0.9 * half)), float(np.hypot(1.42 * size, half))
        return self._add(Solid.EXTRUSION, numbers, reach, at, outline=self._keep(profiles.filled, line / size), **rest)

    def relief(
        self, kind: int, amplitude: Number, frequency: Number, p: Number = 0.5, q: Number = 0.2, *,
        around: bool = False, turn: Float64Array = EYE, outline: ArrayLike | None = None,
    ) -> Self:  # fmt: skip
        """Push the present group's surface in and out: see `reliefs`. around: unrolled about y at radius 1."""
        numbers = [self.draw(*n) if isinstance(n, tuple) else n for n in (amplitude, frequency, p, q)]
        steep = numbers[0] * numbers[1] * (1.5 if kind == EMBOSSED else 1.0)
        which = 0 if outline is None else self._keep(profiles.filled, np.asarray(outline, np.float64))
        numbers = (kind, *numbers, float(around))
        return self._add(Solid.RELIEF, numbers, 0.0, HERE, turn, outline=which, steepness=steep)

    def _keep(self, sample: Callable[[Float64Array], Float64Array], line: Float64Array) -> int:
        """Keep a profile's samples, and return its number."""
        self.outlines += [] if self.left_out else [sample(line)]
        return len(self.outlines) - 1

    def _add(
        self, solid: Solid, numbers: tuple[float, ...], reach: float, at: Point, turn: Float64Array = EYE,
        fold: Repeat = NONE, **rest: Any,  # noqa: ANN401
    ) -> Self:  # fmt: skip
        if self.left_out:
            self.left_out -= 1
            return self
        fold = fold or self.fold
        kind, *folds = fold if isinstance(fold, tuple) else (fold,)
        where = (self.place, self.group, self.part, Placed(turn, np.asarray(at, np.float64)))
        self.operations.append(Operation(solid, numbers, reach, *where, kind, tuple(folds), **rest))
        return self

    def shape(self) -> Shape:
        """Return the shape that the operations make."""
        used = sorted({o.part for o in self.operations})
        return assemble([replace(o, part=used.index(o.part)) for o in self.operations], self.outlines)


def _about(axis: int, angle: float) -> Float64Array:
    """Return the rotation about an axis (0 to 2), float64 (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.roll([[c, -s, 0], [s, c, 0], [0, 0, 1]], axis + 1, (0, 1))


about_x, about_y, about_z = (partial(_about, axis) for axis in range(3))


def any_turn(rng: np.random.Generator) -> Float64Array:
    """Draw a rotation, float64 (3, 3), all alike likely."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))
