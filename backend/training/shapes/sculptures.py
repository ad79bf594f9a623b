# SPDX-License-Identifier: GPL-3.0-or-later
"""Which things are drawn, and how often; and the plainest of them: heaps of solids, cut and blended."""

from typing import Unpack

import numpy as np

from ...arrays import Float64Array
from .furnishings import armchair, cabinet, deck, device, furniture, tool
from .living import animal, bird, bust, figure, rock, tree
from .made import car, chair, die, drape, helmet, house, mechanism, rings, tower, turned, vessel
from .profiles import evenly, smooth_line
from .reliefs import DENTS, EMBOSSED, FOLDS, PANELS, RIBS, RIDGES, ROCK, SCALES, STRANDS
from .sculptor import Rest, Sculptor, about_x, about_z, any_turn
from .solids import ADD, CUT, EYE, GRID, Shape
from .standing import basket, bicycle, cart, craft, plant, quadruped, shed, vehicle


def draw_shape(rng: np.random.Generator) -> Shape:
    """Draw a shape: one of `THINGS`."""
    return draw_thing(rng)[1]


def draw_thing(rng: np.random.Generator) -> tuple[str, Shape]:
    """Draw what is to be made, and make it: a word for it, such as "house", and the shape of `draw_shape`."""
    s = Sculptor(rng)
    kinds, weights = zip(*THINGS, strict=True)
    kind = kinds[int(rng.choice(len(kinds), p=np.array(weights) / sum(weights)))]
    kind(s)
    if s.end().chance(0.15):
        _base(s)
    return kind.__name__, s.shape()


def heap(s: Sculptor) -> None:
    """Draw solids of all kinds, grown into each other or cut out of each other."""
    at, size = np.zeros(3), 0.6
    for _ in range(s.whole(1, 4)):
        blend = s.draw(0.02, 0.3) if s.begin().chance(0.6) else 0.0
        for k in range(s.whole(1, 5)):
            cut = k > 0 and s.chance(0.25)
            step = s.rng.normal(size=3)
            at = (at if s.chance(0.7) else 0.3 * at) + step / np.linalg.norm(step) * size * s.draw(0.5, 0.8)
            size = s.draw(0.2, 0.7)
            with s.at(at, turn=any_turn(s.rng) if s.chance(0.6) else EYE):
                solid(s, size, blend=blend if not cut else 0.2 * blend, join=CUT if cut else ADD)
        if s.chance(0.45):
            texture(s)


def solid(s: Sculptor, size: float, **rest: Unpack[Rest]) -> None:
    """Add one solid of any kind at the present place."""
    a, b, c = (size * s.draw(0.35, 1.0) for _ in range(3))
    kind, at = s.whole(0, 7), (0, 0, 0)
    s.perhaps(kind == 0).ball(at, a, b, c, **rest)
    s.perhaps(kind == 1).box(at, a, b, c, s.draw(0, 0.3) * min(a, b, c), **rest)
    s.perhaps(kind == 2).superquadric(at, a, b, c, s.draw(2, 8), s.draw(2, 8), **rest)
    s.perhaps(kind == 3).limb((-a, 0, 0), (a, 0.3 * b, 0), 0.5 * b, 0.5 * c, **rest)
    s.perhaps(kind == 4).cone(at, a, a * s.draw(0.0, 1.2), b, 0.1 * s.draw(0, 1) * b, **rest)
    s.perhaps(kind == 5).torus(at, 0.75 * size, size * s.draw(0.08, 0.3), **rest)
    s.perhaps(kind == 6).extrude(at, flat_outline(s) * size, 0.5 * c, s.draw(0.0, 0.1) * size, **rest)
    s.perhaps(kind == 7)
    heights = np.sort(s.rng.uniform(-1, 1, s.whole(3, 6)))
    line = np.stack([s.rng.uniform(0.2, 0.9, len(heights)), heights], axis=1) * size
    s.lathe(smooth_line(line, 20), **rest)


def flat_outline(s: Sculptor) -> Float64Array:
    """Draw a closed outline within [-1, 1]²: a star, a gear, a letter, a blot or a many-sided stone."""
    kind = s.whole(0, 4)
    if kind < 2:  # a star or a gear
        n, low = (s.whole(6, 12), s.draw(0.65, 0.85)) if kind else (s.whole(3, 9), s.draw(0.35, 0.9))
        return evenly(np.tile([low, low, 0.95, 0.95] if kind else [0.95, low], n))
    if kind == 2:
        w, h, t = s.draw(0.4, 0.9), s.draw(0.5, 0.9), s.draw(0.12, 0.3)
        below = [(-w, -h), (t - w, -h), (t - w, -t / 2), (w - t, -t / 2), (w - t, -h), (w, -h)]  # half an H
        letters = (
            [(-w, -h), (w, -h), (w, t - h), (t - w, t - h), (t - w, h), (-w, h)],
            [(-t, -h), (t, -h), (t, h - t), (w, h - t), (w, h), (-w, h), (-w, h - t), (-t, h - t)],
            [*below, *((-x, -y) for x, y in below)],
        )
        return np.array(s.one_of(*letters))
    points = evenly(s.rng.uniform(0.3, 0.95, s.whole(4, 9)))
    return smooth_line(points, 40, closed=True).clip(-1, 1) if kind == 3 else points


def texture(s: Sculptor) -> None:
    """Give the present group a relief of any kind."""
    kind, turn = s.whole(0, 8), any_turn(s.rng) if s.chance(0.4) else EYE
    fine = float(np.exp(s.draw(np.log(2.5), np.log(14))))
    high = s.draw(0.05, 0.25) / fine
    s.perhaps(kind in (ROCK, RIDGES)).relief(kind, 1.6 * high, 0.6 * fine, (0.35, 0.65), turn=turn)
    s.perhaps(kind == FOLDS).relief(kind, 1.3 * high, fine, (0.2, 1.0), (0.1, 0.5), turn=turn)
    s.perhaps(kind in (SCALES, PANELS))
    s.relief(kind, 0.8 * high, fine, s.draw(0.7, 3.0), s.draw(0.03, 0.1), turn=turn, around=s.chance(0.4))
    s.perhaps(kind == EMBOSSED).relief(kind, (-0.06, 0.06), (1.5, 4.0), q=0.1, outline=flat_outline(s), turn=turn)
    s.perhaps(kind == STRANDS).relief(kind, high, 2.0 * fine, (0.0, 2.0), turn=turn)
    s.perhaps(kind in (RIBS, DENTS))
    s.relief(kind, high, fine, q=s.draw(0.1, 1.0), turn=turn, around=kind == RIBS and s.chance(0.4))


def _base(s: Sculptor) -> None:
    """Stand everything on a plinth that it sinks into a little."""
    solids = [o for o in s.operations if o.join is ADD and o.reach > 0]
    balls = [(float(o.frame.point(o.place.at)[1]), o.frame.scale * o.reach) for o in solids]
    low, high = min(y - r for y, r in balls), max(y + r for y, r in balls)
    wide = s.draw(0.3, 0.5) * (high - low)
    half = s.draw(0.1, 0.4) * wide
    at = (0, low + s.draw(0.1, 0.3) * (high - low) - half, 0)
    s.begin().perhaps(0.5).cone(at, wide, wide * s.draw(0.8, 1.0), half, 0.1 * half)
    s.otherwise().box(at, wide, half, wide * s.draw(0.6, 1), 0.1 * half)
    if s.chance(0.4):
        texture(s)


def plaque(s: Sculptor) -> None:
    """Draw a slab with carving on its front."""
    with s.at(turn=about_x(s.draw(-0.4, 0.2)) @ about_z(s.draw(-0.1, 0.1))):
        w, h, d = s.draw(0.5, 1), s.draw(0.5, 1), s.draw(0.06, 0.2)
        s.begin().perhaps(0.6).box((0, 0, 0), w, h, d, s.draw(0.0, 0.08))
        s.otherwise().extrude((0, 0, 0), flat_outline(s) * max(w, h), d, s.draw(0, 0.08))
        for _ in range(s.whole(1, 2)):
            texture(s)
        for _ in range(s.begin().whole(0, 5)):
            at = s.draw(-0.7, 0.7) * w, s.draw(-0.7, 0.7) * h, d
            with s.at(at, turn=any_turn(s.rng) if s.chance(0.4) else EYE):
                solid(s, s.draw(0.1, 0.35), blend=s.draw(0, 0.05))
        s.begin(chance=0.4).ball((0, 0, d), 0.06, 0.06, 0.04, fold=(GRID, 0.85 * w, 0.85 * h, 1, 1))


THINGS = (
    (heap, 0.18), (plaque, 0.06), (vessel, 0.12), (turned, 0.04), (bust, 0.14), (figure, 0.1), (animal, 0.05),
    (house, 0.06), (tower, 0.01), (car, 0.06), (mechanism, 0.03), (helmet, 0.03), (chair, 0.04), (die, 0.03),
    (rings, 0.02), (tree, 0.03), (bird, 0.04), (drape, 0.04), (rock, 0.02),
    (quadruped, 0.15), (furniture, 0.12), (armchair, 0.06), (deck, 0.03), (cabinet, 0.06), (bicycle, 0.03),
    (vehicle, 0.1), (cart, 0.03), (craft, 0.03), (shed, 0.06), (basket, 0.08), (plant, 0.08), (tool, 0.04),
    (device, 0.08),
)  # fmt: skip
"""What is drawn, and how often."""
