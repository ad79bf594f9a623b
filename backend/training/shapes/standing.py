# SPDX-License-Identifier: GPL-3.0-or-later
"""Things on legs, wheels and stems, and hollow ones: a picture hides most of their depth."""

import numpy as np

from .furnishings import facing
from .profiles import smooth_line
from .sculptor import Point, Sculptor, about_x, about_y, about_z
from .solids import CUT, MIRROR

_WHEEL = about_z(np.pi / 2)  # a wheel's axis along x


def quadruped(s: Sculptor) -> None:
    """Draw an animal on four legs: a dog, a horse, a cow, an elephant, a lizard."""
    with s.at(turn=facing(s)):
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
    with s.at(turn=facing(s)):
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


def cart(s: Sculptor) -> None:
    """Draw a tray on one or two wheels with two handles: a barrow, a cart, a mower."""
    with s.at(turn=facing(s)):
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
        low, end, grip = -high - 0.3 * wheel, s.draw(0.9, 1.5), s.draw(0.0, 0.8) * high
        with s.begin().at(fold=MIRROR):
            s.limb((narrow * w, low, d + wheel), (w, -0.5 * high, -d), thin, thin)
            s.limb((w, -0.5 * high, -d), (w, grip, -d * end - 0.2), thin, thin)
            s.perhaps(0.7).limb((w, -0.5 * high, -0.7 * d), (w, low - wheel, -0.9 * d), thin, thin)
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
                    turn = about_y(-side * np.arctan2(swept, span)) @ about_z(side * up)
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
