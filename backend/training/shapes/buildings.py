# SPDX-License-Identifier: GPL-3.0-or-later
"""Houses and towers: walls with windows, doors and beams, roofs with tiles, chimneys."""

import numpy as np

from . import reliefs
from .sculptor import Sculptor, about_y, about_z
from .solids import Fold, Join


def house(s: Sculptor) -> None:
    """Draw a house under a gabled roof."""
    with s.at(turn=about_y(s.uniform(-1.0, 1.0))):
        w, h, d, rise = s.uniform(0.5, 0.8), s.uniform(0.3, 0.6), s.uniform(0.5, 0.9), s.uniform(0.3, 0.8)
        s.begin()
        gable = np.array([(-w, -h), (w, -h), (w, h), (0, h + rise), (-w, h)])
        s.extrude(0, 0, 0, gable, d)
        if s.chance(0.6):
            kind = (reliefs.PANELS, reliefs.ROCK)[s.whole(0, 1)]
            s.relief(kind, s.uniform(0.005, 0.015), s.uniform(5, 12), p=s.uniform(1.5, 3.0), q=0.06)
        _openings(s, w, h, d)
        _roof(s, w, h, d, rise)
        if s.chance(0.6):
            _beams(s, w, h, d, rise)
        if s.chance(0.6):
            s.begin()
            x, y = s.uniform(-0.5, 0.5) * w, h + rise
            s.box(x, y, s.uniform(-0.5, 0.3) * d, 0.08, 0.3, 0.08)
            s.relief(reliefs.PANELS, 0.01, 14, p=2.0, q=0.08)
        if s.chance(0.5):
            s.begin()
            s.box(0, -h - 0.04, 0, w + 0.1, s.uniform(0.04, 0.15), d + 0.1, rounding=0.01)
            if s.chance(0.5):
                s.relief(reliefs.PANELS, 0.012, 7, p=1.8, q=0.08)
        for _ in range(s.whole(0, 4)):
            s.begin()
            size = s.uniform(0.07, 0.15)
            with s.at(
                s.uniform(-1, 1) * (w + 0.15), -h + size, d + s.uniform(0.15, 0.4), turn=about_y(s.uniform(-0.6, 0.6))
            ):
                s.box(0, 0, 0, size, size, size, rounding=0.01)
                s.box(0, 0, size, 0.75 * size, 0.75 * size, 0.2 * size, join=Join.CUT)


def _openings(s: Sculptor, w: float, h: float, d: float) -> None:
    """Cut windows into the walls' group, and set frames and a door in groups of their own."""
    wide, high, deep = s.uniform(0.08, 0.14), s.uniform(0.1, 0.18), s.uniform(0.02, 0.06)
    y, apart = s.uniform(-0.1, 0.25) * h, s.uniform(0.5, 0.6) * w
    with s.folded(Fold.MIRROR):
        s.box(apart, y, d, wide, high, deep, join=Join.CUT)
    with s.at(turn=about_y(np.pi / 2)), s.folded(Fold.GRID, 0.55 * d, 1, 1, 0):
        s.box(0, y, w, wide, high, deep, join=Join.CUT)
    door = s.uniform(0.2, 0.3)
    s.box(0, -h + 0.55 * h, d, door * 0.6, 0.55 * h, deep, join=Join.CUT)
    s.begin(part=True)
    bar = s.uniform(0.012, 0.025)
    with s.folded(Fold.MIRROR):
        s.box(apart, y, d, wide, bar, 0.5 * bar)
        s.box(apart, y, d, bar, high, 0.5 * bar)
        s.box(apart, y - high, d, wide + bar, bar, 2 * bar)
        s.box(apart, y + high, d, wide + bar, bar, 1.5 * bar)
    with s.at(turn=about_y(np.pi / 2)), s.folded(Fold.GRID, 0.55 * d, 1, 1, 0):
        s.box(0, y, w, wide, bar, 0.5 * bar)
        s.box(0, y, w, bar, high, 0.5 * bar)
        s.box(0, y - high, w, wide + bar, bar, 2 * bar)
    s.begin()
    s.box(0, -h + 0.55 * h, d - 0.6 * deep, door * 0.6, 0.55 * h, 0.4 * deep)
    s.relief(reliefs.PANELS, 0.01, s.uniform(6, 10), p=5.0, q=0.08, turn=about_z(np.pi / 2))
    s.ball(0.4 * door, -h + 0.5 * h, d - 0.1 * deep, 0.02)


def _roof(s: Sculptor, w: float, h: float, d: float, rise: float) -> None:
    s.begin()
    over, thick = s.uniform(0.05, 0.2), s.uniform(0.03, 0.06)
    slope = float(np.hypot(w, rise))
    angle = float(np.arctan2(rise, w))
    for side in (-1, 1):
        with s.at(side * w / 2, h + rise / 2, 0, turn=about_y(0.0 if side > 0 else np.pi) @ about_z(-angle)):
            s.box(over / 2, thick, 0, slope / 2 + over / 2 + thick * 0.5, thick, d + over, rounding=0.01)
    # Tiles lie on both slopes alike: rows along the ridge.
    tiles = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    kind = s.whole(0, 2)
    if kind == 0:
        s.relief(reliefs.SCALES, s.uniform(0.015, 0.035), s.uniform(4, 9), p=s.uniform(0.7, 1.3), turn=tiles)
    elif kind == 1:
        s.relief(reliefs.PANELS, s.uniform(0.01, 0.02), s.uniform(4, 8), p=s.uniform(1, 2), q=0.1, turn=tiles)
    else:
        s.relief(reliefs.STRANDS, s.uniform(0.02, 0.04), s.uniform(6, 12), p=0.3)
    if s.chance(0.5):
        s.begin(part=s.chance(0.5))
        s.limb((0, h + rise + thick, -d - over), (0, h + rise + thick, d + over), 1.4 * thick, 1.4 * thick)


def _beams(s: Sculptor, w: float, h: float, d: float, rise: float) -> None:
    """Add the timber of a half-timbered front."""
    s.begin()
    b, out = s.uniform(0.03, 0.06), s.uniform(0.015, 0.04)
    with s.folded(Fold.MIRROR):
        s.box(w, 0, d, b, h, b)
        s.box(w, 0, -d, b, h, b)
        s.limb((w, h, d), (0, h + rise, d), b, b)
        if s.chance(0.6):
            s.limb((0.95 * w, -h * 0.9, d), (0.35 * w, h * 0.9, d), 0.7 * b, 0.7 * b)
    s.box(0, h, d, w, b, out)
    s.box(0, -h + b, d, w, b, out)
    if s.chance(0.5):
        s.box(0, 0, d, w, 0.8 * b, out)
    s.box(0, h + 0.5 * rise, d, b, 0.5 * rise, out)
    s.relief(reliefs.STRANDS, 0.008, 9, p=0.5)


def tower(s: Sculptor) -> None:
    """Draw a round or square tower of stone with battlements or a pointed roof."""
    wide, high = s.uniform(0.25, 0.45), s.uniform(0.6, 1.0)
    s.begin()
    round_ = s.chance(0.6)
    if round_:
        s.cone(0, 0, 0, wide * 1.1, wide, high)
    else:
        s.box(0, 0, 0, wide, high, wide)
    with s.folded(Fold.RING, s.whole(3, 6)):
        s.box(wide, s.uniform(-0.3, 0.3), 0, 0.15, s.uniform(0.08, 0.16), s.uniform(0.04, 0.07), join=Join.CUT)
    s.relief(reliefs.PANELS, s.uniform(0.01, 0.025), s.uniform(5, 9), p=s.uniform(1.2, 2.2), q=0.08, around=round_)
    s.begin()
    if s.chance(0.5):
        s.cone(0, high + 0.3, 0, wide * 1.3, 0.0, 0.35)
        s.relief(reliefs.SCALES, 0.02, s.uniform(6, 10), p=0.4, around=True)
    else:
        s.cone(0, high, 0, 1.2 * wide, 1.2 * wide, 0.1)
        with s.folded(Fold.RING, s.whole(6, 10)):
            s.box(1.1 * wide, high + 0.15, 0, 0.06, 0.08, 0.06)
