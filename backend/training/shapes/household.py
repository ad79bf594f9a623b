# SPDX-License-Identifier: GPL-3.0-or-later
"""Things about the house: vessels and other turned things, chairs, dice, stacked toys, hanging cloth."""

import numpy as np

from ...arrays import Float64Array
from .profiles import smooth_line
from .reliefs import DENTS, FOLDS, PANELS, RIBS, RIDGES, ROCK, SCALES
from .sculptor import Sculptor, about_x, about_y, any_turn
from .solids import ADD, CUT, EYE, GRID, MIRROR

_UPRIGHT = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # lays x along y


def vessel(s: Sculptor) -> None:
    """Draw a hollow vessel, often tipped towards the viewer, so that its inside shows."""
    with s.at(turn=about_x(abs(s.rng.normal(0.0, 0.45))) if s.chance(0.7) else EYE):
        line, wall = _wall(s), s.uniform(0.035, 0.09)
        s.begin().lathe(line, wall)
        if s.chance(0.35):
            s.torus((0, line[-1, 1], 0), line[-1, 0], wall * s.uniform(1.0, 1.7), blend=0.02)
        if s.chance(0.4):
            low, top = s.uniform(0.3, 0.5), s.uniform(0.25, 0.4)
            s.cone((0, line[0, 1] - 0.05, 0), low, top, 0.08, rounding=0.02, blend=0.04)
        _decorate(s)
        if s.chance(0.4):
            s.begin(part=s.chance(0.4))
            _handle(s, line)
        if s.chance(0.3):  # what it holds
            s.begin()
            level = float(line[-1, 1]) - s.uniform(0.1, 0.5)
            if s.chance(0.5):
                inside = float(np.interp(level, line[:, 1], line[:, 0]))
                s.cone((0, level - 0.02, 0), inside, inside, 0.02)
            else:
                for _ in range(s.whole(1, 5)):
                    at = np.array((0, level, 0)) + s.rng.normal(0, 0.25 * float(line[:, 0].max()), 3)
                    s.ball(at, s.uniform(0.12, 0.25))


def _wall(s: Sculptor) -> Float64Array:
    """Draw a wall from the middle of the floor to the rim, (radius, height)."""
    height, foot, rim = s.uniform(0.3, 1.1), s.uniform(0.3, 0.8), s.uniform(0.5, 1.0)
    kind = s.whole(0, 3)
    if kind == 0:  # bowl
        t = np.linspace(0, np.pi / 2, 20)
        return np.stack([rim * np.sin(t), -height * np.cos(t) ** s.uniform(0.7, 1.3) + height / 2], axis=1)
    if kind == 1:  # cup
        corners = np.array([(0, -height), (foot * 0.9, -height), (foot, -height * 0.9), (rim, height)])
        return corners if s.chance(0.5) else smooth_line(corners, 24)
    if kind == 2:  # dish
        low = s.uniform(0.1, 0.3)
        return smooth_line([(0, -low), (0.5, -low), (0.7, -0.5 * low), (1.0, low)], 24)
    belly, neck = s.uniform(0.5, 0.95), s.uniform(0.2, 0.7)
    body = [(0, -height), (0.4, -height), (belly, s.uniform(-0.5, 0.1) * height), (neck, 0.6 * height)]
    return smooth_line([*body, (neck * s.uniform(0.9, 1.5), height)], 30)


def _decorate(s: Sculptor) -> None:
    kind = s.rng.random()
    if kind < 0.2:
        s.relief(RIBS, s.uniform(0.01, 0.04), s.whole(6, 30) / (2 * np.pi), q=s.uniform(0.2, 1.0), around=True)
    elif kind < 0.35:
        s.relief(RIBS, s.uniform(0.006, 0.03), s.uniform(3, 9), q=1.0, turn=_UPRIGHT)
    elif kind < 0.45:
        s.relief(ROCK, s.uniform(0.01, 0.05), s.uniform(1, 6))
    elif kind < 0.55:
        s.relief(SCALES, s.uniform(0.01, 0.03), s.uniform(3, 8), s.uniform(0.7, 1.4), around=True)
    elif kind < 0.62:
        s.relief(DENTS, s.uniform(0.005, 0.02), s.uniform(4, 10))


def _handle(s: Sculptor, line: Float64Array) -> None:
    (low, y), (high, top) = line[len(line) // 2], line[-2]
    out, thick = s.uniform(0.25, 0.5), s.uniform(0.04, 0.09)
    points = [(high, top, 0), (high + out, top - 0.05, 0), (max(high, low) + out, (y + top) / 2, 0), (low, y, 0)]
    for k in range(2 if s.chance(0.3) else 1):
        with s.at(turn=about_y(np.pi * k + s.uniform(-0.6, 0.6))):
            s.tube(smooth_line(points, 8), thick, blend=0.03)


def turned(s: Sculptor) -> None:
    """Draw a solid that was turned on a lathe: rings, coves and beads along an axis."""
    n = s.whole(5, 12)
    heights = np.linspace(-1, 1, n) + s.rng.uniform(-0.4, 0.4, n) / n
    widths = s.rng.uniform(0.12, 0.55, n)
    widths[0] = s.uniform(0.4, 0.6)
    line = np.stack([widths, heights], axis=1)
    s.begin().lathe(smooth_line(line, 40).clip((0.05, -2), (2, 2)) if s.chance(0.6) else line)
    _decorate(s)
    for _ in range(s.whole(0, 4)):
        s.begin(part=s.chance(0.5))
        k = s.whole(0, n - 1)
        s.torus((0, heights[k], 0), widths[k], s.uniform(0.03, 0.1))


def chair(s: Sculptor) -> None:
    """Draw an upholstered or a wooden chair."""
    with s.at(turn=about_y(s.uniform(-0.9, 0.9))):
        w, d, soft, seat = s.uniform(0.4, 0.6), s.uniform(0.4, 0.5), s.chance(0.6), s.uniform(-0.2, 0.0)
        s.begin()
        rounding = s.uniform(0.05, 0.12) if soft else 0.015
        back, thick = s.uniform(0.35, 0.55), s.uniform(0.1, 0.16) if soft else s.uniform(0.03, 0.05)
        with s.at((0, seat + back, -d), turn=about_x(-s.uniform(0.0, 0.25))):
            s.box((0, 0, 0), w, back, thick, rounding)
            if soft and s.chance(0.6):  # buttons pull the cover in
                with s.folded(GRID, 0.45 * w, 0.35 * back, 1, 1):
                    s.ball((0, 0.1, thick + 0.03), 0.06, 0.06, 0.07, join=CUT, blend=0.12)
            elif not soft:
                with s.folded(GRID, 0.4 * w, 1, 1, 0):
                    s.box((0, 0, 0), 0.12 * w, 0.7 * back, 1, rounding=0.02, join=CUT)
        if soft:
            s.relief(FOLDS, 0.012, 3.0, 1.0, 0.5)
        s.begin(part=s.chance(0.3)).box((0, seat, 0), w, s.uniform(0.08, 0.18) if soft else 0.04, d, rounding)
        if soft and s.chance(0.7):
            s.begin(part=False).superquadric((0, seat + 0.16, 0.04), 0.85 * w, 0.1, 0.95 * d, 6, 2.5)
        if s.chance(0.7 if soft else 0.4):  # arms
            with s.begin(part=False).folded(MIRROR):
                s.box((w, seat + 0.12, 0), 0.1 if soft else 0.03, 0.22, d, rounding)
                if soft and s.chance(0.5):
                    s.limb((w + 0.02, seat + 0.36, -d), (w + 0.02, seat + 0.36, d), 0.12, 0.12)
                elif not soft:
                    s.box((w, seat + 0.1, 0), 0.1, 0.17, 0.85 * d, join=CUT)
        leg, low = s.uniform(0.03, 0.06), s.uniform(0.25, 0.6)
        with s.begin().folded(MIRROR):
            for z in (-0.85 * d, 0.85 * d):
                s.cone((0.88 * w, seat - low / 2 - 0.05, z), 0.6 * leg, leg, low / 2)
                if s.chance(0.4):
                    s.ball((0.88 * w, seat - low, z), 1.2 * leg)


def die(s: Sculptor) -> None:
    """Draw a box with rounded edges and pips, knobs or a lid: dice, crates, cases, cushions."""
    with s.at(turn=about_x(s.uniform(0.1, 0.6)) @ about_y(s.uniform(-0.8, 0.8))):
        a, b, c = (0.7, 0.7, 0.7) if s.chance(0.6) else (float(side) for side in s.rng.uniform(0.3, 0.8, 3))
        s.begin().box((0, 0, 0), a, b, c, rounding=s.uniform(0.02, 0.3) * min(a, b, c))
        r = s.uniform(0.08, 0.14)
        join, out = (CUT, 0.6 * r)
        if s.chance(0.3):  # on the box instead of in it
            s.begin()
            join, out = ADD, 0.0
        kind = s.whole(0, 2)
        if kind == 0:
            for turn, u, v, w in ((EYE, a, b, c), (about_y(np.pi / 2), c, b, a), (about_x(-np.pi / 2), a, c, b)):
                with s.at(turn=turn), s.folded(GRID, 0.45 * u, 0.45 * v, s.whole(0, 1), 1):
                    s.ball((0, 0, w + out), r, join=join)
        elif kind == 1:
            s.relief(PANELS, 0.02, s.uniform(1.5, 4), s.uniform(1, 4), 0.06)
        else:
            s.box((0, 0, c), 0.75 * a, 0.75 * b, 0.1, join=join).box((a, 0, 0), 0.1, 0.75 * b, 0.75 * c, join=join)
        if s.chance(0.3):
            s.begin().box((0, b, 0), 1.05 * a, 0.12, 1.05 * c, rounding=0.03)


def rings(s: Sculptor) -> None:
    """Draw things stacked on each other: rings on a stick, cushions, plates, wheels of cheese."""
    y, size, shrink, ring = -0.9, s.uniform(0.5, 0.8), s.uniform(0.75, 1.0), s.chance(0.6)
    for _ in range(s.whole(3, 7)):
        high = s.uniform(0.08, 0.18)
        at = s.uniform(-0.03, 0.03), y + high, s.uniform(-0.03, 0.03)
        with s.begin().at(at, turn=about_x(s.uniform(-0.08, 0.08))):
            if ring:
                s.torus((0, 0, 0), size - high, high * 1.1)
            else:
                s.superquadric((0, 0, 0), size, high, size, s.uniform(2, 6), s.uniform(2, 5))
            if s.chance(0.4):
                s.relief(RIBS, 0.03, s.whole(5, 16) / (2 * np.pi), q=0.8, around=True)
        y += 1.75 * high
        size *= shrink
    s.begin().ball((0, y + 0.12, 0), s.uniform(0.12, 0.22))


def drape(s: Sculptor) -> None:
    """Draw cloth: a curtain, a gown on a stand, a cover over something, a cushion."""
    s.begin()
    kind = s.whole(0, 3)
    if kind == 0:
        s.box((0, 0, 0), s.uniform(0.4, 0.8), 0.9, 0.12, rounding=0.1)
        s.relief(FOLDS, s.uniform(0.05, 0.1), s.uniform(2.5, 5), s.uniform(0.1, 0.4), s.uniform(0.2, 0.5))
    elif kind == 1:
        s.cone((0, -0.3, 0), s.uniform(0.5, 0.9), 0.2, 0.7, rounding=0.1)
        s.ball((0, 0.5, 0), 0.3, 0.4, 0.2, blend=0.2)
        s.relief(FOLDS, s.uniform(0.04, 0.1), s.uniform(2, 4), s.uniform(0.1, 0.4), s.uniform(0.15, 0.5))
    elif kind == 2:
        for _ in range(s.whole(2, 4)):
            s.ball(s.rng.normal(0, 0.3, 3), s.uniform(0.3, 0.5), blend=0.3)
        cloth = s.uniform(0.04, 0.09), s.uniform(2, 4), s.uniform(0.4, 1.2), s.uniform(0.15, 0.5)
        s.relief(FOLDS, *cloth, turn=any_turn(s.rng))
    else:
        s.superquadric((0, 0, 0), 0.8, s.uniform(0.2, 0.35), 0.8, 5, 2.2)
        s.relief(FOLDS, 0.04, 2.5, 1.2, 0.5, turn=any_turn(s.rng)).relief(RIDGES, 0.03, 1.5)
    if s.chance(0.3):
        s.begin().torus((0, s.uniform(-0.3, 0.5), 0), 0.35, 0.06)
