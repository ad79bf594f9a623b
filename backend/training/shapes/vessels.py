# SPDX-License-Identifier: GPL-3.0-or-later
"""Turned things: bowls, cups, vases and jugs that are hollow, and balusters, chessmen and bottles that are not."""

import numpy as np

from . import reliefs
from .compiled import Array
from .profiles import smooth_line
from .sculptor import Sculptor, about_x, about_y, shifted, xyz


def vessel(s: Sculptor) -> None:
    """Draw a hollow vessel, often tipped towards the viewer, so that its inside shows."""
    with s.at(turn=about_x(abs(s.rng.normal(0.0, 0.45))) if s.chance(0.7) else None):
        s.begin()
        line = _wall(s)
        wall = s.uniform(0.035, 0.09)
        s.lathe(0, 0, 0, line, wall)
        rim = line[-1]
        if s.chance(0.35):
            s.torus(0, rim[1], 0, rim[0], wall * s.uniform(1.0, 1.7), blend=0.02)
        if s.chance(0.4):
            s.cone(0, line[0, 1] - 0.05, 0, s.uniform(0.3, 0.5), s.uniform(0.25, 0.4), 0.08, rounding=0.02, blend=0.04)
        _decorate(s)
        if s.chance(0.4):
            s.begin(part=s.chance(0.4))
            _handle(s, line)
        if s.chance(0.3):
            _contents(s, line)


def _wall(s: Sculptor) -> Array:
    """Draw a wall from the middle of the floor to the rim, (radius, height)."""
    height, foot, rim = s.uniform(0.3, 1.1), s.uniform(0.3, 0.8), s.uniform(0.5, 1.0)
    kind = s.whole(0, 3)
    if kind == 0:  # bowl
        t = np.linspace(0, np.pi / 2, 20)
        return np.stack([rim * np.sin(t), -height * np.cos(t) ** s.uniform(0.7, 1.3) + height / 2], axis=1)
    if kind == 1:  # cup
        corners = np.array([(0, -height), (foot * 0.9, -height), (foot, -height * 0.9), (rim, height)])
        return corners if s.chance(0.5) else smooth_line(corners, 24, closed=False)
    if kind == 2:  # dish
        low = s.uniform(0.1, 0.3)
        return smooth_line(np.array([(0, -low), (0.5, -low), (0.7, -0.5 * low), (1.0, low)]), 24, closed=False)
    belly, neck = s.uniform(0.5, 0.95), s.uniform(0.2, 0.7)
    points = [
        (0, -height),
        (0.4, -height),
        (belly, s.uniform(-0.5, 0.1) * height),
        (neck, 0.6 * height),
        (neck * s.uniform(0.9, 1.5), height),
    ]
    return smooth_line(np.array(points), 30, closed=False)


def _decorate(s: Sculptor) -> None:
    kind = s.rng.random()
    if kind < 0.2:
        s.relief(reliefs.RIBS, s.uniform(0.01, 0.04), s.whole(6, 30) / (2 * np.pi), q=s.uniform(0.2, 1.0), around=True)
    elif kind < 0.35:
        s.relief(reliefs.RIBS, s.uniform(0.006, 0.03), s.uniform(3, 9), q=1.0, turn=about_z_quarter())
    elif kind < 0.45:
        s.relief(reliefs.ROCK, s.uniform(0.01, 0.05), s.uniform(1, 6))
    elif kind < 0.55:
        s.relief(reliefs.SCALES, s.uniform(0.01, 0.03), s.uniform(3, 8), p=s.uniform(0.7, 1.4), around=True)
    elif kind < 0.62:
        s.relief(reliefs.DENTS, s.uniform(0.005, 0.02), s.uniform(4, 10))


def about_z_quarter() -> Array:
    """Return the turn that lays x along y."""
    return np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _handle(s: Sculptor, line: Array) -> None:
    low, high = line[len(line) // 2], line[-2]
    out = s.uniform(0.25, 0.5)
    thick = s.uniform(0.04, 0.09)
    points = np.array(
        [
            (high[0], high[1], 0),
            (high[0] + out, high[1] - 0.05, 0),
            (max(high[0], low[0]) + out, (low[1] + high[1]) / 2, 0),
            (low[0], low[1], 0),
        ]
    )
    path = smooth_line(points, 8, closed=False)
    for k in range(2 if s.chance(0.3) else 1):
        with s.at(turn=about_y(np.pi * k + s.uniform(-0.6, 0.6))):
            s.tube(path, np.full(len(path), thick), blend=0.03)


def _contents(s: Sculptor, line: Array) -> None:
    s.begin()
    wide = float(line[:, 0].max())
    level = float(line[-1, 1]) - s.uniform(0.1, 0.5)
    if s.chance(0.5):
        inside = float(np.interp(level, line[:, 1], line[:, 0]))
        s.cone(0, level - 0.02, 0, inside, inside, 0.02)
    else:
        for _ in range(s.whole(1, 5)):
            s.ball(*xyz(shifted(s.rng.normal(0, 0.25 * wide, 3), 0, level, 0)), s.uniform(0.12, 0.25))


def turned(s: Sculptor) -> None:
    """Draw a solid that was turned on a lathe: rings, coves and beads along an axis."""
    s.begin()
    n = s.whole(5, 12)
    heights = np.linspace(-1, 1, n) + s.rng.uniform(-0.4, 0.4, n) / n
    widths = s.rng.uniform(0.12, 0.55, n)
    widths[0] = s.uniform(0.4, 0.6)
    line = np.stack([widths, heights], axis=1)
    s.lathe(0, 0, 0, smooth_line(line, 40, closed=False).clip((0.05, -2), (2, 2)) if s.chance(0.6) else line)
    _decorate(s)
    for _ in range(s.whole(0, 4)):
        s.begin(part=s.chance(0.5))
        k = s.whole(0, n - 1)
        s.torus(0, heights[k], 0, widths[k], s.uniform(0.03, 0.1))
