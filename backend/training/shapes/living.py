# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: RUF005 - points are arrays: + moves them
"""Living things: busts, figures and animals with faces, hair and cloth; trees, birds, rocks and fruit."""

import numpy as np

from .profiles import smooth_line
from .reliefs import DENTS, FOLDS, RIBS, RIDGES, ROCK, SCALES, STRANDS
from .sculptor import Sculptor, about_x, about_y, about_z
from .solids import CUT, MIRROR


def head(s: Sculptor, *, realistic: bool) -> None:
    """Add a head of about radius 1 that looks along z: skull, brow, nose, mouth, eyes, ears, hair or a hat."""
    wide, deep, long = s.draw(0.68, 0.85), s.draw(0.85, 1.0), s.draw(0.95, 1.15)
    if not realistic:
        wide, deep, long = s.draw(0.8, 1.15), s.draw(0.75, 1.05), s.draw(0.75, 1.1)
    s.begin().ball((0, 0.1, -0.05), wide, 0.9 * long, deep)
    s.perhaps(realistic or 0.5, 2).ball((0, -0.45 * long, 0.22 * deep), 0.62 * wide, 0.5 * long, 0.6 * deep, blend=0.25)
    s.ball((0, -0.85 * long, 0.55 * deep), 0.2, 0.14, 0.17, blend=0.2)  # the chin below the jaw
    s.ball((0.4 * wide, -0.12, 0.62 * deep), 0.25, 0.22, 0.25, blend=0.2, fold=MIRROR)  # cheeks
    front, eyes, apart = deep * 0.88, s.draw(0.05, 0.2), s.draw(0.28, 0.4) * wide / 0.75
    size = s.draw(0.11, 0.16) if realistic else s.draw(0.12, 0.28)
    if realistic:
        _face(s, front, eyes, apart, size)
    else:
        _cartoon_face(s, front, eyes)
    s.perhaps(0.75, 2)  # ears
    s.ball((wide * 0.98, 0, -0.1), 0.08, s.draw(0.18, 0.3), 0.15, blend=0.05, turn=about_y(-0.4), fold=MIRROR)
    s.ball((wide * 1.04, 0.02, -0.04), 0.06, 0.13, 0.08, blend=0.04, join=CUT, fold=MIRROR)
    s.begin(part=s.chance(0.5) or not realistic)
    tall = 1.0 if realistic else s.draw(0.9, 1.5)
    s.ball((apart, eyes, front - (0.9 if realistic else 0.4) * size), size, size * tall, size, fold=MIRROR)
    if realistic and s.chance(0.8):  # lids
        with s.begin(part=0).at(fold=MIRROR):
            s.ball((apart, eyes + 0.25 * size, front - 0.9 * size), 1.13 * size, size, 1.13 * size)
            s.ball((apart, eyes - 0.55 * size, front - 0.1 * size), 2.2 * size, 0.75 * size, 2 * size, join=CUT)
    elif s.chance(0.6):
        s.begin().ball((apart, eyes, front + 0.45 * size), 0.5 * size, 0.55 * size, 0.25 * size, fold=MIRROR)
    kind = s.rng.random()
    over = s.begin(chance=kind < 0.5, part=0.6).draw(1.03, 1.15)  # hair
    s.ball((0, 0.14, -0.08), wide * over, 0.92 * long * over, deep * over)
    broad, high = wide * s.draw(0.8, 1.1), s.draw(0.7, 0.9)
    s.ball((0, -0.25, 0.75 * deep), broad, high, 0.75 * deep, join=CUT, blend=0.08)  # the face is free
    s.box((0, -1.3, 0), 2, s.draw(0.8, 1.1), 2, join=CUT, blend=0.1)
    s.perhaps(0.6).relief(STRANDS, (0.04, 0.1), (4, 12), (0, 2)).otherwise().relief(ROCK, (0.06, 0.14), (2.5, 6))
    if 0.5 <= kind < 0.75:
        _hat(s.end(), wide, deep)
    with s.begin(chance=0.7 * (kind >= 0.75 and not realistic), part=0).at(fold=MIRROR):  # an animal's ears
        up = s.draw(0.25, 0.8)
        root, broad = (0.5 * wide, 0.75 * long + 0.5 * up, -0.1), s.draw(0.15, 0.3)
        s.ball(root, broad, up, 0.12, blend=0.1, turn=about_z(-s.draw(0, 0.6)))
        s.ball((*root[:2], 0.04), 0.12, 0.7 * up, 0.09, blend=0.03, join=CUT, turn=about_z(-0.3))


def _face(s: Sculptor, front: float, eyes: float, apart: float, size: float) -> None:
    s.ball((apart, eyes - 0.01, front), 1.7 * size, 1.15 * size, 1.3 * size, join=CUT, blend=0.12, fold=MIRROR)
    brow = (0.12, eyes + 1.45 * size, front), (apart + size, eyes + 1.4 * size, front - 0.14)
    s.limb(*brow, 0.07, 0.05, blend=0.12, fold=MIRROR)
    out, low = front + s.draw(0.18, 0.32), eyes - s.draw(0.38, 0.5)  # of the nose
    s.limb((0, eyes + 0.08, front - 0.02), (0, low + 0.04, out - 0.08), 0.06, 0.09, blend=0.08)
    s.ball((0, low, out - 0.1), 0.1, 0.085, 0.11, blend=0.05)
    s.ball((0.11, low - 0.01, front + 0.02), 0.075, 0.065, 0.09, blend=0.05, fold=MIRROR)
    s.ball((0.07, low - 0.07, front + 0.06), 0.04, 0.03, 0.05, join=CUT, blend=0.02, fold=MIRROR)
    low, wide, z = -s.draw(0.5, 0.62), s.draw(0.18, 0.32), front - 0.06  # of the mouth
    s.ball((0, low, z - 0.06), wide * 1.3, 0.2, 0.2, blend=0.12)
    s.limb((0.03, low + 0.055, z + 0.12), (wide, low, z), 0.045, 0.015, blend=0.03, fold=MIRROR)
    s.limb((-0.5 * wide, low - 0.07, z + 0.08), (0.5 * wide, low - 0.07, z + 0.08), 0.055, 0.055, blend=0.04)
    s.box((0, low, z + 0.15), wide, 0.008, 0.13, join=CUT, blend=0.03)


def _cartoon_face(s: Sculptor, front: float, eyes: float) -> None:
    if s.chance(0.4):
        s.begin()
    kind, low = s.whole(0, 2), eyes - s.draw(0.2, 0.4)
    s.perhaps(kind == 0).ball((0, low, front + 0.06), s.draw(0.1, 0.2), s.draw(0.08, 0.15), 0.15, blend=0.03)
    s.perhaps(kind == 1).limb((0, low, front - 0.1), (0, low - 0.1, front + s.draw(0.3, 0.8)), s.draw(0.12, 0.2), 0.03)
    s.perhaps(kind == 2)  # a snout
    s.ball((0, low - 0.1, front), s.draw(0.25, 0.45), s.draw(0.2, 0.35), s.draw(0.3, 0.6), blend=0.15)
    low, wide, z = -s.draw(0.5, 0.62), s.draw(0.18, 0.32), front - 0.06  # of the mouth
    if s.chance(0.7):
        curve, x = s.draw(-0.05, 0.2), np.linspace(-1, 1, 5)
        points = np.stack([x * wide * 1.3, low + curve * x * x, z + 0.12 - 0.12 * x * x], axis=1)
        s.tube(points, 0.035, join=CUT, blend=0.03)


def _hat(s: Sculptor, wide: float, deep: float) -> None:
    y, r = s.draw(0.35, 0.55), wide * s.draw(1.0, 1.12)
    if s.chance(0.5):
        s.begin().ball((0, y, -0.08), r, s.draw(0.6, 1.0), r * deep / wide)
        s.box((0, y - 1.05, 0), 2, 1, 2, join=CUT, blend=0.03)
        s.perhaps(0.6).relief(RIBS, s.draw(0.01, 0.03), s.draw(10, 25) / 6, q=0.8, around=True)
    else:
        s.begin().cone((0, y + 0.4, -0.05), r, s.draw(0.1, 1.0) * r, s.draw(0.3, 0.6), rounding=0.05)
    with s.begin(part=0.6).at((0, y, -0.06), turn=about_x(s.draw(-0.15, 0.1))):  # the brim
        s.perhaps(0.5).torus((0, 0, 0), 1.02 * r, s.draw(0.08, 0.16))
        s.otherwise().cone((0, 0, 0), r * s.draw(1.2, 1.7), r * 1.2, 0.04, rounding=0.03)
    s.begin(chance=0.4).ball((0, y + s.draw(0.8, 1.0), -0.08), s.draw(0.15, 0.28)).relief(ROCK, 0.06, 5)


def bust(s: Sculptor) -> None:
    """Draw a head, alone or on shoulders that may wear cloth."""
    realistic = s.chance(0.75)
    with s.at((0, 1, 0), turn=about_y(s.rng.normal(0, 0.25)) @ about_x(s.rng.normal(0, 0.12))):
        head(s, realistic=realistic)
    if s.chance(0.25):
        return
    neck = s.begin(part=0.3).draw(0.32, 0.45)
    s.limb((0, 0.55, -0.15), (0, -0.5, -0.25), neck, neck * 1.15)
    s.limb((0.1, 0.3, 0.1), (0.25, -0.35, 0.18), 0.07, 0.05, blend=0.1, fold=MIRROR)  # the neck's sinews
    broad = s.begin(part=0.5).draw(0.9, 1.3)
    s.limb((0.2, -0.55, -0.25), (broad, -0.8, -0.3), 0.32, 0.3, blend=0.2, fold=MIRROR)
    s.ball((0, -0.95, -0.2), broad * 0.9, 0.6, 0.5, blend=0.25)
    s.box((0, -2.2, 0), 3, s.draw(0.7, 0.95), 3, join=CUT)
    s.perhaps(0.65)
    cloth = s.draw(0.03, 0.09), s.draw(1.5, 4), s.draw(0.2, 0.8), s.draw(0.1, 0.4)
    s.relief(FOLDS, *cloth, turn=about_z(s.draw(-0.9, 0.9)))
    with s.begin(chance=0.3).at((0, -0.4, -0.2), turn=about_x(s.draw(0.1, 0.4))):  # a collar or scarf
        s.torus((0, 0, 0), 0.5, s.draw(0.12, 0.2))
    s.relief(FOLDS, 0.05, 3.0, 0.5, 0.3)
    s.begin(chance=0.4).cone((0, -1.65, -0.2), s.draw(0.35, 0.6), s.draw(0.3, 0.4), 0.25, rounding=0.03)


def figure(s: Sculptor) -> None:
    """Draw somebody: torso, arms, legs, head, often a robe."""
    robe, stout = s.chance(0.4), s.draw(0.8, 1.7)
    with s.at((0, 1.25, 0), scale=s.draw(0.28, 0.55), turn=about_y(s.rng.normal(0, 0.3))):
        head(s, realistic=s.chance(0.4))
    s.begin().ball((0, 0.65, 0), 0.32 * stout, 0.42, 0.24 * stout)
    s.ball((0, 0.2, 0), 0.28 * stout, 0.3, 0.22 * stout, blend=s.draw(0.05, 0.2))
    s.limb((0, 0.9, 0), (0, 1.15, 0), 0.12, 0.1, blend=0.08)
    s.perhaps(robe, 2).cone((0, -0.35, 0), s.draw(0.35, 0.6), 0.25 * stout, 0.55, rounding=0.05, blend=0.15)
    s.relief(FOLDS, (0.02, 0.06), (2, 6), (0.1, 0.6), (0.1, 0.4))
    s.begin(part=0.5)
    for side in (-1, 1):
        shoulder = np.array([side * 0.34 * stout, 0.9, 0.0])
        elbow = shoulder + (side * s.draw(0.05, 0.35), s.draw(-0.4, 0.1), s.draw(-0.1, 0.25))
        hand = elbow + (side * s.draw(-0.25, 0.25), s.draw(-0.35, 0.35), s.draw(0, 0.3))
        thick = s.draw(0.07, 0.12)
        s.tube(np.stack([shoulder, elbow, hand]), (thick * 1.2, thick, 0.7 * thick), blend=0.05)
        s.ball(hand, 1.2 * thick, blend=0.03)
    if not robe:
        s.begin(part=0.5)
        for side in (-1, 1):
            hip = np.array([side * 0.15 * stout, 0.1, 0.0])
            knee = hip + (side * s.draw(0, 0.12), -0.45, s.draw(-0.05, 0.2))
            foot = knee + (0, -0.45, s.draw(-0.2, 0.05))
            s.limb(hip, knee, 0.14 * stout, 0.1, blend=0.05).limb(knee, foot, 0.1, 0.075, blend=0.04)
            s.ball(foot + (0, -0.03, 0.08), 0.09, 0.07, 0.17, blend=0.03)
        s.perhaps(0.4).relief(FOLDS, 0.02, (4, 8), 0.5, 0.3)
    s.begin(chance=0.3)  # a pair of feathered wings
    high, wide = s.draw(0.3, 0.9), s.draw(0.7, 1.2)
    edge = [(0, 0), (0.35, 0.6 + high), (wide, 0.8 + high), (wide * 0.95, 0.4), (0.6 * wide, -0.1), (0.2, -0.4)]
    line, place = smooth_line(np.array(edge) - (0.5 * wide, 0.3), 30, closed=True), (0.1 + 0.5 * wide, 0.9, -0.35)
    s.extrude(place, line, 0.06, 0.04, turn=about_y(s.draw(-0.2, 0.7)), fold=MIRROR)
    s.relief(SCALES, (0.02, 0.05), (3, 6), (0.5, 1.0))


def animal(s: Sculptor) -> None:
    """Draw a four-legged or sitting animal, with fur, scales or a bare skin."""
    long, thick = s.draw(0.5, 0.9), s.draw(0.28, 0.45)
    with s.at(turn=about_y(s.draw(-1.6, 1.6))):
        rise = s.draw(-0.1, 0.3)
        s.begin().limb((0, 0, -long), (0, rise, long), thick * s.draw(0.9, 1.3), thick)
        s.ball((0, -0.1, 0), thick * 1.15, thick, long * 0.7, blend=0.2)
        with s.at(fold=MIRROR):
            for z in (-0.9 * long, 0.8 * long):
                knee = np.array([0.8 * thick, -0.5 * thick - 0.25, z + s.draw(-0.1, 0.1)])
                s.limb((0.6 * thick, 0, z), knee, 0.5 * thick, 0.3 * thick, blend=0.12)
                foot = knee + (0, -s.draw(0.2, 0.5), s.draw(-0.05, 0.1))
                s.limb(knee, foot, 0.3 * thick, 0.22 * thick, blend=0.08)
                s.ball(foot + (0, 0, 0.06), 0.3 * thick, 0.18 * thick, 0.38 * thick, blend=0.06)
        up = s.draw(0.2, 0.6)
        s.limb((0, rise, long), (0, rise + up, long + 0.25), 0.7 * thick, 0.5 * thick, blend=0.15)
        tail = [(0, 0.1, -long), (0, 0.3, -long - 0.3), (0.1, s.draw(0.0, 0.8), -long - 0.5)]
        s.tube(smooth_line(tail, 6), np.linspace(0.12, 0.04, 6), blend=0.05)
        skin = s.perhaps(0.6).one_of(STRANDS, ROCK, SCALES)
        s.relief(skin, (0.01, 0.03), (5, 12), (0.5, 1.0), turn=about_x(np.pi / 2))
        with s.at((0, rise + up + 0.15, long + 0.4), s.draw(0.3, 0.5), about_y(s.rng.normal(0, 0.3))):
            head(s, realistic=False)


def tree(s: Sculptor) -> None:
    """Draw a fir with baubles, or a round tree, on a trunk or in a pot."""
    s.begin().cone((0, -0.75, 0), 0.12, 0.08, 0.25).relief(STRANDS, 0.02, 8)
    fir = s.begin().chance(0.6)
    for k in range(s.whole(2, 5)):
        s.perhaps(fir).cone((0, -0.45 + 0.3 * k, 0), 0.55 - 0.1 * k, 0.1, 0.25, blend=0.05)
        s.otherwise().ball(s.rng.normal((0, 0.1, 0), 0.25), s.draw(0.25, 0.45), blend=0.1)
    s.relief(RIDGES if s.chance(0.5) else ROCK, (0.06, 0.12), (3, 6), 0.6)
    for _ in range(s.begin(chance=0.5).whole(4, 10)):  # baubles
        angle, y = s.draw(-1.6, 1.6), s.draw(-0.5, 0.5)
        r = 0.45 * (0.9 - y)
        s.ball((r * np.sin(angle), y, r * np.cos(angle)), s.draw(0.04, 0.08))
    s.begin(chance=0.5).cone((0, -0.95, 0), s.draw(0.2, 0.5), s.draw(0.2, 0.5), 0.12, rounding=0.02)
    s.perhaps(0.5).relief(FOLDS, 0.04, 4.0, 0.4, 0.3)


def bird(s: Sculptor) -> None:
    """Draw a bird, wings spread or folded, with feathers, a beak, claws, perhaps on a branch."""
    with s.at(turn=about_y(s.draw(-1.2, 1.2))):
        lean = s.draw(0.2, 1.1)
        with s.begin().at(turn=about_x(lean)):
            s.ball((0, 0, 0), 0.27, 0.5, 0.27).ball((0, -0.65, -0.08), 0.2, 0.35, 0.05, blend=0.12)
            s.relief(SCALES, (0.01, 0.025), (6, 10), (0.6, 1.0), around=True)
        up = np.array([0, 0.55 * np.cos(lean), 0.55 * np.sin(lean)])
        s.begin(part=0.5).limb(0.5 * up, up + (0, 0.05, 0.05), 0.2, 0.14)
        s.ball(up + (0, 0.1, 0.1), 0.16, 0.15, 0.19, blend=0.06).relief(STRANDS, 0.012, 10, 0.6)
        beak = up + (0, s.draw(0.0, 0.08), s.draw(0.36, 0.5))
        s.begin().limb(up + (0, 0.1, 0.25), beak, 0.07, 0.02).ball(up + (0.12, 0.14, 0.19), 0.035, fold=MIRROR)
        spread = s.begin(part=0.4).chance(0.6)
        wide, high = (s.draw(0.7, 1.1), s.draw(0.2, 0.7)) if spread else (0.35, 0.2)
        n = s.whole(4, 7)
        k = np.arange(n, -1, -1)
        tips = wide * (0.35 + 0.65 * k / n), high * (1 - k / n) - 0.5 * (k % 2) * 0.35 - 0.35 * (1 - k / n)
        wing = np.array([(0, 0.1), (0.5 * wide, high + 0.15), (wide, high + 0.1), *np.stack(tips, 1), (0.1, -0.35)])
        middle = wing.mean(axis=0)
        turn = about_y(s.draw(-0.5, 0.5) if spread else 1.2)
        s.extrude((*(middle + 0.2), -0.05), wing - middle, 0.035, 0.02, turn=turn, fold=MIRROR)
        s.relief(SCALES, s.draw(0.015, 0.03), s.draw(4, 7), s.draw(0.4, 0.8), turn=about_z(s.draw(-0.3, 0.3)))
        s.begin().limb((0.12, -0.3, 0), (0.14, -0.65, 0.1), 0.09, 0.04, fold=MIRROR)
        for x in (-0.06, 0.0, 0.06):
            s.limb((0.14, -0.65, 0.1), (0.14 + x, -0.7, 0.24), 0.035, 0.02, fold=MIRROR)
        s.begin(chance=0.6).limb((-0.4, -0.8, 0), (0.4, -0.85, 0.1), 0.13, 0.1)
        s.limb((0, -0.8, 0), (0.1, -1.3, 0), 0.15, 0.25, blend=0.15).relief(STRANDS, 0.03, 5, 1.0)


def rock(s: Sculptor) -> None:
    """Draw a rock or a fruit."""
    if s.chance(0.6):
        sizes = s.draw(0.4, 0.8), s.draw(0.3, 0.7), s.draw(0.4, 0.8)
        s.begin().superquadric((0, 0, 0), *sizes, s.draw(2, 4), s.draw(2, 4))
        s.relief(ROCK, (0.1, 0.2), (0.8, 1.5), 0.4).relief(RIDGES, (0.03, 0.08), (2, 5))
        return
    s.begin().ball((0, 0, 0), 0.6, s.draw(0.45, 0.8)).ball((0, 0.75, 0), 0.3, 0.25, 0.3, join=CUT, blend=0.25)
    s.perhaps(0.6).relief(RIBS, s.draw(0.02, 0.06), s.whole(5, 12) / (2 * np.pi), q=0.8, around=True)
    s.otherwise().relief(DENTS, 0.01, (5, 12))
    stem = smooth_line([(0, 0.4, 0), (0.03, 0.6, 0), (s.draw(-0.2, 0.2), 0.8, 0)], 5)
    s.begin().tube(stem, np.linspace(0.05, 0.03, 5))
    s.perhaps(0.5).ball((0.2, 0.65, 0), 0.2, 0.02, 0.1, turn=about_z(0.4))
