# SPDX-License-Identifier: GPL-3.0-or-later
"""Things of a household: furniture on legs and cushions, cabinets, tools, devices."""

from itertools import pairwise

import numpy as np

from ...arrays import Float64Array
from .profiles import smooth_line
from .reliefs import FOLDS
from .sculptor import Sculptor, about_x, about_y, about_z
from .solids import CUT, EYE, GRID, MIRROR


def facing(s: Sculptor) -> Float64Array:
    """Draw how a thing is turned: mostly towards the viewer, else anyhow."""
    return about_y(s.rng.normal(0, 0.5) if s.chance(0.6) else s.draw(-np.pi, np.pi))


def furniture(s: Sculptor) -> None:
    """Draw a chair, a stool, a table or a bench on thin legs, with stretchers, a back and arms."""
    with s.at(turn=facing(s)):
        w, d, leg, thin = s.draw(0.3, 0.8), s.draw(0.3, 0.6), s.draw(0.4, 1.0), s.draw(0.015, 0.05)
        thick, round_top = s.draw(0.015, 0.08), s.chance(0.4)
        s.begin()
        if round_top:
            d = w
            s.cone((0, 0, 0), w, w, thick, 0.5 * thick)
        else:
            s.box((0, 0, 0), w, thick, d, s.draw(0.0, 1.0) * thick)
        splay, inset = s.draw(0.0, 0.25) * leg, s.draw(0.6, 0.95) * (0.72 if round_top else 1.0)
        feet = [
            (x * (inset * w + splay), -leg, z * (inset * d + splay)) for x, z in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        tops = [(x * inset * w, 0.0, z * inset * d) for x, z in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        s.begin()
        for foot, top in zip(feet, tops, strict=True):
            s.limb(foot, top, thin * s.draw(0.6, 1.0), thin)
        low = s.draw(0.3, 0.8)
        joints = [low * np.array(foot) + (1 - low) * np.array(top) for foot, top in zip(feet, tops, strict=True)]
        if s.chance(0.5):
            for k in range(4):
                s.limb(joints[k], joints[(k + 1) % 4], 0.6 * thin, 0.6 * thin)
        if s.chance(0.75):
            _back(s, w * inset, -d * inset, thin)


def _back(s: Sculptor, w: float, z: float, thin: float) -> None:
    """Add a chair's back: a bent rail on posts with slats, or a panel, and arms."""
    high, lean, bow = s.draw(0.4, 0.9), s.draw(0.0, 0.2), s.draw(0.0, 0.3)
    rail = smooth_line([(-w, high, z - lean), (0, high + s.draw(-0.05, 0.15), z - lean - bow), (w, high, z - lean)], 9)
    s.begin(part=s.chance(0.3))
    for x in (-w, w):
        s.limb((x, 0, z), (x, high, z - lean), thin, thin)
    if s.chance(0.3):
        s.box((0, 0.5 * high, z - 0.5 * lean), w, 0.45 * high, 1.2 * thin, turn=about_x(-lean / high))
    else:
        s.tube(rail, thin)
        for k in range(s.whole(0, 5)):
            point = rail[2 + k]
            s.limb((0.8 * point[0], 0, z), point, 0.5 * thin, 0.5 * thin)
    if s.chance(0.5):
        front = s.draw(0.2, 0.9) * -z
        for side in (-1, 1):
            arm = [
                (side * w, 0.6 * high, z - 0.6 * lean),
                (side * w * 1.15, 0.55 * high, 0.3 * z),
                (side * w, 0.5 * high, front),
            ]
            s.tube(smooth_line(arm, 6), thin)
            s.limb((side * w, 0, front), (side * w, 0.5 * high, front), 0.8 * thin, 0.8 * thin)


def armchair(s: Sculptor) -> None:
    """Draw an armchair or a sofa: a seat with cushions between arms before a back, all thick and soft."""
    with s.at(turn=facing(s)):
        w, d, seat, arm = s.draw(0.25, 0.9), s.draw(0.3, 0.55), s.draw(0.14, 0.28), s.draw(0.08, 0.2)
        rounding, back, thick = s.draw(0.02, 0.12), s.draw(0.25, 0.6), s.draw(0.08, 0.2)
        s.begin().box((0, 0, 0), w, seat, d, rounding)
        high = s.draw(0.05, 0.9) * back
        with s.begin(part=0.2).at(fold=MIRROR):
            s.box((w + 0.9 * arm, 0.5 * high, 0), arm, seat + 0.5 * high, d * s.draw(0.9, 1.1), rounding)
            y = seat + high
            s.perhaps(0.5).limb((w + arm, y, -d), (w + arm, y, d), 1.3 * arm, 1.3 * arm)
        with (
            s.begin(part=0.2).at((0, seat, -d), turn=about_x(-s.draw(0.0, 0.3))),
            s.at((0, back, 0)),
        ):
            s.box((0, 0, 0), w + arm * s.draw(0.0, 1.8), back, thick, rounding)
            buttons = (GRID, 0.6 * w, 0.5 * back, 1, 1)
            s.perhaps(0.3).ball((0, 0, thick + 0.03), 0.05, 0.05, 0.07, join=CUT, blend=0.1, fold=buttons)
        count = s.begin(chance=0.7, part=0.3).whole(1, 3)
        soft, deep = s.draw(0.05, 0.1), 0.9 * d
        for k in range(count):
            at = (2 * k + 1 - count) * w / count
            s.superquadric((at, seat + soft, 0.1 * d), 0.95 * w / count, soft, deep, 6, s.draw(2.5, 5))
        s.perhaps(0.4).relief(FOLDS, 0.012, 3.0, 1.0, 0.5)
        with s.begin(chance=0.7).at(fold=MIRROR):
            leg, low = s.draw(0.02, 0.06), s.draw(0.05, 0.2)
            for z in (-0.85 * d, 0.85 * d):
                s.cone((0.9 * w, -seat - low, z), 0.7 * leg, leg, 1.1 * low)


def deck(s: Sculptor) -> None:
    """Draw a deck chair or a lounger: a sling or slats between two rails, on legs that cross them."""
    with s.at(turn=facing(s)):
        w, thin, high, long = s.draw(0.25, 0.45), s.draw(0.015, 0.035), s.draw(0.3, 0.9), s.draw(0.5, 0.9)
        foot, head = (-0.4 * high, long), (high, -long)
        with s.begin().at(fold=MIRROR):
            s.limb((w, *foot), (w, *head), thin, thin)
            low, end = s.draw(-0.9, -0.5) * long, s.draw(0.3, 0.8) * long
            s.limb((0.9 * w, -0.4 * high, low), (0.9 * w, 0.3 * high, end), thin, thin)
        for y, z in (foot, head):
            s.limb((-w, y, z), (w, y, z), thin, thin)
        sag = s.draw(0.0, 0.35) * high
        line = smooth_line([(0, *foot), (0, 0.3 * high - sag, -0.1 * long), (0, *head)], 9)
        s.begin()
        for start, end in pairwise(line):
            step = end - start
            turn = about_x(float(np.arctan2(-step[1], step[2])))
            s.box((start + end) / 2, 0.95 * w, 0.012, 0.52 * float(np.linalg.norm(step)), turn=turn)


def cabinet(s: Sculptor) -> None:
    """Draw a body of boxes that stand on and before each other: a cupboard, a desk, a piano, a stove, a shelf."""
    with s.at(turn=facing(s)):
        w, h, d, board = s.draw(0.3, 0.8), s.draw(0.3, 0.9), s.draw(0.15, 0.45), s.draw(0.015, 0.04)
        s.begin().box((0, 0, 0), w, h, d, s.draw(0.0, 0.03))
        n, m = s.one_of(1, 1, 3), s.one_of(1, 3, 5)
        doors = (GRID, 2 * w / n, 2 * h / m, n // 2, m // 2)
        hollow, room = s.chance(0.25), s.draw(0.75, 0.92)
        s.perhaps(0.6).box((0, 0, d), room * w / n, room * h / m, 1.8 * d if hollow else board, join=CUT, fold=doors)
        s.begin(chance=0.6).ball((0.6 * w / n, 0, d + 0.02), 0.025, fold=doors)
        top = h + board
        s.begin(chance=0.7).box((0, top, 0), w + s.draw(0.0, 0.06), board, d + s.draw(0.0, 0.08), 0.3 * board)
        if s.end().chance(0.4):  # keys, a worktop, a bench
            y, out = s.draw(-0.2, 0.4) * h, s.draw(0.1, 0.3)
            s.begin(part=0.5).box((0, y, d + out), w, s.draw(0.02, 0.08), out, 0.01)
            with s.begin().at(fold=MIRROR):
                post = s.draw(0.02, 0.05)
                s.box((0.9 * w, (y - h) / 2, d + 1.6 * out), post, (y + h) / 2, post)
        if s.chance(0.4):
            s.begin(part=0.3).box((0, top + 0.2, -0.5 * d), w * s.draw(0.5, 1.0), 0.2, 0.45 * d, 0.02)
        with s.begin(chance=0.5).at(fold=MIRROR):
            low = s.draw(0.03, 0.3)
            for z in (-0.8 * d, 0.8 * d):
                s.cone((0.88 * w, -h - low, z), 0.02, 0.04, 1.05 * low)


def tool(s: Sculptor) -> None:
    """Draw something for the hand: a barrel on a grip, a head on a handle."""
    kind = s.whole(0, 1)
    with s.at(turn=about_y(s.draw(-np.pi, np.pi)) @ about_x(s.draw(-0.3, 0.3))):
        if kind == 0:
            long, thick = s.draw(0.4, 0.9), s.draw(0.12, 0.28)
            s.begin().limb((0, 0, -long), (0, 0, long), thick, thick * s.draw(0.3, 1.0))
            s.begin(part=s.chance(0.5)).limb(
                (0, 0, -0.4 * long), (0, -s.draw(0.5, 0.9), -0.7 * long), 0.7 * thick, 0.6 * thick
            )
            if s.chance(0.5):
                s.begin().box((0, -0.8, -0.7 * long), thick, s.draw(0.08, 0.2), 1.3 * thick, 0.05)
            if s.chance(0.5):
                s.begin().limb((0, 0, long), (0, 0, 1.6 * long), 0.05, 0.03)
        else:
            s.begin().limb((0, -0.9, 0), (0, 0.7, 0), s.draw(0.04, 0.1), s.draw(0.03, 0.09))
            s.begin()
            with s.at((0, 0.75, 0), turn=EYE if s.chance(0.5) else about_x(0.4)):
                s.box((0, 0, 0), s.draw(0.05, 0.5), s.draw(0.05, 0.2), s.draw(0.05, 0.4), 0.04)


def device(s: Sculptor) -> None:
    """Draw something of plastic: a handle under a ring, a case with a screen and knobs, a lamp, headphones."""
    kind = s.whole(0, 3)
    with s.at(turn=about_y(s.draw(-np.pi, np.pi)) @ about_x(s.draw(-0.4, 0.4))):
        if kind == 0:
            s.begin().limb((0, -0.7, -0.1), (0, 0.2, 0.1), s.draw(0.12, 0.2), s.draw(0.15, 0.22), blend=0.1)
            s.ball((0, 0.3, 0.15), s.draw(0.2, 0.35), 0.12, s.draw(0.2, 0.35), blend=0.1, turn=about_x(0.3))
            ring = s.draw(0.35, 0.55)
            s.begin(chance=0.7).torus((0, 0.35, 0.1), ring, s.draw(0.03, 0.07), turn=about_x(s.draw(-0.9, 0.9)))
            s.begin().ball((0, 0.4, 0.2), 0.06, 0.05, 0.06)
        elif kind == 1:
            w, h, d = s.draw(0.4, 0.8), s.draw(0.3, 0.7), s.draw(0.08, 0.5)
            s.begin().box((0, 0, 0), w, h, d, s.draw(0.02, 0.9) * min(d, 0.15))
            s.perhaps(0.7).box((-0.2 * w, 0.1 * h, d), 0.7 * w, 0.75 * h, 0.03, 0.02, join=CUT)
            s.begin(chance=0.6).cone(
                (0.75 * w, 0, d), 0.06, 0.06, 0.05, 0.01, turn=about_x(np.pi / 2), fold=(GRID, 1, 0.3, 0, 1)
            )
            s.begin(chance=0.4).box((0, -h - 0.05, 0), 0.6 * w, 0.06, 1.2 * d, 0.02)
        elif kind == 2:
            s.begin().cone((0, -0.75, 0), s.draw(0.25, 0.4), s.draw(0.2, 0.35), 0.04, 0.02)
            bend = (0, s.draw(0.0, 0.6), s.draw(-0.3, 0.1))
            s.begin().tube(smooth_line([(0, -0.75, 0), bend, (0, 0.5, 0.3)], 8), 0.025)
            with s.begin().at((0, 0.45, 0.35), turn=about_x(s.draw(-0.2, 0.8))):
                s.lathe(np.array([(s.draw(0.25, 0.4), -0.2), (0.1, 0.2)]), 0.015)
        else:
            bow, wide, pad = s.draw(0.5, 0.8), s.draw(0.4, 0.6), s.draw(0.2, 0.32)
            arc = [(wide * np.cos(t), bow * np.sin(t), 0) for t in np.linspace(0, np.pi, 9)]
            s.begin().tube(smooth_line(arc, 12), s.draw(0.03, 0.07))
            for side in (-1, 1):
                with s.begin(part=0.5).at((side * wide, -0.1, 0), turn=about_z(-side * np.pi / 2)):
                    s.cone((0, 0.06, 0), pad, 0.7 * pad, 0.08, 0.03)
                    s.begin().torus((0, -0.06, 0), 0.75 * pad, 0.3 * pad)
