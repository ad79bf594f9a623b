# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws things that stand on legs, wheels and stems, or are hollow: a picture hides most of their depth."""

import numpy as np

from ...arrays import Float64Array
from .profiles import smooth_line
from .reliefs import FOLDS
from .sculptor import Point, Sculptor, about_x, about_y, about_z
from .solids import CUT, EYE, GRID, MIRROR

_WHEEL = about_z(np.pi / 2)  # a wheel's axis along x


def _facing(s: Sculptor) -> Float64Array:
    """Draw how a thing is turned: mostly towards the viewer, else anyhow."""
    return about_y(s.rng.normal(0, 0.5) if s.chance(0.6) else s.draw(-np.pi, np.pi))


def quadruped(s: Sculptor) -> None:
    """Draw an animal on four legs: a dog, a horse, a cow, an elephant, a lizard."""
    with s.at(turn=_facing(s)):
        long, thick, leg = s.draw(0.35, 1.0), s.draw(0.14, 0.34), s.draw(0.15, 0.9)
        s.begin()
        s.limb((0, 0, -long), (0, s.draw(-0.1, 0.2), long), thick * s.draw(0.8, 1.2), thick)
        s.ball(
            (0, -0.2 * thick, s.draw(-0.3, 0.3) * long),
            1.1 * thick,
            thick * s.draw(0.9, 1.4),
            0.7 * long,
            blend=0.1,
        )
        wide, foot = thick * s.draw(0.25, 0.5), thick * s.draw(0.12, 0.4)
        spread = thick * s.draw(0.5, 1.2)
        for side in (-1, 1):
            for z in (-0.9 * long, 0.85 * long):
                stride = s.rng.normal(0, 0.12)
                knee = (side * spread, -0.5 * leg - 0.3 * thick, z + s.rng.normal(0, 0.05))
                end = (side * spread * s.draw(0.8, 1.2), -leg - 0.5 * thick, z + stride)
                s.limb((0.6 * side * spread, 0, z), knee, wide, 0.5 * (wide + foot), blend=0.06)
                s.limb(knee, end, 0.5 * (wide + foot), foot, blend=0.04)
                s.ball((end[0], end[1], end[2] + 0.5 * foot), 1.2 * foot, 0.8 * foot, 1.6 * foot, blend=0.03)
        up, on = s.draw(0.0, 0.7), s.draw(0.1, 0.4)
        top = (0, up, long + on)
        s.limb((0, 0, 0.9 * long), top, thick * 0.7, thick * s.draw(0.35, 0.6), blend=0.1)
        size = thick * s.draw(0.6, 1.1)
        with s.at(
            (0, up + 0.3 * size, long + on + 0.3 * size),
            size,
            about_y(s.rng.normal(0, 0.4)) @ about_x(s.draw(-0.1, 0.5)),
        ):
            s.ball((0, 0, 0), 0.8, 0.85, 0.9, blend=0.1)
            s.limb((0, -0.2, 0.5), (0, -0.3, s.draw(1.0, 1.9)), 0.6, s.draw(0.3, 0.5), blend=0.15)
            with s.at(fold=MIRROR):
                s.ball((0.75, s.draw(0.2, 0.9), -0.1), 0.15, s.draw(0.3, 0.8), s.draw(0.15, 0.6), blend=0.08)
                if s.chance(0.25):
                    s.tube(
                        smooth_line([(0.4, 0.7, 0), (0.8, 1.3, 0.2), (s.draw(0.3, 1.2), 1.9, 0.3)], 5),
                        np.linspace(0.14, 0.04, 5),
                    )
        tail = [
            (0, 0.4 * thick, -long),
            (0, s.draw(-0.3, 0.5), -long - 0.3),
            (0.1, s.draw(-0.6, 0.7), -long - s.draw(0.2, 0.6)),
        ]
        s.tube(smooth_line(tail, 6), np.linspace(thick * s.draw(0.15, 0.4), 0.03, 6), blend=0.05)


def furniture(s: Sculptor) -> None:
    """Draw a chair, a stool, a table or a bench on thin legs, with stretchers, a back and arms."""
    with s.at(turn=_facing(s)):
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


def bicycle(s: Sculptor) -> None:
    """Draw two wheels and a frame of tubes, with bars and a saddle."""
    with s.at(turn=about_y(s.draw(-np.pi, np.pi))):
        ring, tyre, thin = s.draw(0.3, 0.5), s.draw(0.02, 0.07), s.draw(0.015, 0.04)
        apart = ring * s.draw(1.2, 1.8)
        for z in (-apart, apart):
            with s.at((0, 0, z), turn=about_y(s.rng.normal(0, 0.2) if z > 0 else 0.0) @ _WHEEL):
                s.begin().torus((0, 0, 0), ring, tyre)
                s.begin().cone((0, 0, 0), 0.05, 0.05, 0.06)
                spokes = s.one_of(0, 3, 5, 8)
                for angle in np.arange(spokes) * 2 * np.pi / max(spokes, 1):
                    s.limb((0, 0, 0), (ring * np.cos(angle), 0, ring * np.sin(angle)), 0.01, 0.01)
        seat, head, crank = (
            (0, ring * s.draw(1.0, 1.6), -0.4 * apart),
            (0, ring * s.draw(1.2, 1.9), 0.75 * apart),
            (0, 0, 0),
        )
        s.begin()
        for start, end in (
            ((0, 0, -apart), crank),
            ((0, 0, -apart), seat),
            (crank, seat),
            (crank, head),
            (seat, head),
            (head, (0, 0, apart)),
        ):
            s.limb(start, end, thin, thin)
        bar = s.draw(0.2, 0.45)
        s.tube(
            smooth_line(
                [
                    (-bar, head[1] + 0.15, head[2] - 0.1),
                    (0, head[1] + 0.1, head[2] + 0.05),
                    (bar, head[1] + 0.15, head[2] - 0.1),
                ],
                7,
            ),
            thin,
        )
        s.begin().ball((0, seat[1] + 0.06, seat[2]), 0.08, 0.04, 0.16)


def vehicle(s: Sculptor) -> None:
    """Draw a long vehicle: a cabin on posts or closed, a bonnet or a load, wheels at its four corners or six."""
    with s.at(turn=_facing(s)):
        w, long, floor, wheel = s.draw(0.3, 0.5), s.draw(0.6, 1.3), s.draw(0.06, 0.2), s.draw(0.12, 0.28)
        s.begin().box((0, 0, 0), w, floor, long, s.draw(0.0, 0.08))
        cabin, high, at = s.draw(0.25, 0.5) * long, s.draw(0.2, 0.5), s.draw(-0.5, 0.7) * long
        if s.chance(0.4):
            s.begin()
            for x in (-0.85 * w, 0.85 * w):
                for z in (at - cabin, at + cabin):
                    s.limb((x, 0, z), (x, 2 * high, 0.9 * z + 0.1 * at), 0.03, 0.03)
            s.begin().box((0, 2 * high, at), w, 0.03, cabin, 0.02)
            s.begin().box((0, floor + 0.15, at - 0.3 * cabin), 0.5 * w, 0.15, 0.1, 0.04)
        else:
            s.begin().superquadric((0, floor + 0.8 * high, at), 0.95 * w, high, cabin, s.draw(4, 8), s.draw(2.5, 8))
            if s.chance(0.5):
                s.box((0, floor + high, at), 1.1 * w, 0.4 * high, 0.7 * cabin, join=CUT)
        for _ in range(s.whole(0, 2)):
            z, deep = s.draw(-0.8, 0.8) * long, s.draw(0.1, 0.5) * long
            tall = s.draw(0.05, 0.4)
            s.begin().box((0, floor + tall, z), w * s.draw(0.5, 1.0), tall, deep, s.draw(0.0, 0.1))
        s.begin()
        for z in np.linspace(-0.75, 0.75, s.one_of(2, 2, 2, 3)) * long:
            for side in (-1, 1):
                s.cone((side * w, -floor, z), wheel, wheel, s.draw(0.06, 0.14), 0.03, turn=_WHEEL)
        if s.chance(0.4):
            s.begin().limb((s.draw(-0.2, 0.2), 0, long), (s.draw(-0.4, 0.4), -0.2, long + s.draw(0.2, 0.6)), 0.03, 0.03)


def shed(s: Sculptor) -> None:
    """Draw a long, hollow house with a gable roof and a doorway, a kennel, a barn."""
    with s.at(turn=about_y(s.rng.normal(0, 0.5))):
        w, h, d, wall, rise = (
            s.draw(0.3, 0.6),
            s.draw(0.15, 0.5),
            s.draw(0.4, 1.2),
            s.draw(0.02, 0.06),
            s.draw(0.15, 0.6),
        )
        gable = np.array([(-w, -h), (w, -h), (w, h), (0, h + rise), (-w, h)])
        s.begin().extrude((0, 0, 0), gable, d)
        if s.chance(0.7):
            s.extrude((0, 0, 2 * wall), gable * (1 - wall / w, 1 - wall / h), d, join=CUT)
            with s.at((0, 0, d)):
                s.begin().extrude((0, 0, 0), gable, wall)
                s.box((0, -h + 0.45 * (h + rise), 0), w * s.draw(0.3, 0.7), 0.45 * (h + rise), 3 * wall, join=CUT)
                if s.chance(0.5):
                    s.cone((0, -h + 0.9 * (h + rise), 0), 0.5 * w, 0.5 * w, 3 * wall, turn=about_x(np.pi / 2), join=CUT)
        over, slope = s.draw(0.02, 0.15), float(np.arctan2(rise, w))
        half = float(np.hypot(w, rise)) / 2 + over
        s.begin()
        for side in (-1, 1):
            s.box(
                (side * (0.5 * w + 0.4 * over), h + 0.5 * rise - 0.4 * over * rise / w, 0),
                half,
                wall,
                d + over,
                turn=about_z(-side * slope),
            )
        if s.chance(0.4):
            s.begin().box((0, -h, 0), w + over, wall, d + over)


def basket(s: Sculptor) -> None:
    """Draw an open vessel with a bow over it or an ear, now and then on a plate: a basket, a bucket, a cup."""
    low, wide, high, wall = s.draw(0.25, 0.7), s.draw(0.4, 0.8), s.draw(0.2, 0.7), s.draw(0.015, 0.05)
    line = smooth_line([(0.0, -high), (low, -high), (0.5 * (low + wide) * s.draw(0.9, 1.2), 0), (wide, high)], 12)
    s.begin().lathe(line, wall)
    if s.chance(0.5):
        s.begin(part=False).torus((0, high, 0), wide, wall * s.draw(1.0, 2.5))
    bow = s.draw(0.2, 1.2)
    with s.at(turn=about_y(s.draw(-np.pi, np.pi))):
        if s.chance(0.6):
            s.begin(part=s.chance(0.5))
            arc = [(wide * np.cos(t), high + bow * np.sin(t), 0) for t in np.linspace(0, np.pi, 9)]
            s.tube(smooth_line(arc, 12), wall * s.draw(1.0, 2.0))
        elif s.chance(0.7):
            ear = [
                (wide, 0.8 * high, 0),
                (wide + s.draw(0.2, 0.4), 0.6 * high, 0),
                (wide + 0.2, -0.2 * high, 0),
                (0.6 * (low + wide), -0.4 * high, 0),
            ]
            s.begin(part=False).tube(smooth_line(ear, 8), s.draw(0.03, 0.07))
        if s.chance(0.3):
            s.begin().cone((0, -high, 0), wide * s.draw(0.8, 1.3), wide * s.draw(1.2, 1.8), 0.04, 0.02)


def plant(s: Sculptor) -> None:
    """Draw stems with leaves and flowers, from a pot or in a bunch; or a cactus of balls and pads."""
    if s.chance(0.5):
        s.begin().cone((0, -0.7, 0), s.draw(0.15, 0.3), s.draw(0.25, 0.4), 0.3, 0.02)
    s.begin()
    if s.chance(0.25):
        at, size = np.array([0.0, -0.3, 0.0]), s.draw(0.25, 0.4)
        for _ in range(s.whole(2, 7)):
            s.ball(at, size, size * s.draw(0.9, 1.8), size * s.draw(0.4, 1.0), turn=about_y(s.draw(0, 3)))
            at, size = at + s.rng.normal(0, 0.8, 3) * size * (1, 0.4, 1) + (0, size, 0), size * s.draw(0.5, 0.9)
        return
    for _ in range(s.whole(2, 8)):
        out, tall = s.rng.normal(0, 0.35, 2), s.draw(0.3, 1.1)
        stem = smooth_line([(0, -0.6, 0), (0.3 * out[0], 0, 0.3 * out[1]), (out[0], -0.5 + tall, out[1])], 6)
        s.tube(stem, s.draw(0.012, 0.035))
        for _ in range(s.whole(0, 3)):
            _leaf(s, stem[s.whole(1, 5)])
        if s.chance(0.6):
            s.begin(part=s.chance(0.5)).ball(stem[-1], s.draw(0.06, 0.18), s.draw(0.08, 0.25), s.draw(0.06, 0.18))
            s.begin(part=False)


def _leaf(s: Sculptor, at: Point) -> None:
    turn = about_y(s.draw(-np.pi, np.pi)) @ about_x(s.draw(-1.2, 0.4))
    long = s.draw(0.1, 0.35)
    with s.at(at, turn=turn):
        s.ball((0, 0, long), long * s.draw(0.2, 0.6), 0.015, long)


def tool(s: Sculptor) -> None:
    """Draw something for the hand: a barrel on a grip, a head on a handle, two cups on a bow."""
    kind = s.whole(0, 2)
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
        elif kind == 1:
            s.begin().limb((0, -0.9, 0), (0, 0.7, 0), s.draw(0.04, 0.1), s.draw(0.03, 0.09))
            s.begin()
            with s.at((0, 0.75, 0), turn=EYE if s.chance(0.5) else about_x(0.4)):
                s.box((0, 0, 0), s.draw(0.05, 0.5), s.draw(0.05, 0.2), s.draw(0.05, 0.4), 0.04)
        else:
            bow, wide, deep = s.draw(0.5, 0.8), s.draw(0.4, 0.6), s.draw(0.08, 0.2)
            arc = [(wide * np.cos(t), bow * np.sin(t), 0) for t in np.linspace(0, np.pi, 9)]
            s.begin().tube(smooth_line(arc, 12), s.draw(0.03, 0.08))
            s.begin()
            for side in (-1, 1):
                s.cone(
                    (side * wide, -0.1, 0),
                    s.draw(0.18, 0.3),
                    s.draw(0.15, 0.28),
                    deep,
                    0.05,
                    turn=about_z(side * np.pi / 2),
                )


def armchair(s: Sculptor) -> None:
    """Draw an armchair or a sofa: a seat with cushions between arms before a back, all thick and soft."""
    with s.at(turn=_facing(s)):
        w, d, seat, arm = s.draw(0.25, 0.9), s.draw(0.3, 0.55), s.draw(0.14, 0.28), s.draw(0.08, 0.2)
        rounding, back, thick = s.draw(0.02, 0.12), s.draw(0.25, 0.6), s.draw(0.08, 0.2)
        s.begin().box((0, 0, 0), w, seat, d, rounding)
        high = s.draw(0.05, 0.9) * back
        with s.begin(part=0.2).at(fold=MIRROR):
            s.box((w + 0.9 * arm, 0.5 * high, 0), arm, seat + 0.5 * high, d * s.draw(0.9, 1.1), rounding)
            y = seat + high
            s.perhaps(0.5).limb((w + arm, y, -d), (w + arm, y, d), 1.3 * arm, 1.3 * arm)
        with s.begin(part=0.2).at((0, seat, -d), turn=about_x(-s.draw(0.0, 0.3))):
            s.box((0, back, 0), w + arm * s.draw(0.0, 1.8), back, thick, rounding)
            buttons = (GRID, 0.3 * w, 0.4 * back, 1, 1)
            s.perhaps(0.3).ball((0, back, thick + 0.03), 0.05, 0.05, 0.07, join=CUT, blend=0.1, fold=buttons)
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
    with s.at(turn=_facing(s)):
        w, thin, high, long = s.draw(0.25, 0.45), s.draw(0.015, 0.035), s.draw(0.3, 0.9), s.draw(0.5, 0.9)
        foot, head = (-0.4 * high, long), (high, -long)
        s.begin()
        for side in (-w, w):
            s.limb((side, *foot), (side, *head), thin, thin)
            low = s.draw(-0.9, -0.5) * long
            s.limb((side * 0.9, -0.4 * high, low), (side * 0.9, 0.3 * high, s.draw(0.3, 0.8) * long), thin, thin)
        for y, z in (foot, head):
            s.limb((-w, y, z), (w, y, z), thin, thin)
        sag = s.draw(0.0, 0.35) * high
        line = smooth_line([(0, *foot), (0, 0.3 * high - sag, -0.1 * long), (0, *head)], 9)
        s.begin()
        for start, end in zip(line[:-1], line[1:], strict=True):
            step = end - start
            turn = about_x(float(np.arctan2(-step[1], step[2])))
            s.box((start + end) / 2, 0.95 * w, 0.012, 0.52 * float(np.linalg.norm(step)), turn=turn)


def cabinet(s: Sculptor) -> None:
    """Draw a body of boxes that stand on and before each other: a cupboard, a desk, a piano, a stove, a shelf."""
    with s.at(turn=_facing(s)):
        w, h, d, board = s.draw(0.3, 0.8), s.draw(0.3, 0.9), s.draw(0.15, 0.45), s.draw(0.015, 0.04)
        s.begin().box((0, 0, 0), w, h, d, s.draw(0.0, 0.03))
        n, m = s.whole(1, 3), s.whole(1, 4)
        doors = (GRID, 2 * w / n, 2 * h / m, (n - 1) // 2, (m - 1) // 2)
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


def cart(s: Sculptor) -> None:
    """Draw a tray on one to four wheels with two handles: a barrow, a cart, a pram, a mower."""
    with s.at(turn=_facing(s)):
        w, d, high, wall, wheel = (
            s.draw(0.25, 0.45),
            s.draw(0.35, 0.6),
            s.draw(0.12, 0.3),
            s.draw(0.012, 0.03),
            s.draw(0.1, 0.3),
        )
        thin, narrow = s.draw(0.012, 0.035), s.draw(0.5, 1.0)
        s.begin().box((0, 0, 0), w, high, d, s.draw(0.0, 0.5) * high)
        s.perhaps(0.8).box((0, 2 * wall + 0.3 * high, 0), w - wall, 1.3 * high, d - wall, 0.4 * high, join=CUT)
        s.begin()
        low, end = -high - 0.3 * wheel, s.draw(0.9, 1.5)
        for side in (-w, w):
            s.limb((narrow * side, low, d + wheel), (side, -0.5 * high, -d), thin, thin)
            s.limb((side, -0.5 * high, -d), (side, s.draw(0.0, 0.8) * high, -d * end - 0.2), thin, thin)
            s.perhaps(0.7).limb((side, -0.5 * high, -0.7 * d), (side, low - wheel, -0.9 * d), thin, thin)
        s.begin()
        for side in (0.0,) if s.chance(0.5) else (-w, w):
            with s.at((side, low, d + 0.5 * wheel), turn=_WHEEL):
                s.torus((0, 0, 0), wheel, s.draw(0.02, 0.07)).cone((0, 0, 0), 0.9 * wheel, 0.9 * wheel, 0.02)


def craft(s: Sculptor) -> None:
    """Draw what flies or swims: a body that ends in points, with wings and fins, or a hull with a deck and a mast."""
    with s.at(turn=about_y(s.draw(-np.pi, np.pi)) @ about_x(s.rng.normal(0, 0.1))):
        long, thick = s.draw(0.7, 1.1), s.draw(0.1, 0.25)
        if s.chance(0.5):
            s.begin()
            s.limb((0, 0, -0.2 * long), (0, 0, 0.7 * long), thick, thick * s.draw(0.4, 1.0), blend=0.1)
            s.limb((0, 0, 0), (0, 0.3 * thick, -long), thick, 0.3 * thick, blend=0.1)
            span, swept, up = s.draw(0.5, 1.1), s.draw(-0.3, 0.1), s.draw(-0.1, 0.2)
            for side in (-1, 1):
                s.begin(part=0.2)
                for reach, z, size in ((span, 0.15, 0.14), (0.35 * span, -0.95 * long, 0.09)):
                    turn = about_y(side * np.arctan2(swept, span)) @ about_z(side * up)
                    s.ball((side * 0.5 * reach, 0, z + 0.5 * swept), 0.6 * reach, 0.025, size, turn=turn)
            s.ball((0, 0.25, -0.95 * long), 0.02, s.draw(0.2, 0.35), 0.12)
            s.begin(chance=0.6).ball((0, thick, 0.3 * long), 0.6 * thick, 0.5 * thick, 0.25)
            return
        wide, deep = s.draw(0.2, 0.4), s.draw(0.12, 0.3)
        s.begin().ball((0, 0, 0), wide, deep, long).box((0, deep, 0), 1, deep, 2, join=CUT)
        s.perhaps(0.5).ball((0, 0.03, 0), 0.9 * wide, 0.85 * deep, 0.95 * long, join=CUT)
        s.begin(chance=0.6).box((0, 0.12, -0.2), 0.6 * wide, 0.14, 0.3 * long, 0.02)
        if s.end().chance(0.5):
            mast = s.draw(0.5, 1.2)
            s.begin().limb((0, -0.05, 0.1), (0, mast, 0.1), 0.02, 0.012)
            sail = [(0.03, 0.1), (0.03, 0.95 * mast), (0.7 * long, 0.15)]
            with s.begin(chance=0.7).at((0, 0, 0.1), turn=about_y(np.pi / 2 + s.rng.normal(0, 0.3))):
                s.extrude((0, 0, 0), sail, 0.012)


def device(s: Sculptor) -> None:
    """Draw something of plastic: a handle under a ring, a case with a screen and knobs, a lamp, a pair of headphones."""
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
                with s.begin(part=0.5).at((side * wide, -0.1, 0), turn=about_z(side * np.pi / 2)):
                    s.cone((0, 0.06, 0), pad, 0.7 * pad, 0.08, 0.03)
                    s.begin().torus((0, -0.06, 0), 0.75 * pad, 0.3 * pad)


STANDING = (
    (quadruped, 0.15), (furniture, 0.12), (armchair, 0.06), (deck, 0.03), (cabinet, 0.06), (bicycle, 0.03),
    (vehicle, 0.10), (cart, 0.03), (craft, 0.03), (shed, 0.06), (basket, 0.08), (plant, 0.08), (tool, 0.06),
    (device, 0.06),
)  # fmt: skip
"""What is drawn, and how often."""
