# SPDX-License-Identifier: GPL-3.0-or-later
"""Which things are drawn, and how often; and the plainest of them: heaps of solids, cut and blended."""

import numpy as np

from ...arrays import Float64Array
from .built import car, helmet, house, mechanism, tower
from .household import chair, die, drape, rings, turned, vessel
from .living import animal, bird, bust, figure, rock, tree
from .profiles import filled, smooth_line
from .reliefs import EMBOSSED, FOLDS, PANELS, RIBS, RIDGES, ROCK, SCALES, STRANDS
from .sculptor import Sculptor, about_x, about_z, any_turn, xyz
from .solids import ADD, CUT, GRID, Join, Shape


def draw_shape(rng: np.random.Generator) -> Shape:
    """Draw a shape."""
    s = Sculptor(rng)
    things, weights = zip(*THINGS, strict=True)
    things[int(rng.choice(len(things), p=np.array(weights) / sum(weights)))](s)
    if s.chance(0.15):
        _base(s)
    return s.shape()


def heap(s: Sculptor) -> None:
    """Draw solids of all kinds, grown into each other or cut out of each other."""
    at, size = np.zeros(3), 0.6
    for _ in range(s.whole(1, 4)):
        s.begin()
        blend = s.uniform(0.02, 0.3) if s.chance(0.6) else 0.0
        for k in range(s.whole(1, 5)):
            cut = k > 0 and s.chance(0.25)
            step = s.rng.normal(size=3)
            at = (at if s.chance(0.7) else 0.3 * at) + step / np.linalg.norm(step) * size * s.uniform(0.5, 0.8)
            size = s.uniform(0.2, 0.7)
            with s.at(*xyz(at), turn=any_turn(s.rng) if s.chance(0.6) else None):
                solid(s, size, blend=blend if not cut else 0.2 * blend, join=CUT if cut else ADD)
        if s.chance(0.45):
            texture(s)


def solid(s: Sculptor, size: float, *, blend: float = 0.0, join: Join = ADD) -> None:
    """Add one solid of any kind."""
    a, b, c = (size * s.uniform(0.35, 1.0) for _ in range(3))
    kind = s.whole(0, 7)
    if kind == 0:
        s.ball(0, 0, 0, a, b, c, blend=blend, join=join)
    elif kind == 1:
        s.box(0, 0, 0, a, b, c, rounding=s.uniform(0, 0.3) * min(a, b, c), blend=blend, join=join)
    elif kind == 2:
        s.superquadric(0, 0, 0, a, b, c, s.uniform(2, 8), s.uniform(2, 8), blend=blend, join=join)
    elif kind == 3:
        s.limb((-a, 0, 0), (a, 0.3 * b, 0), 0.5 * b, 0.5 * c, blend=blend, join=join)
    elif kind == 4:
        s.cone(0, 0, 0, a, a * s.uniform(0.0, 1.2), b, rounding=0.1 * s.uniform(0, 1) * b, blend=blend, join=join)
    elif kind == 5:
        s.torus(0, 0, 0, 0.75 * size, size * s.uniform(0.08, 0.3), blend=blend, join=join)
    elif kind == 6:
        s.extrude(0, 0, 0, flat_outline(s) * size, 0.5 * c, s.uniform(0.0, 0.1) * size, blend=blend, join=join)
    else:
        heights = np.sort(s.rng.uniform(-1, 1, s.whole(3, 6)))
        line = smooth_line(np.stack([s.rng.uniform(0.2, 0.9, len(heights)), heights], axis=1) * size, 20, closed=False)
        s.lathe(0, 0, 0, line, blend=blend, join=join)


def flat_outline(s: Sculptor) -> Float64Array:
    """Draw a closed outline within [-1, 1]²: stars, gears, letters' strokes, leaves, blots."""
    kind = s.whole(0, 4)
    if kind == 0:
        n = s.whole(3, 9)
        t = np.arange(2 * n) * np.pi / n
        r = np.array([0.95, s.uniform(0.35, 0.9)] * n)
        return _polar(t, r)
    if kind == 1:
        n = s.whole(6, 12)
        t = np.arange(4 * n) * np.pi / (2 * n)
        r = np.tile(np.array([s.uniform(0.65, 0.85)] * 2 + [0.95] * 2), n)
        return _polar(t, r)
    if kind == 2:
        w, h, t = s.uniform(0.4, 0.9), s.uniform(0.5, 0.9), s.uniform(0.12, 0.3)
        letters = (
            [(-w, -h), (w, -h), (w, -h + t), (-w + t, -h + t), (-w + t, h), (-w, h)],
            [(-t, -h), (t, -h), (t, h - t), (w, h - t), (w, h), (-w, h), (-w, h - t), (-t, h - t)],
            [
                (-w, -h),
                (-w + t, -h),
                (-w + t, -t / 2),
                (w - t, -t / 2),
                (w - t, -h),
                (w, -h),
                (w, h),
                (w - t, h),
                (w - t, t / 2),
                (-w + t, t / 2),
                (-w + t, h),
                (-w, h),
            ],
        )
        return np.array(letters[s.whole(0, 2)])
    n = s.whole(4, 9)
    t = np.arange(n) * 2 * np.pi / n
    r = s.rng.uniform(0.3, 0.95, n)
    points = _polar(t, r)
    return smooth_line(points, 40, closed=True).clip(-1, 1) if kind == 3 else points


def _polar(angle: Float64Array, radius: Float64Array) -> Float64Array:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def texture(s: Sculptor) -> None:
    """Give the present group a relief of any kind."""
    kind = s.whole(0, 8)
    turn = any_turn(s.rng) if s.chance(0.4) else None
    fine = float(np.exp(s.uniform(np.log(2.5), np.log(14))))
    high = s.uniform(0.05, 0.25) / fine
    if kind in (ROCK, RIDGES):
        s.relief(kind, 1.6 * high, 0.6 * fine, p=s.uniform(0.35, 0.65), turn=turn)
    elif kind == FOLDS:
        s.relief(kind, 1.3 * high, fine, p=s.uniform(0.2, 1.0), q=s.uniform(0.1, 0.5), turn=turn)
    elif kind in (SCALES, PANELS):
        s.relief(kind, 0.8 * high, fine, p=s.uniform(0.7, 3.0), q=s.uniform(0.03, 0.1), turn=turn, around=s.chance(0.4))
    elif kind == EMBOSSED:
        outline = s.outline(filled(flat_outline(s)))
        s.relief(kind, s.uniform(-0.06, 0.06), s.uniform(1.5, 4.0), q=0.1, outline=outline, turn=turn)
    elif kind == STRANDS:
        s.relief(kind, high, 2.0 * fine, p=s.uniform(0.0, 2.0), turn=turn)
    else:
        s.relief(kind, high, fine, q=s.uniform(0.1, 1.0), turn=turn, around=kind == RIBS and s.chance(0.4))


def _base(s: Sculptor) -> None:
    """Stand everything on a plinth that it sinks into a little."""
    solids = [o for o in s.operations if o.join is ADD and o.reach > 0]
    balls = [(o.frame.point(o.place.at), o.frame.scale * o.reach) for o in solids]
    low, high = min(float(at[1] - r) for at, r in balls), max(float(at[1] + r) for at, r in balls)
    wide = s.uniform(0.3, 0.5) * (high - low)
    half = s.uniform(0.1, 0.4) * wide
    top = low + s.uniform(0.1, 0.3) * (high - low)
    s.begin()
    if s.chance(0.5):
        s.cone(0, top - half, 0, wide, wide * s.uniform(0.8, 1.0), half, rounding=0.1 * half)
    else:
        s.box(0, top - half, 0, wide, half, wide * s.uniform(0.6, 1), rounding=0.1 * half)
    if s.chance(0.4):
        texture(s)


def plaque(s: Sculptor) -> None:
    """Draw a slab with carving on its front."""
    with s.at(turn=about_x(s.uniform(-0.4, 0.2)) @ about_z(s.uniform(-0.1, 0.1))):
        s.begin()
        w, h, d = s.uniform(0.5, 1), s.uniform(0.5, 1), s.uniform(0.06, 0.2)
        if s.chance(0.6):
            s.box(0, 0, 0, w, h, d, rounding=s.uniform(0.0, 0.08))
        else:
            s.extrude(0, 0, 0, flat_outline(s) * max(w, h), d, s.uniform(0, 0.08))
        for _ in range(s.whole(1, 2)):
            texture(s)
        s.begin()
        for _ in range(s.whole(0, 5)):
            with s.at(
                s.uniform(-0.7, 0.7) * w, s.uniform(-0.7, 0.7) * h, d, turn=any_turn(s.rng) if s.chance(0.4) else None
            ):
                solid(s, s.uniform(0.1, 0.35), blend=s.uniform(0, 0.05))
        if s.chance(0.4):
            s.begin()
            with s.folded(GRID, 0.85 * w, 0.85 * h, 1, 1):
                s.ball(0, 0, d, 0.06, 0.06, 0.04)


THINGS = (
    (heap, 0.18),
    (plaque, 0.06),
    (vessel, 0.12),
    (turned, 0.04),
    (bust, 0.14),
    (figure, 0.1),
    (animal, 0.05),
    (house, 0.06),
    (tower, 0.01),
    (car, 0.06),
    (mechanism, 0.03),
    (helmet, 0.03),
    (chair, 0.04),
    (die, 0.03),
    (rings, 0.02),
    (tree, 0.03),
    (bird, 0.04),
    (drape, 0.04),
    (rock, 0.02),
)
"""What is drawn, and how often."""
