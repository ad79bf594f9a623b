# SPDX-License-Identifier: GPL-3.0-or-later
"""Built things: houses and towers; cars and trucks, helmets, and machine parts."""

import numpy as np

from .profiles import evenly, filled, smooth_line
from .reliefs import EMBOSSED, PANELS, RIBS, ROCK, SCALES, STRANDS
from .sculptor import Sculptor, about_x, about_y, about_z
from .solids import CUT, GRID, MIRROR, RING

_SIDEWAYS, _LENGTHWISE, _ACROSS = about_y(np.pi / 2), about_y(-np.pi / 2), about_z(np.pi / 2)
_TILES = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # on both slopes alike: rows along the ridge


def house(s: Sculptor) -> None:
    """Draw a house under a gabled roof."""
    with s.at(turn=about_y(s.uniform(-1.0, 1.0))):
        w, h, d, rise = s.uniform(0.5, 0.8), s.uniform(0.3, 0.6), s.uniform(0.5, 0.9), s.uniform(0.3, 0.8)
        s.begin().extrude((0, 0, 0), [(-w, -h), (w, -h), (w, h), (0, h + rise), (-w, h)], d)
        if s.chance(0.6):
            s.relief(s.one_of(PANELS, ROCK), s.uniform(0.005, 0.015), s.uniform(5, 12), s.uniform(1.5, 3.0), 0.06)
        _openings(s, w, h, d)
        _roof(s, w, h, d, rise)
        if s.chance(0.6):
            _beams(s, w, h, d, rise)
        if s.chance(0.6):  # a chimney
            foot = s.uniform(-0.5, 0.5) * w, h + rise, s.uniform(-0.5, 0.3) * d
            s.begin().box(foot, 0.08, 0.3, 0.08).relief(PANELS, 0.01, 14, 2.0, 0.08)
        if s.chance(0.5):
            s.begin().box((0, -h - 0.04, 0), w + 0.1, s.uniform(0.04, 0.15), d + 0.1, rounding=0.01)
            if s.chance(0.5):
                s.relief(PANELS, 0.012, 7, 1.8, 0.08)
        for _ in range(s.whole(0, 4)):  # crates
            size = s.uniform(0.07, 0.15)
            at = s.uniform(-1, 1) * (w + 0.15), -h + size, d + s.uniform(0.15, 0.4)
            with s.begin().at(at, turn=about_y(s.uniform(-0.6, 0.6))):
                s.box((0, 0, 0), size, size, size, rounding=0.01)
                s.box((0, 0, size), 0.75 * size, 0.75 * size, 0.2 * size, join=CUT)


def _openings(s: Sculptor, w: float, h: float, d: float) -> None:
    """Cut windows into the walls' group, and set frames and a door in groups of their own."""
    wide, high, deep = s.uniform(0.08, 0.14), s.uniform(0.1, 0.18), s.uniform(0.02, 0.06)
    y, apart = s.uniform(-0.1, 0.25) * h, s.uniform(0.5, 0.6) * w
    s.box((apart, y, d), wide, high, deep, join=CUT, fold=MIRROR)
    with s.at(turn=_SIDEWAYS), s.folded(GRID, 0.55 * d, 1, 1, 0):
        s.box((0, y, w), wide, high, deep, join=CUT)
    door = s.uniform(0.2, 0.3)
    s.box((0, -h + 0.55 * h, d), door * 0.6, 0.55 * h, deep, join=CUT)
    bar = s.uniform(0.012, 0.025)
    with s.begin().folded(MIRROR):
        s.box((apart, y, d), wide, bar, 0.5 * bar).box((apart, y, d), bar, high, 0.5 * bar)
        s.box((apart, y - high, d), wide + bar, bar, 2 * bar).box((apart, y + high, d), wide + bar, bar, 1.5 * bar)
    with s.at(turn=_SIDEWAYS), s.folded(GRID, 0.55 * d, 1, 1, 0):
        s.box((0, y, w), wide, bar, 0.5 * bar).box((0, y, w), bar, high, 0.5 * bar)
        s.box((0, y - high, w), wide + bar, bar, 2 * bar)
    s.begin().box((0, -h + 0.55 * h, d - 0.6 * deep), door * 0.6, 0.55 * h, 0.4 * deep)
    s.relief(PANELS, 0.01, s.uniform(6, 10), 5.0, 0.08, turn=_ACROSS)
    s.ball((0.4 * door, -h + 0.5 * h, d - 0.1 * deep), 0.02)


def _roof(s: Sculptor, w: float, h: float, d: float, rise: float) -> None:
    over, thick = s.uniform(0.05, 0.2), s.uniform(0.03, 0.06)
    slope, lean = float(np.hypot(w, rise)), about_z(-float(np.arctan2(rise, w)))
    s.begin()
    for side in (-1, 1):
        with s.at((side * w / 2, h + rise / 2, 0), turn=about_y(0.0 if side > 0 else np.pi) @ lean):
            s.box((over / 2, thick, 0), slope / 2 + over / 2 + thick * 0.5, thick, d + over, rounding=0.01)
    kind = s.whole(0, 2)
    if kind == 0:
        s.relief(SCALES, s.uniform(0.015, 0.035), s.uniform(4, 9), s.uniform(0.7, 1.3), turn=_TILES)
    elif kind == 1:
        s.relief(PANELS, s.uniform(0.01, 0.02), s.uniform(4, 8), s.uniform(1, 2), 0.1, turn=_TILES)
    else:
        s.relief(STRANDS, s.uniform(0.02, 0.04), s.uniform(6, 12), 0.3)
    if s.chance(0.5):
        top, end = h + rise + thick, d + over
        s.begin(part=s.chance(0.5)).limb((0, top, -end), (0, top, end), 1.4 * thick, 1.4 * thick)


def _beams(s: Sculptor, w: float, h: float, d: float, rise: float) -> None:
    """Add the timber of a half-timbered front."""
    b, out = s.uniform(0.03, 0.06), s.uniform(0.015, 0.04)
    with s.begin().folded(MIRROR):
        s.box((w, 0, d), b, h, b).box((w, 0, -d), b, h, b).limb((w, h, d), (0, h + rise, d), b, b)
        if s.chance(0.6):
            s.limb((0.95 * w, -h * 0.9, d), (0.35 * w, h * 0.9, d), 0.7 * b, 0.7 * b)
    s.box((0, h, d), w, b, out).box((0, -h + b, d), w, b, out)
    if s.chance(0.5):
        s.box((0, 0, d), w, 0.8 * b, out)
    s.box((0, h + 0.5 * rise, d), b, 0.5 * rise, out).relief(STRANDS, 0.008, 9)


def tower(s: Sculptor) -> None:
    """Draw a round or square tower of stone with battlements or a pointed roof."""
    wide, high, round_ = s.uniform(0.25, 0.45), s.uniform(0.6, 1.0), s.chance(0.6)
    s.begin()
    if round_:
        s.cone((0, 0, 0), wide * 1.1, wide, high)
    else:
        s.box((0, 0, 0), wide, high, wide)
    with s.folded(RING, s.whole(3, 6)):
        s.box((wide, s.uniform(-0.3, 0.3), 0), 0.15, s.uniform(0.08, 0.16), s.uniform(0.04, 0.07), join=CUT)
    s.relief(PANELS, s.uniform(0.01, 0.025), s.uniform(5, 9), s.uniform(1.2, 2.2), 0.08, around=round_)
    s.begin()
    if s.chance(0.5):
        s.cone((0, high + 0.3, 0), wide * 1.3, 0.0, 0.35).relief(SCALES, 0.02, s.uniform(6, 10), 0.4, around=True)
    else:
        s.cone((0, high, 0), 1.2 * wide, 1.2 * wide, 0.1)
        with s.folded(RING, s.whole(6, 10)):
            s.box((1.1 * wide, high + 0.15, 0), 0.06, 0.08, 0.06)


def car(s: Sculptor) -> None:
    """Draw a car or a truck, 2 long: body with arches and panel lines, a cabin with windows, wheels, lamps, bumpers."""
    with s.at(turn=about_y(s.uniform(-np.pi, np.pi) if s.chance(0.4) else s.rng.choice((-1, 1)) * s.uniform(0.2, 1.4))):
        wide, high = s.uniform(0.36, 0.46), s.uniform(0.13, 0.22)
        wheel, axle, truck = s.uniform(0.15, 0.24), s.uniform(0.55, 0.66), s.chance(0.3)
        nose, tail = s.uniform(0.4, 0.9) * high, s.uniform(0.6, 1.0) * high
        front = [(-1, -high), (1, -high), (1, nose - 0.05), (0.9, nose), (0.45, high)]
        side = np.array([*front, (-0.5, high), (-0.93, tail), (-1, tail - 0.06)])
        line = side if truck or s.chance(0.4) else smooth_line(side, 48, closed=True)
        s.begin().extrude((0, 0, 0), line, wide, s.uniform(0.03, 0.09), turn=_LENGTHWISE)
        for z in (-axle, axle):
            arch = 1.2 * wheel
            s.cone((wide, -high, z), arch, arch, 0.15, turn=_ACROSS, join=CUT, blend=0.02, fold=MIRROR)
        groove = s.uniform(0.006, 0.012)
        with s.folded(MIRROR):
            for z in (0.4, -0.02, -0.42)[: s.whole(1, 3)]:
                s.box((wide, 0, z), 0.02, 0.8 * high, groove, join=CUT)
            s.box((wide, s.uniform(-0.4, 0.3) * high, 0), 0.012, groove, 1, join=CUT)
        s.box((0, high, 0.47), wide, 0.08, groove, join=CUT)
        _cabin(s, wide, high, truck=truck)
        _wheels(s, wide, high, wheel, axle)
        lamp = s.uniform(0.05, 0.08)
        s.begin()
        for z, deep in ((1, 0.03), (-1, 0.02)):
            s.ball((0.72 * wide, 0.45 * nose, z - 0.01), lamp * s.uniform(1.0, 1.6), lamp, deep, fold=MIRROR)
        s.begin().box((0, -0.65 * high, 0), 0.98 * wide, 0.22 * high, 1.03, rounding=0.03)  # bumpers
        s.box((0, -0.6 * high, 0), 2, high, 0.85, join=CUT)
        if s.chance(0.7):
            s.begin().box((0, 0.1 * high, 1), 0.4 * wide, 0.3 * nose, 0.02)
            s.relief(PANELS, 0.015, s.uniform(12, 20), 8.0, 0.2)


def _cabin(s: Sculptor, wide: float, high: float, *, truck: bool) -> None:
    up, back, lean = s.uniform(0.2, 0.34), -0.15 if truck else s.uniform(-0.75, -0.5), s.uniform(0.1, 0.3)
    roof = np.array([(back, 0), (back + 0.6 * lean, up), (0.35 - lean, up), (0.45, 0), (0.4, -0.08), (back, -0.08)])
    middle, y = (back + 0.45) / 2, high + up / 2 + 0.01
    corners = roof - (middle, 0)
    corners = smooth_line(corners, 40, closed=True) if s.chance(0.3) else corners
    s.begin(part=False).extrude((0, high, middle), corners, 0.88 * wide, s.uniform(0.03, 0.08), turn=_LENGTHWISE)
    glass = 0.8 * (roof[:4] - (middle, up / 2)) * (1, 0.85)
    if s.chance(0.8):
        s.extrude((0.88 * wide, y, middle), glass, 0.02, turn=_LENGTHWISE, join=CUT, fold=MIRROR)
        s.box((0.9 * wide, high + up / 2, middle), 0.03, up, 0.02, fold=MIRROR)
    s.begin().extrude((0, y, middle), 1.15 * glass, 0.84 * wide, 0.04, turn=_LENGTHWISE)
    s.ball((wide * 1.05, high + 0.06, 0.36), 0.06, 0.04, 0.03, fold=MIRROR)
    if truck and s.chance(0.7):
        s.begin(part=False).box((0, high, -0.6), 0.9 * wide, 0.1, 0.38)
        s.box((0, high + 0.05, -0.6), 0.8 * wide, 0.12, 0.33, join=CUT)


def _wheels(s: Sculptor, wide: float, high: float, wheel: float, axle: float) -> None:
    thick = s.uniform(0.05, 0.09)
    with s.begin().folded(MIRROR):
        for z in (-axle, axle):
            s.cone((wide - 0.6 * thick, -high, z), wheel, wheel, thick, rounding=0.03, turn=_ACROSS)
            s.cone((wide + 0.4 * thick, -high, z), 0.65 * wheel, 0.65 * wheel, 0.5 * thick, turn=_ACROSS, join=CUT)
    s.begin()
    spokes = s.whole(3, 10)
    for side in (-1, 1):
        for z in (-axle, axle):
            with s.at((side * (wide - 0.1 * thick), -high, z), turn=_ACROSS), s.folded(RING, spokes):
                s.box((0.35 * wheel, 0, 0), 0.35 * wheel, 0.3 * thick, 0.1 * wheel, rounding=0.01)
                s.cone((0, 0, 0), 0.15 * wheel, 0.15 * wheel, 0.45 * thick)


def helmet(s: Sculptor) -> None:
    """Draw a helmet: a shell that is open below, rails, bolts, straps, perhaps a visor."""
    with s.at(turn=about_y(s.uniform(-1.3, 1.3)) @ about_x(s.uniform(-0.3, 0.3))):
        a, b, c = s.uniform(0.7, 0.85), s.uniform(0.75, 0.95), s.uniform(0.9, 1.05)
        low = s.uniform(-0.35, 0.0)
        s.begin().ball((0, 0, 0), a, b, c).ball((0, -0.05, 0), a - 0.07, b - 0.07, c - 0.07, join=CUT)
        s.box((0, low - 1, 0.5), 2, 1 + s.uniform(0.0, 0.25), 1.2, join=CUT, blend=0.05)
        s.box((0, low - 1.25, -0.6), 2, 1, 1.2, join=CUT, blend=0.05)
        if s.chance(0.5):
            s.relief(ROCK, 0.004, 14)
        elif s.chance(0.5):
            s.relief(RIBS, 0.02, s.uniform(1.5, 4), q=0.3)
        with s.begin().folded(MIRROR):
            s.box((0.97 * a, low + 0.15, 0), 0.05, 0.06, 0.4, rounding=0.02, turn=about_x(s.uniform(-0.3, 0.1)))
            for z in (-0.3, 0.0, 0.3):
                s.cone((0.99 * a, low + 0.3, z), 0.05, 0.05, 0.05, turn=_ACROSS, rounding=0.01)
        if s.chance(0.6):
            s.begin().box((0, 0.3, c * 0.86), 0.16, 0.2, 0.12, rounding=0.03, turn=about_x(-0.3))
            s.box((0, 0.3, c * 0.98), 0.08, 0.1, 0.12, join=CUT, turn=about_x(-0.3))
        if s.chance(0.6):  # straps
            strap = smooth_line([(0.85 * a, low, 0.2), (0.75 * a, low - 0.5, 0.35), (0.0, low - 0.85, 0.5)], 6)
            with s.begin().folded(MIRROR):
                s.tube(strap, 0.035).tube(strap * (1, 1, 0) + np.linspace((0, 0, -0.5), (0, 0, 0.45), 6), 0.03)
            s.box((0.5 * a, low - 0.6, 0.42), 0.06, 0.08, 0.05, rounding=0.02)
        if s.chance(0.3):
            s.begin().ball((0, low + 0.15, 0.15), a + 0.02, 0.35, c).box((0, 0, -1.6), 2, 2, 1.9, join=CUT)


def mechanism(s: Sculptor) -> None:
    """Draw a machine part: a housing with flanges, bolts, pipes, ribs and gears."""
    with s.at(turn=about_y(s.uniform(-1, 1))):
        w, h, d = s.uniform(0.4, 0.8), s.uniform(0.3, 0.6), s.uniform(0.3, 0.6)
        s.begin()
        if s.chance(0.5):
            s.box((0, 0, 0), w, h, d, rounding=s.uniform(0.01, 0.15))
        else:
            s.cone((0, 0, 0), w, w * s.uniform(0.7, 1), h, rounding=s.uniform(0.01, 0.1))
        if s.chance(0.5):
            s.relief(RIBS, s.uniform(0.015, 0.05), s.uniform(4, 9), q=0.5, turn=about_z(s.whole(0, 1) * np.pi / 2))
        r = s.uniform(0.2, 0.45)
        with s.begin().at((s.uniform(-0.3, 0.3) * w, 0, d + 0.05), turn=about_x(np.pi / 2)):  # a flange
            s.cone((0, 0, 0), r, r, s.uniform(0.05, 0.2), rounding=0.02)
            s.cone((0, 0.1, 0), 0.55 * r, 0.55 * r, 0.2, join=CUT)
            with s.folded(RING, s.whole(4, 10)):
                s.cone((0.8 * r, 0.05 + s.uniform(0.05, 0.15), 0), 0.08 * r, 0.08 * r, 0.06)
        s.begin()
        for _ in range(s.whole(1, 3)):  # pipes
            x, y = s.uniform(-w, w), s.uniform(0, h)
            bend, end = (s.uniform(-1, 1), h + s.uniform(0.1, 0.4), 0.2), (s.uniform(-1, 1), 0, d)
            s.tube(smooth_line([(x, y, 0), (1.2 * x, h + 0.3, 0.1), bend, end], 9), s.uniform(0.03, 0.1))
        if s.chance(0.6):
            gear = evenly(np.tile([0.8, 0.8, 0.97, 0.97], s.whole(8, 16))) * s.uniform(0.3, 0.5)
            s.begin().extrude((w, 0.2, d), gear, 0.08, 0.01, turn=about_y(s.uniform(-0.6, 0.6)))
        if s.chance(0.5):
            plate = s.outline(filled(np.array([(-0.8, -0.5), (0.8, -0.5), (0.8, 0.5), (-0.8, 0.5)])))
            s.begin().box((0, -h, 0), w + 0.15, 0.06, d + 0.15, rounding=0.02)
            s.relief(EMBOSSED, 0.02, 2.0, q=0.05, outline=plate)
