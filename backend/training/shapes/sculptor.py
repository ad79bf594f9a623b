# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists a shape's operations, solid by solid: every kind of thing is drawn with it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self, TypedDict, Unpack

import numpy as np

from ...arrays import Float64Array
from . import profiles
from .reliefs import EMBOSSED
from .solids import NONE, Fold, Join, Operation, Placed, Shape, Solid, assemble

Point = Float64Array | tuple[float, float, float]


class Rest(TypedDict, total=False):
    """What every solid may be given: how it lies, how it meets its group, and a fold that needs no numbers."""

    turn: Float64Array | None
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

    @contextmanager
    def at(
        self, x: float = 0.0, y: float = 0.0, z: float = 0.0, scale: float = 1.0, turn: Float64Array | None = None
    ) -> Generator[None, None, None]:
        """Work at a place within the present one."""
        before = self.place
        self.place = before.then(_placed((x, y, z), turn, scale))
        yield
        self.place = before

    @contextmanager
    def folded(self, fold: Fold, *numbers: float) -> Generator[None, None, None]:
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

    def ball(self, x: float, y: float, z: float, a: float, b: float = 0, c: float = 0, **rest: Unpack[Rest]) -> Self:
        """Add an ellipsoid of half axes a, b, c (by default a)."""
        b, c = b or a, c or a
        return self._add(Solid.ELLIPSOID, (a, b, c), max(a, b, c), (x, y, z), **rest)

    def box(
        self, x: float, y: float, z: float, a: float, b: float, c: float, rounding: float = 0.0, **rest: Unpack[Rest]
    ) -> Self:
        """Add a box of half sides a, b, c, its edges rounded."""
        r = min(rounding, 0.9 * min(a, b, c))
        reach = float(np.hypot(np.hypot(a - r, b - r), c - r))
        return self._add(Solid.BOX, (a - r, b - r, c - r), reach, (x, y, z), rounding=r, **rest)

    def superquadric(
        self, x: float, y: float, z: float, a: float, b: float, c: float, p: float, q: float, **rest: Unpack[Rest]
    ) -> Self:
        """Add a superquadric of half axes a, b, c and exponents p (around y), q (along y), at least 2."""
        reach = float(np.sqrt(a * a + b * b + c * c))
        return self._add(Solid.SUPERQUADRIC, (a, b, c, p, q), reach, (x, y, z), **rest)

    def limb(self, start: Point, end: Point, ra: float, rb: float, **rest: Unpack[Rest]) -> Self:
        """Add a capsule between two points whose radius goes from ra to rb."""
        a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
        middle = (a + b) / 2
        reach = float(np.linalg.norm(b - a)) / 2 + max(ra, rb)
        return self._add(Solid.CAPSULE, (*(a - middle), *(b - middle), ra, rb), reach, middle, **rest)

    def tube(self, points: Float64Array, radii: Float64Array, **rest: Unpack[Rest]) -> Self:
        """Add limbs along a line of points (V, 3), radii (V)."""
        for k in range(len(points) - 1):
            self.limb(points[k], points[k + 1], float(radii[k]), float(radii[k + 1]), **rest)
        return self

    def cone(
        self, x: float, y: float, z: float, low: float, top: float, h: float, rounding: float = 0, **rest: Unpack[Rest]
    ) -> Self:
        """Add a cone frustum (or cylinder) about y: radii at the bottom and at the top, half height."""
        r = min(rounding, 0.9 * h, 0.9 * max(low, top))
        numbers, reach = (max(low - r, 0.0), max(top - r, 0.0), h - r), float(np.hypot(max(low, top), h))
        return self._add(Solid.CONE, numbers, reach, (x, y, z), rounding=r, **rest)

    def torus(self, x: float, y: float, z: float, ring: float, tube: float, **rest: Unpack[Rest]) -> Self:
        """Add a torus about y."""
        return self._add(Solid.TORUS, (ring, tube), ring + tube, (x, y, z), **rest)

    def lathe(
        self, x: float, y: float, z: float, points: Float64Array, wall: float = 0.0, **rest: Unpack[Rest]
    ) -> Self:
        """Turn a line of (radius, height) points (V, 2) about y: solid, or a shell of half thickness `wall`."""
        size = float(np.abs(points).max()) + wall
        if wall:
            samples = profiles.stroked(points / size, np.full(len(points), wall / size))
        else:
            right = points[np.argsort(points[:, 1], kind="stable")] if points[0, 1] > points[-1, 1] else points
            samples = profiles.filled(np.concatenate([right, right[::-1] * (-1, 1)]) / size)
        return self._add(Solid.LATHE, (size,), 1.42 * size, (x, y, z), outline=self.outline(samples), **rest)

    def extrude(
        self, x: float, y: float, z: float, corners: Float64Array, half: float, bevel: float = 0.0, **rest: Unpack[Rest]
    ) -> Self:
        """Pull a closed outline (V, 2) to half a depth to each side along z."""
        size = float(np.abs(corners).max())
        numbers, reach = (size, half, min(bevel, 0.9 * half)), float(np.hypot(1.42 * size, half))
        outline = self.outline(profiles.filled(corners / size))
        return self._add(Solid.EXTRUSION, numbers, reach, (x, y, z), outline=outline, **rest)

    def relief(
        self, kind: int, amplitude: float, frequency: float, p: float = 0.5, q: float = 0.2, *, around: bool = False,
        turn: Float64Array | None = None, outline: int = 0,
    ) -> Self:  # fmt: skip
        """Push the present group's surface in and out: see `reliefs`. around: unrolled about y at radius 1."""
        steep = amplitude * frequency * (1.5 if kind == EMBOSSED else 1.0)
        frame = self.place if turn is None else self.place.then(Placed(turn))
        numbers, where = (kind, amplitude, frequency, p, q, float(around)), (frame, self.group, self.part)
        self.operations.append(Operation(Solid.RELIEF, numbers, 0.0, *where, outline=outline, steepness=steep))
        return self

    def outline(self, samples: Float64Array) -> int:
        """Keep a profile's samples, and return its number."""
        self.outlines.append(samples)
        return len(self.outlines) - 1

    def _add(
        self, solid: Solid, numbers: tuple[float, ...], reach: float, at: Point, turn: Float64Array | None = None,
        fold: Fold = NONE, **rest: Any,  # noqa: ANN401
    ) -> Self:  # fmt: skip
        where = (self.place, self.group, self.part, _placed(at, turn))
        fold, folds = (fold, ()) if fold else self.fold
        self.operations.append(Operation(solid, numbers, reach, *where, fold, folds, **rest))
        return self

    def shape(self) -> Shape:
        """Return the shape that the operations make."""
        used = sorted({o.part for o in self.operations})
        return assemble([replace(o, part=used.index(o.part)) for o in self.operations], self.outlines)


def _placed(at: Point, turn: Float64Array | None, scale: float = 1.0) -> Placed:
    return Placed(np.eye(3) if turn is None else turn, np.asarray(at, np.float64), scale)


def shifted(point: Float64Array, x: float, y: float, z: float) -> Float64Array:
    """Return a point moved by x, y, z."""
    return point + np.array([x, y, z])


def xyz(point: Float64Array) -> tuple[float, float, float]:
    """Return a point's three coordinates."""
    return float(point[0]), float(point[1]), float(point[2])


def about_x(angle: float) -> Float64Array:
    """Return the rotation about x, float64 (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_y(angle: float) -> Float64Array:
    """Return the rotation about y, float64 (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def about_z(angle: float) -> Float64Array:
    """Return the rotation about z, float64 (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def any_turn(rng: np.random.Generator) -> Float64Array:
    """Draw a rotation, float64 (3, 3), all alike likely."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))
