# SPDX-License-Identifier: GPL-3.0-or-later
"""Living things: busts, figures and animals with faces, hair and cloth; trees, birds, rocks and fruit."""

import numpy as np

from .profiles import smooth_line
from .reliefs import DENTS, FOLDS, RIBS, RIDGES, ROCK, SCALES, STRANDS
from .sculptor import Sculptor, about_x, about_y, about_z, shifted, xyz
from .solids import CUT, MIRROR


def head(s: Sculptor, *, realistic: bool) -> None:
    """Add a head of about radius 1 that looks along z: skull, brow, nose, mouth, eyes, ears, hair or a hat."""
    s.begin()
    wide, deep, long = s.uniform(0.68, 0.85), s.uniform(0.85, 1.0), s.uniform(0.95, 1.15)
    if not realistic:
        wide, deep, long = s.uniform(0.8, 1.15), s.uniform(0.75, 1.05), s.uniform(0.75, 1.1)
    s.ball(0, 0.1, -0.05, wide, 0.9 * long, deep)
    if realistic or s.chance(0.5):
        s.ball(0, -0.45 * long, 0.22 * deep, 0.62 * wide, 0.5 * long, 0.6 * deep, blend=0.25)  # jaw
        s.ball(0, -0.85 * long, 0.55 * deep, 0.2, 0.14, 0.17, blend=0.2)  # chin
    s.ball(0.4 * wide, -0.12, 0.62 * deep, 0.25, 0.22, 0.25, blend=0.2, fold=MIRROR)  # cheeks
    front = deep * 0.88
    eyes, apart = s.uniform(0.05, 0.2), s.uniform(0.28, 0.4) * wide / 0.75
    size = s.uniform(0.11, 0.16) if realistic else s.uniform(0.12, 0.28)
    if realistic:
        with s.folded(MIRROR):
            s.ball(apart, eyes - 0.01, front, 1.7 * size, 1.15 * size, 1.3 * size, join=CUT, blend=0.12)
            s.limb(
                (0.12, eyes + 1.45 * size, front),
                (apart + size, eyes + 1.4 * size, front - 0.14),
                0.07,
                0.05,
                blend=0.12,
            )
    _nose(s, front, eyes, realistic=realistic)
    _mouth(s, front, realistic=realistic)
    if s.chance(0.75):
        with s.folded(MIRROR):
            s.ball(wide * 0.98, 0.0, -0.1, 0.08, s.uniform(0.18, 0.3), 0.15, blend=0.05, turn=about_y(-0.4))
            s.ball(wide * 1.04, 0.02, -0.04, 0.06, 0.13, 0.08, blend=0.04, join=CUT)
    s.begin(part=s.chance(0.5) or not realistic).ball(
        apart,
        eyes,
        front - (0.9 * size if realistic else 0.4 * size),
        size,
        size if realistic else size * s.uniform(0.9, 1.5),
        size,
        fold=MIRROR,
    )
    if realistic and s.chance(0.8):  # lids
        s.begin(part=False)
        with s.folded(MIRROR):
            s.ball(apart, eyes + 0.25 * size, front - 0.9 * size, 1.13 * size, 1.0 * size, 1.13 * size)
            s.ball(apart, eyes - 0.55 * size, front - 0.1 * size, 2.2 * size, 0.75 * size, 2 * size, join=CUT)
    elif s.chance(0.6):
        s.begin().ball(apart, eyes, front + 0.45 * size, 0.5 * size, 0.55 * size, 0.25 * size, fold=MIRROR)
    _top(s, wide, deep, long, realistic=realistic)


def _nose(s: Sculptor, front: float, eyes: float, *, realistic: bool) -> None:
    if realistic:
        tip = s.uniform(0.18, 0.32)
        low = eyes - s.uniform(0.38, 0.5)
        s.limb((0, eyes + 0.08, front - 0.02), (0, low + 0.04, front + tip - 0.08), 0.06, 0.09, blend=0.08)
        s.ball(0, low, front + tip - 0.1, 0.1, 0.085, 0.11, blend=0.05)
        with s.folded(MIRROR):
            s.ball(0.11, low - 0.01, front + 0.02, 0.075, 0.065, 0.09, blend=0.05)
            s.ball(0.07, low - 0.07, front + 0.06, 0.04, 0.03, 0.05, join=CUT, blend=0.02)
    else:
        if s.chance(0.4):
            s.begin()
        kind, low = s.whole(0, 2), eyes - s.uniform(0.2, 0.4)
        if kind == 0:
            s.ball(0, low, front + 0.06, s.uniform(0.1, 0.2), s.uniform(0.08, 0.15), 0.15, blend=0.03)
        elif kind == 1:  # a beak or a carrot
            s.limb((0, low, front - 0.1), (0, low - 0.1, front + s.uniform(0.3, 0.8)), s.uniform(0.12, 0.2), 0.03)
        else:  # a snout
            s.ball(0, low - 0.1, front, s.uniform(0.25, 0.45), s.uniform(0.2, 0.35), s.uniform(0.3, 0.6), blend=0.15)


def _mouth(s: Sculptor, front: float, *, realistic: bool) -> None:
    low, wide = -s.uniform(0.5, 0.62), s.uniform(0.18, 0.32)
    z = front - 0.06
    if realistic:
        s.ball(0, low, z - 0.06, wide * 1.3, 0.2, 0.2, blend=0.12)
        s.limb((0.03, low + 0.055, z + 0.12), (wide, low, z), 0.045, 0.015, blend=0.03, fold=MIRROR)
        s.limb((-0.5 * wide, low - 0.07, z + 0.08), (0.5 * wide, low - 0.07, z + 0.08), 0.055, 0.055, blend=0.04)
        s.box(0, low, z + 0.15, wide, 0.008, 0.13, join=CUT, blend=0.03)
    elif s.chance(0.7):
        curve = s.uniform(-0.05, 0.2)
        x = np.linspace(-1, 1, 5)
        points = np.stack([x * wide * 1.3, low + curve * x * x, z + 0.12 - 0.12 * x * x], axis=1)
        for k in range(4):
            s.limb(points[k], points[k + 1], 0.035, 0.035, join=CUT, blend=0.03)


def _top(s: Sculptor, wide: float, deep: float, long: float, *, realistic: bool) -> None:
    kind = s.rng.random()
    if kind < 0.5:  # hair
        s.begin(part=s.chance(0.6))
        over = s.uniform(1.03, 1.15)
        s.ball(0, 0.14, -0.08, wide * over, 0.92 * long * over, deep * over)
        s.ball(
            0, -0.25, 0.75 * deep, wide * s.uniform(0.8, 1.1), s.uniform(0.7, 0.9), 0.75 * deep, join=CUT, blend=0.08
        )
        s.box(0, -1.3, 0, 2, s.uniform(0.8, 1.1), 2, join=CUT, blend=0.1)
        if s.chance(0.6):
            s.relief(STRANDS, s.uniform(0.04, 0.1), s.uniform(4, 12), p=s.uniform(0, 2))
        else:
            s.relief(ROCK, s.uniform(0.06, 0.14), s.uniform(2.5, 6), p=0.5)
    elif kind < 0.75:  # a hat
        s.begin()
        y, r = s.uniform(0.35, 0.55), wide * s.uniform(1.0, 1.12)
        if s.chance(0.5):
            s.ball(0, y, -0.08, r, s.uniform(0.6, 1.0), r * deep / wide)
            s.box(0, y - 1.05, 0, 2, 1, 2, join=CUT, blend=0.03)
            if s.chance(0.6):
                s.relief(RIBS, s.uniform(0.01, 0.03), s.uniform(10, 25) / 6, q=0.8, around=True)
        else:
            s.cone(0, y + 0.4, -0.05, r, s.uniform(0.1, 1.0) * r, s.uniform(0.3, 0.6), rounding=0.05)
        s.begin(part=s.chance(0.6))
        with s.at(0, y, -0.06, turn=about_x(s.uniform(-0.15, 0.1))):
            if s.chance(0.5):
                s.torus(0, 0, 0, 1.02 * r, s.uniform(0.08, 0.16))
            else:
                s.cone(0, 0, 0, r * s.uniform(1.2, 1.7), r * 1.2, 0.04, rounding=0.03)
        if s.chance(0.4):
            s.begin().ball(0, y + s.uniform(0.8, 1.0), -0.08, s.uniform(0.15, 0.28)).relief(ROCK, 0.06, 5)
    elif not realistic and s.chance(0.7):  # an animal's ears
        s.begin(part=False)
        up = s.uniform(0.25, 0.8)
        with s.folded(MIRROR):
            s.ball(
                0.5 * wide,
                0.75 * long + 0.5 * up,
                -0.1,
                s.uniform(0.15, 0.3),
                up,
                0.12,
                blend=0.1,
                turn=about_z(-s.uniform(0, 0.6)),
            )
            s.ball(
                0.5 * wide, 0.75 * long + 0.5 * up, 0.04, 0.12, 0.7 * up, 0.09, blend=0.03, join=CUT, turn=about_z(-0.3)
            )


def bust(s: Sculptor) -> None:
    """Draw a head, alone or on shoulders that may wear cloth."""
    realistic = s.chance(0.75)
    with s.at(0, 1.0, 0, turn=about_y(s.rng.normal(0, 0.25)) @ about_x(s.rng.normal(0, 0.12))):
        head(s, realistic=realistic)
    if s.chance(0.25):
        return
    s.begin(part=s.chance(0.3))
    neck = s.uniform(0.32, 0.45)
    s.limb((0, 0.55, -0.15), (0, -0.5, -0.25), neck, neck * 1.15)
    s.limb((0.1, 0.3, 0.1), (0.25, -0.35, 0.18), 0.07, 0.05, blend=0.1, fold=MIRROR)  # the neck's sinews
    s.begin(part=s.chance(0.5))
    broad = s.uniform(0.9, 1.3)
    s.limb((0.2, -0.55, -0.25), (broad, -0.8, -0.3), 0.32, 0.3, blend=0.2, fold=MIRROR)
    s.ball(0, -0.95, -0.2, broad * 0.9, 0.6, 0.5, blend=0.25)
    s.box(0, -2.2, 0, 3, s.uniform(0.7, 0.95), 3, join=CUT)
    if s.chance(0.65):
        s.relief(
            FOLDS,
            s.uniform(0.03, 0.09),
            s.uniform(1.5, 4),
            p=s.uniform(0.2, 0.8),
            q=s.uniform(0.1, 0.4),
            turn=about_z(s.uniform(-0.9, 0.9)),
        )
    if s.chance(0.3):  # a collar or scarf
        s.begin()
        with s.at(0, -0.4, -0.2, turn=about_x(s.uniform(0.1, 0.4))):
            s.torus(0, 0, 0, 0.5, s.uniform(0.12, 0.2))
        s.relief(FOLDS, 0.05, 3.0, p=0.5, q=0.3)
    if s.chance(0.4):
        s.begin().cone(0, -1.65, -0.2, s.uniform(0.35, 0.6), s.uniform(0.3, 0.4), 0.25, rounding=0.03)


def figure(s: Sculptor) -> None:
    """Draw somebody: torso, arms, legs, head, often a robe."""
    robe, stout = s.chance(0.4), s.uniform(0.8, 1.7)
    with s.at(0, 1.25, 0, scale=s.uniform(0.28, 0.55), turn=about_y(s.rng.normal(0, 0.3))):
        head(s, realistic=s.chance(0.4))
    s.begin()
    blend = s.uniform(0.05, 0.2)
    s.ball(0, 0.65, 0, 0.32 * stout, 0.42, 0.24 * stout)
    s.ball(0, 0.2, 0, 0.28 * stout, 0.3, 0.22 * stout, blend=blend)
    s.limb((0, 0.9, 0), (0, 1.15, 0), 0.12, 0.1, blend=0.08)
    if robe:
        s.cone(0, -0.35, 0, s.uniform(0.35, 0.6), 0.25 * stout, 0.55, rounding=0.05, blend=0.15)
        s.relief(FOLDS, s.uniform(0.02, 0.06), s.uniform(2, 6), p=s.uniform(0.1, 0.6), q=s.uniform(0.1, 0.4))
    s.begin(part=s.chance(0.5))
    for side in (-1, 1):
        shoulder = np.array([side * 0.34 * stout, 0.9, 0.0])
        elbow = shifted(shoulder, side * s.uniform(0.05, 0.35), s.uniform(-0.4, 0.1), s.uniform(-0.1, 0.25))
        hand = shifted(elbow, side * s.uniform(-0.25, 0.25), s.uniform(-0.35, 0.35), s.uniform(0, 0.3))
        thick = s.uniform(0.07, 0.12)
        s.limb(shoulder, elbow, thick * 1.2, thick, blend=0.05)
        s.limb(elbow, hand, thick, 0.7 * thick, blend=0.05)
        s.ball(*xyz(hand), 1.2 * thick, blend=0.03)
    if not robe:
        s.begin(part=s.chance(0.5))
        for side in (-1, 1):
            hip = np.array([side * 0.15 * stout, 0.1, 0.0])
            knee = shifted(hip, side * s.uniform(0, 0.12), -0.45, s.uniform(-0.05, 0.2))
            foot = shifted(knee, 0, -0.45, s.uniform(-0.2, 0.05))
            s.limb(hip, knee, 0.14 * stout, 0.1, blend=0.05)
            s.limb(knee, foot, 0.1, 0.075, blend=0.04)
            s.ball(*xyz(shifted(foot, 0, -0.03, 0.08)), 0.09, 0.07, 0.17, blend=0.03)
        if s.chance(0.4):
            s.relief(FOLDS, 0.02, s.uniform(4, 8), p=0.5, q=0.3)
    if s.chance(0.3):
        wings(s)


def wings(s: Sculptor) -> None:
    """Add a pair of feathered wings behind."""
    s.begin()
    high, wide = s.uniform(0.3, 0.9), s.uniform(0.7, 1.2)
    outline = np.array(
        [(0, 0), (0.35, 0.6 + high), (wide, 0.8 + high), (wide * 0.95, 0.4), (0.6 * wide, -0.1), (0.2, -0.4)]
    )
    corners = smooth_line(outline - (0.5 * wide, 0.3), 30, closed=True)
    s.extrude(0.1 + 0.5 * wide, 0.9, -0.35, corners, 0.06, 0.04, turn=about_y(s.uniform(-0.2, 0.7)), fold=MIRROR)
    s.relief(SCALES, s.uniform(0.02, 0.05), s.uniform(3, 6), p=s.uniform(0.5, 1.0))


def animal(s: Sculptor) -> None:
    """Draw a four-legged or sitting animal, with fur, scales or a bare skin."""
    s.begin()
    long, thick = s.uniform(0.5, 0.9), s.uniform(0.28, 0.45)
    with s.at(turn=about_y(s.uniform(-1.6, 1.6))):
        rise = s.uniform(-0.1, 0.3)
        s.limb((0, 0, -long), (0, rise, long), thick * s.uniform(0.9, 1.3), thick)
        s.ball(0, -0.1, 0, thick * 1.15, thick, long * 0.7, blend=0.2)
        with s.folded(MIRROR):
            for z in (-0.9 * long, 0.8 * long):
                knee = np.array([0.8 * thick, -0.5 * thick - 0.25, z + s.uniform(-0.1, 0.1)])
                s.limb((0.6 * thick, 0, z), knee, 0.5 * thick, 0.3 * thick, blend=0.12)
                foot = shifted(knee, 0, -s.uniform(0.2, 0.5), s.uniform(-0.05, 0.1))
                s.limb(knee, foot, 0.3 * thick, 0.22 * thick, blend=0.08)
                s.ball(*xyz(shifted(foot, 0, 0, 0.06)), 0.3 * thick, 0.18 * thick, 0.38 * thick, blend=0.06)
        up = s.uniform(0.2, 0.6)
        s.limb((0, rise, long), (0, rise + up, long + 0.25), 0.7 * thick, 0.5 * thick, blend=0.15)
        tail = np.array([(0, 0.1, -long), (0, 0.3, -long - 0.3), (0.1, s.uniform(0.0, 0.8), -long - 0.5)])
        path = smooth_line(tail, 6, closed=False)
        s.tube(path, np.linspace(0.12, 0.04, 6), blend=0.05)
        if s.chance(0.6):
            kind = (STRANDS, ROCK, SCALES)[s.whole(0, 2)]
            s.relief(kind, s.uniform(0.01, 0.03), s.uniform(5, 12), p=s.uniform(0.5, 1.0), turn=about_x(np.pi / 2))
        with s.at(0, rise + up + 0.15, long + 0.4, scale=s.uniform(0.3, 0.5), turn=about_y(s.rng.normal(0, 0.3))):
            head(s, realistic=False)


def tree(s: Sculptor) -> None:
    """Draw a fir with baubles, or a round tree, on a trunk or in a pot."""
    s.begin().cone(0, -0.75, 0, 0.12, 0.08, 0.25).relief(STRANDS, 0.02, 8, p=0.5)
    s.begin()
    if s.chance(0.6):
        for k in range(s.whole(2, 5)):
            s.cone(0, -0.45 + 0.3 * k, 0, 0.55 - 0.1 * k, 0.1, 0.25, blend=0.05)
    else:
        for _ in range(s.whole(2, 5)):
            s.ball(*xyz(shifted(s.rng.normal(0, 0.25, 3), 0, 0.1, 0)), s.uniform(0.25, 0.45), blend=0.1)
    s.relief(RIDGES if s.chance(0.5) else ROCK, s.uniform(0.06, 0.12), s.uniform(3, 6), p=0.6)
    if s.chance(0.5):
        s.begin()
        for _ in range(s.whole(4, 10)):
            angle, y = s.uniform(-1.6, 1.6), s.uniform(-0.5, 0.5)
            r = 0.45 * (0.9 - y)
            s.ball(r * np.sin(angle), y, r * np.cos(angle), s.uniform(0.04, 0.08))
    if s.chance(0.5):
        s.begin().cone(0, -0.95, 0, s.uniform(0.2, 0.5), s.uniform(0.2, 0.5), 0.12, rounding=0.02)
        if s.chance(0.5):
            s.relief(FOLDS, 0.04, 4.0, p=0.4, q=0.3)


def bird(s: Sculptor) -> None:
    """Draw a bird, wings spread or folded, with feathers, a beak, claws, perhaps on a branch."""
    with s.at(turn=about_y(s.uniform(-1.2, 1.2))):
        s.begin()
        lean = s.uniform(0.2, 1.1)
        with s.at(turn=about_x(lean)):
            s.ball(0, 0, 0, 0.27, 0.5, 0.27)
            s.ball(0, -0.65, -0.08, 0.2, 0.35, 0.05, blend=0.12)
            s.relief(SCALES, s.uniform(0.01, 0.025), s.uniform(6, 10), p=s.uniform(0.6, 1.0), around=True)
        up = np.array([0, 0.55 * np.cos(lean), 0.55 * np.sin(lean)])
        s.begin(part=s.chance(0.5)).limb(0.5 * up, shifted(up, 0, 0.05, 0.05), 0.2, 0.14)
        s.ball(*xyz(shifted(up, 0, 0.1, 0.1)), 0.16, 0.15, 0.19, blend=0.06).relief(STRANDS, 0.012, 10, p=0.6)
        s.begin().limb(
            shifted(up, 0, 0.1, 0.25), shifted(up, 0, s.uniform(0.0, 0.08), s.uniform(0.36, 0.5)), 0.07, 0.02
        )
        s.ball(0.12, float(up[1]) + 0.14, float(up[2]) + 0.19, 0.035, fold=MIRROR)
        s.begin(part=s.chance(0.4))
        spread = s.chance(0.6)
        wide, high = (s.uniform(0.7, 1.1), s.uniform(0.2, 0.7)) if spread else (0.35, 0.2)
        n = s.whole(4, 7)
        tips = [
            (wide * (0.35 + 0.65 * k / n), high * (1 - k / n) - 0.5 * (k % 2) * 0.35 - 0.35 * (1 - k / n))
            for k in range(n, -1, -1)
        ]
        wing = np.array([(0, 0.1), (0.5 * wide, high + 0.15), (wide, high + 0.1), *tips, (0.1, -0.35)])
        middle = wing.mean(axis=0)
        s.extrude(
            0.2 + middle[0],
            0.2 + middle[1],
            -0.05,
            wing - middle,
            0.035,
            0.02,
            turn=about_y(s.uniform(-0.5, 0.5) if spread else 1.2),
            fold=MIRROR,
        )
        s.relief(
            SCALES, s.uniform(0.015, 0.03), s.uniform(4, 7), p=s.uniform(0.4, 0.8), turn=about_z(s.uniform(-0.3, 0.3))
        )
        s.begin()
        with s.folded(MIRROR):
            s.limb((0.12, -0.3, 0), (0.14, -0.65, 0.1), 0.09, 0.04)
            for x in (-0.06, 0.0, 0.06):
                s.limb((0.14, -0.65, 0.1), (0.14 + x, -0.7, 0.24), 0.035, 0.02)
        if s.chance(0.6):
            s.begin().limb((-0.4, -0.8, 0), (0.4, -0.85, 0.1), 0.13, 0.1)
            s.limb((0, -0.8, 0), (0.1, -1.3, 0), 0.15, 0.25, blend=0.15).relief(STRANDS, 0.03, 5, p=1.0)


def rock(s: Sculptor) -> None:
    """Draw a rock or a fruit."""
    s.begin()
    if s.chance(0.6):
        s.superquadric(
            0, 0, 0, s.uniform(0.4, 0.8), s.uniform(0.3, 0.7), s.uniform(0.4, 0.8), s.uniform(2, 4), s.uniform(2, 4)
        )
        s.relief(ROCK, s.uniform(0.1, 0.2), s.uniform(0.8, 1.5), p=0.4)
        s.relief(RIDGES, s.uniform(0.03, 0.08), s.uniform(2, 5), p=0.5)
        return
    s.ball(0, 0, 0, 0.6, s.uniform(0.45, 0.8))
    s.ball(0, 0.75, 0, 0.3, 0.25, 0.3, join=CUT, blend=0.25)
    if s.chance(0.6):
        s.relief(RIBS, s.uniform(0.02, 0.06), s.whole(5, 12) / (2 * np.pi), q=0.8, around=True)
    else:
        s.relief(DENTS, 0.01, s.uniform(5, 12))
    s.begin().tube(
        smooth_line(np.array([(0, 0.4, 0), (0.03, 0.6, 0), (s.uniform(-0.2, 0.2), 0.8, 0)]), 5, closed=False),
        np.linspace(0.05, 0.03, 5),
    )
    if s.chance(0.5):
        s.ball(0.2, 0.65, 0, 0.2, 0.02, 0.1, turn=about_z(0.4))
