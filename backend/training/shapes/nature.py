# SPDX-License-Identifier: GPL-3.0-or-later
"""Grown things: trees, birds with feathered wings, rocks, fruit."""

import numpy as np

from . import reliefs
from .profiles import smooth_line
from .sculptor import Sculptor, about_x, about_y, about_z, shifted, xyz
from .solids import Fold, Join


def tree(s: Sculptor) -> None:
    """Draw a fir with baubles, or a round tree, on a trunk or in a pot."""
    s.begin()
    s.cone(0, -0.75, 0, 0.12, 0.08, 0.25)
    s.relief(reliefs.STRANDS, 0.02, 8, p=0.5)
    s.begin()
    if s.chance(0.6):
        for k in range(s.whole(2, 5)):
            s.cone(0, -0.45 + 0.3 * k, 0, 0.55 - 0.1 * k, 0.1, 0.25, blend=0.05)
    else:
        for _ in range(s.whole(2, 5)):
            s.ball(*xyz(shifted(s.rng.normal(0, 0.25, 3), 0, 0.1, 0)), s.uniform(0.25, 0.45), blend=0.1)
    s.relief(reliefs.RIDGES if s.chance(0.5) else reliefs.ROCK, s.uniform(0.06, 0.12), s.uniform(3, 6), p=0.6)
    if s.chance(0.5):
        s.begin()
        for _ in range(s.whole(4, 10)):
            angle, y = s.uniform(-1.6, 1.6), s.uniform(-0.5, 0.5)
            r = 0.45 * (0.9 - y)
            s.ball(r * np.sin(angle), y, r * np.cos(angle), s.uniform(0.04, 0.08))
    if s.chance(0.5):
        s.begin()
        s.cone(0, -0.95, 0, s.uniform(0.2, 0.5), s.uniform(0.2, 0.5), 0.12, rounding=0.02)
        if s.chance(0.5):
            s.relief(reliefs.FOLDS, 0.04, 4.0, p=0.4, q=0.3)


def bird(s: Sculptor) -> None:
    """Draw a bird, wings spread or folded, with feathers, a beak, claws, perhaps on a branch."""
    with s.at(turn=about_y(s.uniform(-1.2, 1.2))):
        s.begin()
        lean = s.uniform(0.2, 1.1)
        with s.at(turn=about_x(lean)):
            s.ball(0, 0, 0, 0.27, 0.5, 0.27)
            s.ball(0, -0.65, -0.08, 0.2, 0.35, 0.05, blend=0.12)
            s.relief(reliefs.SCALES, s.uniform(0.01, 0.025), s.uniform(6, 10), p=s.uniform(0.6, 1.0), around=True)
        up = np.array([0, 0.55 * np.cos(lean), 0.55 * np.sin(lean)])
        s.begin(part=s.chance(0.5))
        s.limb(0.5 * up, shifted(up, 0, 0.05, 0.05), 0.2, 0.14)
        s.ball(*xyz(shifted(up, 0, 0.1, 0.1)), 0.16, 0.15, 0.19, blend=0.06)
        s.relief(reliefs.STRANDS, 0.012, 10, p=0.6)
        s.begin()
        s.limb(shifted(up, 0, 0.1, 0.25), shifted(up, 0, s.uniform(0.0, 0.08), s.uniform(0.36, 0.5)), 0.07, 0.02)
        with s.folded(Fold.MIRROR):
            s.ball(0.12, float(up[1]) + 0.14, float(up[2]) + 0.19, 0.035)
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
        with s.folded(Fold.MIRROR):
            s.extrude(
                0.2 + middle[0],
                0.2 + middle[1],
                -0.05,
                wing - middle,
                0.035,
                0.02,
                turn=about_y(s.uniform(-0.5, 0.5) if spread else 1.2),
            )
        s.relief(
            reliefs.SCALES,
            s.uniform(0.015, 0.03),
            s.uniform(4, 7),
            p=s.uniform(0.4, 0.8),
            turn=about_z(s.uniform(-0.3, 0.3)),
        )
        s.begin()
        with s.folded(Fold.MIRROR):
            s.limb((0.12, -0.3, 0), (0.14, -0.65, 0.1), 0.09, 0.04)
            for x in (-0.06, 0.0, 0.06):
                s.limb((0.14, -0.65, 0.1), (0.14 + x, -0.7, 0.24), 0.035, 0.02)
        if s.chance(0.6):
            s.begin()
            s.limb((-0.4, -0.8, 0), (0.4, -0.85, 0.1), 0.13, 0.1)
            s.limb((0, -0.8, 0), (0.1, -1.3, 0), 0.15, 0.25, blend=0.15)
            s.relief(reliefs.STRANDS, 0.03, 5, p=1.0)


def rock(s: Sculptor) -> None:
    """Draw a rock or a fruit."""
    s.begin()
    if s.chance(0.6):
        s.superquadric(
            0, 0, 0, s.uniform(0.4, 0.8), s.uniform(0.3, 0.7), s.uniform(0.4, 0.8), s.uniform(2, 4), s.uniform(2, 4)
        )
        s.relief(reliefs.ROCK, s.uniform(0.1, 0.2), s.uniform(0.8, 1.5), p=0.4)
        s.relief(reliefs.RIDGES, s.uniform(0.03, 0.08), s.uniform(2, 5), p=0.5)
        return
    s.ball(0, 0, 0, 0.6, s.uniform(0.45, 0.8))
    s.ball(0, 0.75, 0, 0.3, 0.25, 0.3, join=Join.CUT, blend=0.25)
    if s.chance(0.6):
        s.relief(reliefs.RIBS, s.uniform(0.02, 0.06), s.whole(5, 12) / (2 * np.pi), q=0.8, around=True)
    else:
        s.relief(reliefs.DENTS, 0.01, s.uniform(5, 12))
    s.begin()
    s.tube(
        smooth_line(np.array([(0, 0.4, 0), (0.03, 0.6, 0), (s.uniform(-0.2, 0.2), 0.8, 0)]), 5, closed=False),
        np.linspace(0.05, 0.03, 5),
    )
    if s.chance(0.5):
        s.ball(0.2, 0.65, 0, 0.2, 0.02, 0.1, turn=about_z(0.4))
