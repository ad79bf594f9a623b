# SPDX-License-Identifier: GPL-3.0-or-later
"""Things about the house: chairs, dice, stacked toys, hanging cloth."""

import numpy as np

from . import reliefs
from .sculptor import Sculptor, about_x, about_y, any_turn, xyz
from .solids import Fold, Join


def chair(s: Sculptor) -> None:
    """Draw an upholstered or a wooden chair."""
    with s.at(turn=about_y(s.uniform(-0.9, 0.9))):
        w, d = s.uniform(0.4, 0.6), s.uniform(0.4, 0.5)
        soft = s.chance(0.6)
        seat = s.uniform(-0.2, 0.0)
        s.begin()
        rounding = s.uniform(0.05, 0.12) if soft else 0.015
        back = s.uniform(0.35, 0.55)
        thick = s.uniform(0.1, 0.16) if soft else s.uniform(0.03, 0.05)
        with s.at(0, seat + back, -d, turn=about_x(-s.uniform(0.0, 0.25))):
            s.box(0, 0, 0, w, back, thick, rounding=rounding)
            if soft and s.chance(0.6):  # buttons pull the cover in
                with s.folded(Fold.GRID, 0.45 * w, 0.35 * back, 1.0, 1.0):
                    s.ball(0, 0.1, thick + 0.03, 0.06, 0.06, 0.07, join=Join.CUT, blend=0.12)
            elif not soft:
                with s.folded(Fold.GRID, 0.4 * w, 1.0, 1.0, 0.0):
                    s.box(0, 0, 0, 0.12 * w, 0.7 * back, 1, rounding=0.02, join=Join.CUT)
        if soft:
            s.relief(reliefs.FOLDS, 0.012, 3.0, p=1.0, q=0.5)
        s.begin(part=s.chance(0.3))
        s.box(0, seat, 0, w, s.uniform(0.08, 0.18) if soft else 0.04, d, rounding=rounding)
        if soft and s.chance(0.7):
            s.begin(part=False)
            s.superquadric(0, seat + 0.16, 0.04, 0.85 * w, 0.1, 0.95 * d, 6, 2.5)
        if s.chance(0.7 if soft else 0.4):
            s.begin(part=False)
            with s.folded(Fold.MIRROR):
                s.box(w, seat + 0.12, 0, 0.1 if soft else 0.03, 0.22, d, rounding=rounding)
                if soft and s.chance(0.5):
                    s.limb((w + 0.02, seat + 0.36, -d), (w + 0.02, seat + 0.36, d), 0.12, 0.12)
                elif not soft:
                    s.box(w, seat + 0.1, 0, 0.1, 0.17, 0.85 * d, join=Join.CUT)
        s.begin()
        leg, low = s.uniform(0.03, 0.06), s.uniform(0.25, 0.6)
        with s.folded(Fold.MIRROR):
            for z in (-0.85 * d, 0.85 * d):
                s.cone(0.88 * w, seat - low / 2 - 0.05, z, 0.6 * leg, leg, low / 2)
                if s.chance(0.4):
                    s.ball(0.88 * w, seat - low, z, 1.2 * leg)


def die(s: Sculptor) -> None:
    """Draw a box with rounded edges and pips, knobs or a lid: dice, crates, cases, cushions."""
    with s.at(turn=about_x(s.uniform(0.1, 0.6)) @ about_y(s.uniform(-0.8, 0.8))):
        s.begin()
        size = np.array([0.7, 0.7, 0.7]) if s.chance(0.6) else s.rng.uniform(0.3, 0.8, 3)
        a, b, c = (float(v) for v in size)
        s.box(0, 0, 0, a, b, c, rounding=s.uniform(0.02, 0.3) * min(a, b, c))
        r = s.uniform(0.08, 0.14)
        s.begin() if s.chance(0.3) else None
        sunk = s.operations[-1].group == s.group
        join, out = (Join.CUT, 0.6 * r) if sunk else (Join.ADD, 0.0)
        kind = s.whole(0, 2)
        if kind == 0:
            for turn, u, v, w in ((np.eye(3), a, b, c), (about_y(np.pi / 2), c, b, a), (about_x(-np.pi / 2), a, c, b)):
                with s.at(turn=turn), s.folded(Fold.GRID, 0.45 * u, 0.45 * v, s.whole(0, 1), 1):
                    s.ball(0, 0, w + out, r, r, r, join=join)
        elif kind == 1:
            s.relief(reliefs.PANELS, 0.02, s.uniform(1.5, 4), p=s.uniform(1, 4), q=0.06)
        else:
            inner = 0.75
            s.box(0, 0, c, inner * a, inner * b, 0.1, join=join)
            s.box(a, 0, 0, 0.1, inner * b, inner * c, join=join)
        if s.chance(0.3):
            s.begin()
            s.box(0, b, 0, 1.05 * a, 0.12, 1.05 * c, rounding=0.03)


def rings(s: Sculptor) -> None:
    """Draw things stacked on each other: rings on a stick, cushions, plates, wheels of cheese."""
    y, size = -0.9, s.uniform(0.5, 0.8)
    shrink = s.uniform(0.75, 1.0)
    ring = s.chance(0.6)
    for _ in range(s.whole(3, 7)):
        high = s.uniform(0.08, 0.18)
        s.begin()
        with s.at(s.uniform(-0.03, 0.03), y + high, s.uniform(-0.03, 0.03), turn=about_x(s.uniform(-0.08, 0.08))):
            if ring:
                s.torus(0, 0, 0, size - high, high * 1.1)
            else:
                s.superquadric(0, 0, 0, size, high, size, s.uniform(2, 6), s.uniform(2, 5))
            if s.chance(0.4):
                s.relief(reliefs.RIBS, 0.03, s.whole(5, 16) / (2 * np.pi), q=0.8, around=True)
        y += 1.75 * high
        size *= shrink
    s.begin()
    s.ball(0, y + 0.12, 0, s.uniform(0.12, 0.22))


def drape(s: Sculptor) -> None:
    """Draw cloth: a curtain, a gown on a stand, a cover over something, a cushion."""
    s.begin()
    kind = s.whole(0, 3)
    if kind == 0:
        s.box(0, 0, 0, s.uniform(0.4, 0.8), 0.9, 0.12, rounding=0.1)
        s.relief(reliefs.FOLDS, s.uniform(0.05, 0.1), s.uniform(2.5, 5), p=s.uniform(0.1, 0.4), q=s.uniform(0.2, 0.5))
    elif kind == 1:
        s.cone(0, -0.3, 0, s.uniform(0.5, 0.9), 0.2, 0.7, rounding=0.1)
        s.ball(0, 0.5, 0, 0.3, 0.4, 0.2, blend=0.2)
        s.relief(reliefs.FOLDS, s.uniform(0.04, 0.1), s.uniform(2, 4), p=s.uniform(0.1, 0.4), q=s.uniform(0.15, 0.5))
    elif kind == 2:
        for _ in range(s.whole(2, 4)):
            s.ball(*xyz(s.rng.normal(0, 0.3, 3)), s.uniform(0.3, 0.5), blend=0.3)
        s.relief(
            reliefs.FOLDS,
            s.uniform(0.04, 0.09),
            s.uniform(2, 4),
            p=s.uniform(0.4, 1.2),
            q=s.uniform(0.15, 0.5),
            turn=any_turn(s.rng),
        )
    else:
        s.superquadric(0, 0, 0, 0.8, s.uniform(0.2, 0.35), 0.8, 5, 2.2)
        s.relief(reliefs.FOLDS, 0.04, 2.5, p=1.2, q=0.5, turn=any_turn(s.rng))
        s.relief(reliefs.RIDGES, 0.03, 1.5, p=0.5)
    if s.chance(0.3):
        s.begin()
        s.torus(0, s.uniform(-0.3, 0.5), 0, 0.35, 0.06)
