# SPDX-License-Identifier: GPL-3.0-or-later
"""Made things: houses, cars, helmets and machine parts; vessels, chairs, dice, stacked toys, hanging cloth."""

from itertools import product

import numpy as np

from ...arrays import Float64Array
from .profiles import evenly, smooth_line
from .reliefs import DENTS, EMBOSSED, FOLDS, PANELS, RIBS, RIDGES, ROCK, SCALES, STRANDS
from .sculptor import Sculptor, about_x, about_y, about_z, any_turn
from .solids import ADD, CUT, EYE, GRID, MIRROR, RING

_SIDEWAYS, _LENGTHWISE, _ACROSS = about_y(np.pi / 2), about_y(-np.pi / 2), about_z(np.pi / 2)
_TILES = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # on both slopes alike: rows along the ridge
_UPRIGHT = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # lays x along y


def house(s: Sculptor) -> None:
    """Draw a house under a gabled roof."""
    with s.at(turn=about_y(s.draw(-1.0, 1.0))):
        w, h, d, rise = s.draw(0.5, 0.8), s.draw(0.3, 0.6), s.draw(0.5, 0.9), s.draw(0.3, 0.8)
        s.begin().extrude((0, 0, 0), [(-w, -h), (w, -h), (w, h), (0, h + rise), (-w, h)], d)
        s.perhaps(0.6).relief(s.one_of(PANELS, ROCK), (0.005, 0.015), (5, 12), (1.5, 3.0), 0.06)
        _openings(s, w, h, d)
        over, thick = s.draw(0.05, 0.2), s.draw(0.03, 0.06)
        slope, lean = float(np.hypot(w, rise)), about_z(-float(np.arctan2(rise, w)))
        s.begin()  # the roof
        for side in (-1, 1):
            with s.at((side * w / 2, h + rise / 2, 0), turn=about_y(0.0 if side > 0 else np.pi) @ lean):
                s.box((over / 2, thick, 0), slope / 2 + over / 2 + thick * 0.5, thick, d + over, rounding=0.01)
        kind, top, end = s.whole(0, 2), h + rise + thick, d + over
        s.perhaps(kind == 0).relief(SCALES, (0.015, 0.035), (4, 9), (0.7, 1.3), turn=_TILES)
        s.perhaps(kind == 1).relief(PANELS, (0.01, 0.02), (4, 8), (1, 2), 0.1, turn=_TILES)
        s.perhaps(kind == 2).relief(STRANDS, (0.02, 0.04), (6, 12), 0.3)
        s.begin(chance=0.5, part=0.5).limb((0, top, -end), (0, top, end), 1.4 * thick, 1.4 * thick)
        with s.begin(chance=0.6).at(fold=MIRROR):  # the timber of a half-timbered front
            b, out = s.draw(0.03, 0.06), s.draw(0.015, 0.04)
            s.box((w, 0, d), b, h, b).box((w, 0, -d), b, h, b).limb((w, h, d), (0, h + rise, d), b, b)
            s.perhaps(0.6).limb((0.95 * w, -h * 0.9, d), (0.35 * w, h * 0.9, d), 0.7 * b, 0.7 * b)
        s.box((0, h, d), w, b, out).box((0, -h + b, d), w, b, out).perhaps(0.5).box((0, 0, d), w, 0.8 * b, out)
        s.box((0, h + 0.5 * rise, d), b, 0.5 * rise, out).relief(STRANDS, 0.008, 9)
        s.begin(chance=0.6).box((s.draw(-0.5, 0.5) * w, h + rise, s.draw(-0.5, 0.3) * d), 0.08, 0.3, 0.08)
        s.relief(PANELS, 0.01, 14, 2.0, 0.08)  # a chimney's bricks
        s.begin(chance=0.5).box((0, -h - 0.04, 0), w + 0.1, s.draw(0.04, 0.15), d + 0.1, rounding=0.01)
        s.perhaps(0.5).relief(PANELS, 0.012, 7, 1.8, 0.08)
        for _ in range(s.end().whole(0, 4)):  # crates
            size = s.draw(0.07, 0.15)
            at = s.draw(-1, 1) * (w + 0.15), -h + size, d + s.draw(0.15, 0.4)
            with s.begin().at(at, turn=about_y(s.draw(-0.6, 0.6))):
                s.box((0, 0, 0), size, size, size, rounding=0.01)
                s.box((0, 0, size), 0.75 * size, 0.75 * size, 0.2 * size, join=CUT)


def _openings(s: Sculptor, w: float, h: float, d: float) -> None:
    """Cut windows into the walls' group, and set frames and a door in groups of their own."""
    wide, high, deep = s.draw(0.08, 0.14), s.draw(0.1, 0.18), s.draw(0.02, 0.06)
    y, apart = s.draw(-0.1, 0.25) * h, s.draw(0.5, 0.6) * w
    s.box((apart, y, d), wide, high, deep, join=CUT, fold=MIRROR)
    with s.at(turn=_SIDEWAYS):
        s.box((0, y, w), wide, high, deep, join=CUT, fold=(GRID, 0.55 * d, 1, 1, 0))
    door, bar = s.draw(0.2, 0.3), s.draw(0.012, 0.025)
    s.box((0, -h + 0.55 * h, d), door * 0.6, 0.55 * h, deep, join=CUT)
    with s.begin().at(fold=MIRROR):
        s.box((apart, y, d), wide, bar, 0.5 * bar).box((apart, y, d), bar, high, 0.5 * bar)
        s.box((apart, y - high, d), wide + bar, bar, 2 * bar).box((apart, y + high, d), wide + bar, bar, 1.5 * bar)
    with s.at(turn=_SIDEWAYS, fold=(GRID, 0.55 * d, 1, 1, 0)):
        s.box((0, y, w), wide, bar, 0.5 * bar).box((0, y, w), bar, high, 0.5 * bar)
        s.box((0, y - high, w), wide + bar, bar, 2 * bar)
    s.begin().box((0, -h + 0.55 * h, d - 0.6 * deep), door * 0.6, 0.55 * h, 0.4 * deep)
    s.relief(PANELS, 0.01, (6, 10), 5.0, 0.08, turn=_ACROSS)
    s.ball((0.4 * door, -h + 0.5 * h, d - 0.1 * deep), 0.02)


def tower(s: Sculptor) -> None:
    """Draw a round or square tower of stone with battlements or a pointed roof."""
    wide, high, round_ = s.draw(0.25, 0.45), s.draw(0.6, 1.0), s.chance(0.6)
    s.begin().perhaps(round_).cone((0, 0, 0), wide * 1.1, wide, high).otherwise().box((0, 0, 0), wide, high, wide)
    with s.at(fold=(RING, s.whole(3, 6))):
        s.box((wide, s.draw(-0.3, 0.3), 0), 0.15, s.draw(0.08, 0.16), s.draw(0.04, 0.07), join=CUT)
    s.relief(PANELS, (0.01, 0.025), (5, 9), (1.2, 2.2), 0.08, around=round_)
    s.begin().perhaps(0.5, 2).cone((0, high + 0.3, 0), wide * 1.3, 0.0, 0.35)
    s.relief(SCALES, 0.02, (6, 10), 0.4, around=True)
    s.otherwise(2).cone((0, high, 0), 1.2 * wide, 1.2 * wide, 0.1)
    s.box((1.1 * wide, high + 0.15, 0), 0.06, 0.08, 0.06, fold=(RING, s.whole(6, 10)))


def car(s: Sculptor) -> None:
    """Draw a car or a truck, 2 long: body with arches and panel lines, a cabin with windows, wheels, lamps, bumpers."""
    with s.at(turn=about_y(s.draw(-np.pi, np.pi) if s.chance(0.4) else s.rng.choice((-1, 1)) * s.draw(0.2, 1.4))):
        wide, high = s.draw(0.36, 0.46), s.draw(0.13, 0.22)
        wheel, axle, truck = s.draw(0.15, 0.24), s.draw(0.55, 0.66), s.chance(0.3)
        nose, tail = s.draw(0.4, 0.9) * high, s.draw(0.6, 1.0) * high
        front = [(-1, -high), (1, -high), (1, nose - 0.05), (0.9, nose), (0.45, high)]
        side = np.array([*front, (-0.5, high), (-0.93, tail), (-1, tail - 0.06)])
        line = side if truck or s.chance(0.4) else smooth_line(side, 48, closed=True)
        s.begin().extrude((0, 0, 0), line, wide, s.draw(0.03, 0.09), turn=_LENGTHWISE)
        with s.at(fold=MIRROR):
            for z in (-axle, axle):
                s.cone((wide, -high, z), 1.2 * wheel, 1.2 * wheel, 0.15, turn=_ACROSS, join=CUT, blend=0.02)
            groove = s.draw(0.006, 0.012)
            for z in (0.4, -0.02, -0.42)[: s.whole(1, 3)]:
                s.box((wide, 0, z), 0.02, 0.8 * high, groove, join=CUT)
            s.box((wide, s.draw(-0.4, 0.3) * high, 0), 0.012, groove, 1, join=CUT)
        s.box((0, high, 0.47), wide, 0.08, groove, join=CUT)
        _cabin(s, wide, high, truck=truck)
        with s.begin().at(fold=MIRROR):  # the wheels
            thick, spokes = s.draw(0.05, 0.09), s.whole(3, 10)
            for z in (-axle, axle):
                s.cone((wide - 0.6 * thick, -high, z), wheel, wheel, thick, rounding=0.03, turn=_ACROSS)
                s.cone((wide + 0.4 * thick, -high, z), 0.65 * wheel, 0.65 * wheel, 0.5 * thick, turn=_ACROSS, join=CUT)
        s.begin()
        for side, z in product((-1, 1), (-axle, axle)):
            with s.at((side * (wide - 0.1 * thick), -high, z), turn=_ACROSS, fold=(RING, spokes)):
                s.box((0.35 * wheel, 0, 0), 0.35 * wheel, 0.3 * thick, 0.1 * wheel, rounding=0.01)
                s.cone((0, 0, 0), 0.15 * wheel, 0.15 * wheel, 0.45 * thick)
        lamp = s.begin().draw(0.05, 0.08)
        for z, deep in ((1, 0.03), (-1, 0.02)):
            s.ball((0.72 * wide, 0.45 * nose, z - 0.01), lamp * s.draw(1.0, 1.6), lamp, deep, fold=MIRROR)
        s.begin().box((0, -0.65 * high, 0), 0.98 * wide, 0.22 * high, 1.03, rounding=0.03)  # bumpers
        s.box((0, -0.6 * high, 0), 2, high, 0.85, join=CUT)
        s.begin(chance=0.7).box((0, 0.1 * high, 1), 0.4 * wide, 0.3 * nose, 0.02)
        s.relief(PANELS, 0.015, (12, 20), 8.0, 0.2)


def _cabin(s: Sculptor, wide: float, high: float, *, truck: bool) -> None:
    up, back, lean = s.draw(0.2, 0.34), -0.15 if truck else s.draw(-0.75, -0.5), s.draw(0.1, 0.3)
    roof = np.array([(back, 0), (back + 0.6 * lean, up), (0.35 - lean, up), (0.45, 0), (0.4, -0.08), (back, -0.08)])
    middle, y = (back + 0.45) / 2, high + up / 2 + 0.01
    corners = smooth_line(roof - (middle, 0), 40, closed=True) if s.chance(0.3) else roof - (middle, 0)
    s.begin(part=0).extrude((0, high, middle), corners, 0.88 * wide, s.draw(0.03, 0.08), turn=_LENGTHWISE)
    glass = 0.8 * (roof[:4] - (middle, up / 2)) * (1, 0.85)
    s.perhaps(0.8, 2).extrude((0.88 * wide, y, middle), glass, 0.02, turn=_LENGTHWISE, join=CUT, fold=MIRROR)
    s.box((0.9 * wide, high + up / 2, middle), 0.03, up, 0.02, fold=MIRROR)
    s.begin().extrude((0, y, middle), 1.15 * glass, 0.84 * wide, 0.04, turn=_LENGTHWISE)
    s.ball((wide * 1.05, high + 0.06, 0.36), 0.06, 0.04, 0.03, fold=MIRROR)
    s.begin(chance=0.7 * truck, part=0).box((0, high, -0.6), 0.9 * wide, 0.1, 0.38)
    s.box((0, high + 0.05, -0.6), 0.8 * wide, 0.12, 0.33, join=CUT)


def helmet(s: Sculptor) -> None:
    """Draw a helmet: a shell that is open below, rails, bolts, straps, perhaps a visor."""
    with s.at(turn=about_y(s.draw(-1.3, 1.3)) @ about_x(s.draw(-0.3, 0.3))):
        a, b, c, low = s.draw(0.7, 0.85), s.draw(0.75, 0.95), s.draw(0.9, 1.05), s.draw(-0.35, 0.0)
        s.begin().ball((0, 0, 0), a, b, c).ball((0, -0.05, 0), a - 0.07, b - 0.07, c - 0.07, join=CUT)
        s.box((0, low - 1, 0.5), 2, 1 + s.draw(0.0, 0.25), 1.2, join=CUT, blend=0.05)
        s.box((0, low - 1.25, -0.6), 2, 1, 1.2, join=CUT, blend=0.05)
        s.perhaps(0.5).relief(ROCK, 0.004, 14).otherwise().perhaps(0.5).relief(RIBS, 0.02, (1.5, 4), q=0.3)
        with s.begin().at(fold=MIRROR):
            s.box((0.97 * a, low + 0.15, 0), 0.05, 0.06, 0.4, rounding=0.02, turn=about_x(s.draw(-0.3, 0.1)))
            for z in (-0.3, 0.0, 0.3):
                s.cone((0.99 * a, low + 0.3, z), 0.05, 0.05, 0.05, turn=_ACROSS, rounding=0.01)
        s.begin(chance=0.6).box((0, 0.3, c * 0.86), 0.16, 0.2, 0.12, rounding=0.03, turn=about_x(-0.3))
        s.box((0, 0.3, c * 0.98), 0.08, 0.1, 0.12, join=CUT, turn=about_x(-0.3))
        with s.begin(chance=0.6).at(fold=MIRROR):  # straps
            strap = smooth_line([(0.85 * a, low, 0.2), (0.75 * a, low - 0.5, 0.35), (0.0, low - 0.85, 0.5)], 6)
            s.tube(strap, 0.035).tube(strap * (1, 1, 0) + np.linspace((0, 0, -0.5), (0, 0, 0.45), 6), 0.03)
        s.box((0.5 * a, low - 0.6, 0.42), 0.06, 0.08, 0.05, rounding=0.02)
        s.begin(chance=0.3).ball((0, low + 0.15, 0.15), a + 0.02, 0.35, c).box((0, 0, -1.6), 2, 2, 1.9, join=CUT)


def mechanism(s: Sculptor) -> None:
    """Draw a machine part: a housing with flanges, bolts, pipes, ribs and gears."""
    with s.at(turn=about_y(s.draw(-1, 1))):
        w, h, d = s.draw(0.4, 0.8), s.draw(0.3, 0.6), s.draw(0.3, 0.6)
        s.begin().perhaps(0.5).box((0, 0, 0), w, h, d, rounding=s.draw(0.01, 0.15))
        s.otherwise().cone((0, 0, 0), w, w * s.draw(0.7, 1), h, rounding=s.draw(0.01, 0.1))
        s.perhaps(0.5).relief(RIBS, s.draw(0.015, 0.05), s.draw(4, 9), q=0.5, turn=s.one_of(EYE, _ACROSS))
        r = s.draw(0.2, 0.45)
        with s.begin().at((s.draw(-0.3, 0.3) * w, 0, d + 0.05), turn=about_x(np.pi / 2)):  # a flange
            s.cone((0, 0, 0), r, r, s.draw(0.05, 0.2), rounding=0.02)
            s.cone((0, 0.1, 0), 0.55 * r, 0.55 * r, 0.2, join=CUT)
            with s.at(fold=(RING, s.whole(4, 10))):
                s.cone((0.8 * r, 0.05 + s.draw(0.05, 0.15), 0), 0.08 * r, 0.08 * r, 0.06)
        for _ in range(s.begin().whole(1, 3)):  # pipes
            x, y = s.draw(-w, w), s.draw(0, h)
            bend, end = (s.draw(-1, 1), h + s.draw(0.1, 0.4), 0.2), (s.draw(-1, 1), 0, d)
            s.tube(smooth_line([(x, y, 0), (1.2 * x, h + 0.3, 0.1), bend, end], 9), s.draw(0.03, 0.1))
        s.begin(chance=0.6)
        gear = evenly(np.tile([0.8, 0.8, 0.97, 0.97], s.whole(8, 16))) * s.draw(0.3, 0.5)
        s.extrude((w, 0.2, d), gear, 0.08, 0.01, turn=about_y(s.draw(-0.6, 0.6)))
        s.begin(chance=0.5).box((0, -h, 0), w + 0.15, 0.06, d + 0.15, rounding=0.02)
        s.relief(EMBOSSED, 0.02, 2.0, q=0.05, outline=[(-0.8, -0.5), (0.8, -0.5), (0.8, 0.5), (-0.8, 0.5)])


def vessel(s: Sculptor) -> None:
    """Draw a hollow vessel, often tipped towards the viewer, so that its inside shows."""
    with s.at(turn=about_x(abs(s.rng.normal(0.0, 0.45))) if s.chance(0.7) else EYE):
        line, wall = _wall(s), s.draw(0.035, 0.09)
        (low, y), (high, top) = line[len(line) // 2], line[-2]
        s.begin().lathe(line, wall)
        s.perhaps(0.35).torus((0, line[-1, 1], 0), line[-1, 0], wall * s.draw(1.0, 1.7), blend=0.02)
        s.perhaps(0.4).cone((0, line[0, 1] - 0.05, 0), s.draw(0.3, 0.5), s.draw(0.25, 0.4), 0.08, 0.02, blend=0.04)
        _decorate(s)
        s.begin(chance=0.4, part=0.4)  # handles
        out, thick = s.draw(0.25, 0.5), s.draw(0.04, 0.09)
        points = [(high, top, 0), (high + out, top - 0.05, 0), (max(high, low) + out, (y + top) / 2, 0), (low, y, 0)]
        for k in range(2 if s.chance(0.3) else 1):
            with s.at(turn=about_y(np.pi * k + s.draw(-0.6, 0.6))):
                s.tube(smooth_line(points, 8), thick, blend=0.03)
        s.begin(chance=0.3)  # what it holds
        level = float(line[-1, 1]) - s.draw(0.1, 0.5)
        inside = float(np.interp(level, line[:, 1], line[:, 0]))
        s.perhaps(0.5).cone((0, level - 0.02, 0), inside, inside, 0.02)
        for _ in range(0 if s.taken else s.whole(1, 5)):
            s.ball(s.rng.normal((0, level, 0), 0.25 * float(line[:, 0].max())), s.draw(0.12, 0.25))


def _wall(s: Sculptor) -> Float64Array:
    """Draw a wall from the middle of the floor to the rim, (radius, height)."""
    height, foot, rim, kind = s.draw(0.3, 1.1), s.draw(0.3, 0.8), s.draw(0.5, 1.0), s.whole(0, 3)
    if kind == 0:  # bowl
        t = np.linspace(0, np.pi / 2, 20)
        return np.stack([rim * np.sin(t), -height * np.cos(t) ** s.draw(0.7, 1.3) + height / 2], axis=1)
    if kind == 1:  # cup
        corners = np.array([(0, -height), (foot * 0.9, -height), (foot, -height * 0.9), (rim, height)])
        return corners if s.chance(0.5) else smooth_line(corners, 24)
    if kind == 2:  # dish
        low = s.draw(0.1, 0.3)
        return smooth_line([(0, -low), (0.5, -low), (0.7, -0.5 * low), (1.0, low)], 24)
    belly, neck = s.draw(0.5, 0.95), s.draw(0.2, 0.7)
    body = [(0, -height), (0.4, -height), (belly, s.draw(-0.5, 0.1) * height), (neck, 0.6 * height)]
    return smooth_line([*body, (neck * s.draw(0.9, 1.5), height)], 30)


def _decorate(s: Sculptor) -> None:
    kind = s.rng.random()
    s.perhaps(kind < 0.2).relief(RIBS, s.draw(0.01, 0.04), s.whole(6, 30) / (2 * np.pi), q=(0.2, 1.0), around=True)
    s.perhaps(0.2 <= kind < 0.35).relief(RIBS, (0.006, 0.03), (3, 9), q=1.0, turn=_UPRIGHT)
    s.perhaps(0.35 <= kind < 0.45).relief(ROCK, (0.01, 0.05), (1, 6))
    s.perhaps(0.45 <= kind < 0.55).relief(SCALES, (0.01, 0.03), (3, 8), (0.7, 1.4), around=True)
    s.perhaps(0.55 <= kind < 0.62).relief(DENTS, (0.005, 0.02), (4, 10))


def turned(s: Sculptor) -> None:
    """Draw a solid that was turned on a lathe: rings, coves and beads along an axis."""
    n = s.whole(5, 12)
    heights = np.linspace(-1, 1, n) + s.rng.uniform(-0.4, 0.4, n) / n
    widths = s.rng.uniform(0.12, 0.55, n)
    widths[0] = s.draw(0.4, 0.6)
    line = np.stack([widths, heights], axis=1)
    s.begin().lathe(smooth_line(line, 40).clip((0.05, -2), (2, 2)) if s.chance(0.6) else line)
    _decorate(s)
    for _ in range(s.whole(0, 4)):
        k = s.begin(part=0.5).whole(0, n - 1)
        s.torus((0, heights[k], 0), widths[k], s.draw(0.03, 0.1))


def chair(s: Sculptor) -> None:
    """Draw an upholstered or a wooden chair."""
    with s.at(turn=about_y(s.draw(-0.9, 0.9))):
        w, d, soft, seat = s.draw(0.4, 0.6), s.draw(0.4, 0.5), s.chance(0.6), s.draw(-0.2, 0.0)
        rounding = s.draw(0.05, 0.12) if soft else 0.015
        back, thick = s.draw(0.35, 0.55), s.draw(0.1, 0.16) if soft else s.draw(0.03, 0.05)
        with s.begin().at((0, seat + back, -d), turn=about_x(-s.draw(0.0, 0.25))):
            buttons, slats = (GRID, 0.45 * w, 0.35 * back, 1, 1), (GRID, 0.4 * w, 1, 1, 0)
            s.box((0, 0, 0), w, back, thick, rounding)
            s.perhaps(0.6 * soft).ball((0, 0.1, thick + 0.03), 0.06, 0.06, 0.07, join=CUT, blend=0.12, fold=buttons)
            s.perhaps(not soft).box((0, 0, 0), 0.12 * w, 0.7 * back, 1, rounding=0.02, join=CUT, fold=slats)
        s.perhaps(soft).relief(FOLDS, 0.012, 3.0, 1.0, 0.5)
        s.begin(part=0.3).box((0, seat, 0), w, s.draw(0.08, 0.18) if soft else 0.04, d, rounding)
        s.begin(chance=0.7 * soft, part=0).superquadric((0, seat + 0.16, 0.04), 0.85 * w, 0.1, 0.95 * d, 6, 2.5)
        with s.begin(chance=0.7 if soft else 0.4, part=0).at(fold=MIRROR):  # arms
            s.box((w, seat + 0.12, 0), 0.1 if soft else 0.03, 0.22, d, rounding)
            s.perhaps(0.5 * soft).limb((w + 0.02, seat + 0.36, -d), (w + 0.02, seat + 0.36, d), 0.12, 0.12)
            s.perhaps(not soft).box((w, seat + 0.1, 0), 0.1, 0.17, 0.85 * d, join=CUT)
        with s.begin().at(fold=MIRROR):
            leg, low = s.draw(0.03, 0.06), s.draw(0.25, 0.6)
            for z in (-0.85 * d, 0.85 * d):
                s.cone((0.88 * w, seat - low / 2 - 0.05, z), 0.6 * leg, leg, low / 2)
                s.perhaps(0.4).ball((0.88 * w, seat - low, z), 1.2 * leg)


def die(s: Sculptor) -> None:
    """Draw a box with rounded edges and pips, knobs or a lid: dice, crates, cases, cushions."""
    with s.at(turn=about_x(s.draw(0.1, 0.6)) @ about_y(s.draw(-0.8, 0.8))):
        a, b, c = (0.7, 0.7, 0.7) if s.chance(0.6) else (float(side) for side in s.rng.uniform(0.3, 0.8, 3))
        s.begin().box((0, 0, 0), a, b, c, rounding=s.draw(0.02, 0.3) * min(a, b, c))
        r = s.draw(0.08, 0.14)
        join, out = (ADD, 0.0) if s.chance(0.3) else (CUT, 0.6 * r)
        if join is ADD:  # on the box instead of in it
            s.begin()
        kind = s.whole(0, 2)
        for turn, u, v, w in ((EYE, a, b, c), (about_y(np.pi / 2), c, b, a), (about_x(-np.pi / 2), a, c, b)):
            with s.at(turn=turn):
                s.perhaps(kind == 0)  # pips
                s.ball((0, 0, w + out), r, join=join, fold=(GRID, 0.45 * u, 0.45 * v, s.whole(0, 1), 1))
        s.perhaps(kind == 1).relief(PANELS, 0.02, (1.5, 4), (1, 4), 0.06)
        s.perhaps(kind == 2, 2).box((0, 0, c), 0.75 * a, 0.75 * b, 0.1, join=join)
        s.box((a, 0, 0), 0.1, 0.75 * b, 0.75 * c, join=join)
        s.begin(chance=0.3).box((0, b, 0), 1.05 * a, 0.12, 1.05 * c, rounding=0.03)


def rings(s: Sculptor) -> None:
    """Draw things stacked on each other: rings on a stick, cushions, plates, wheels of cheese."""
    y, size, shrink, ring = -0.9, s.draw(0.5, 0.8), s.draw(0.75, 1.0), s.chance(0.6)
    for _ in range(s.whole(3, 7)):
        high = s.draw(0.08, 0.18)
        with s.begin().at((s.draw(-0.03, 0.03), y + high, s.draw(-0.03, 0.03)), turn=about_x(s.draw(-0.08, 0.08))):
            s.perhaps(ring).torus((0, 0, 0), size - high, high * 1.1)
            s.otherwise().superquadric((0, 0, 0), size, high, size, s.draw(2, 6), s.draw(2, 5))
            s.perhaps(0.4).relief(RIBS, 0.03, s.whole(5, 16) / (2 * np.pi), q=0.8, around=True)
        y, size = y + 1.75 * high, size * shrink
    s.begin().ball((0, y + 0.12, 0), s.draw(0.12, 0.22))


def drape(s: Sculptor) -> None:
    """Draw cloth: a curtain, a gown on a stand, a cover over something, a cushion."""
    kind = s.whole(0, 3)
    s.begin(chance=kind == 0).box((0, 0, 0), s.draw(0.4, 0.8), 0.9, 0.12, rounding=0.1)
    s.relief(FOLDS, (0.05, 0.1), (2.5, 5), (0.1, 0.4), (0.2, 0.5))
    s.begin(chance=kind == 1).cone((0, -0.3, 0), s.draw(0.5, 0.9), 0.2, 0.7, rounding=0.1)
    s.ball((0, 0.5, 0), 0.3, 0.4, 0.2, blend=0.2).relief(FOLDS, (0.04, 0.1), (2, 4), (0.1, 0.4), (0.15, 0.5))
    for _ in range(s.begin(chance=kind == 2).whole(2, 4)):
        s.ball(s.rng.normal(0, 0.3, 3), s.draw(0.3, 0.5), blend=0.3)
    s.relief(FOLDS, s.draw(0.04, 0.09), s.draw(2, 4), s.draw(0.4, 1.2), s.draw(0.15, 0.5), turn=any_turn(s.rng))
    s.begin(chance=kind == 3).superquadric((0, 0, 0), 0.8, s.draw(0.2, 0.35), 0.8, 5, 2.2)
    s.relief(FOLDS, 0.04, 2.5, 1.2, 0.5, turn=any_turn(s.rng)).relief(RIDGES, 0.03, 1.5)
    s.begin(chance=0.3).torus((0, s.draw(-0.3, 0.5), 0), 0.35, 0.06)
