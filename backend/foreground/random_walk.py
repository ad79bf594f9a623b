# SPDX-License-Identifier: GPL-3.0-or-later
"""How likely each pixel is the object's: a random walker's, with priors (Grady, CVPR 2005 and PAMI 2006).

A walker goes from pixel to pixel, seldom across an edge, and everywhere it may stop: at evidence for the object or for
the background. The chance that it stops at the object's is smooth where the picture is smooth, and jumps at its edges.
So a soft shadow goes with the ground that it fades into, and a part of the object in the background's colour with the
rest of the object, from which no edge divides it. Such a part may even be open to the background at some spot, where no
edge can be seen: a walker that comes in there seldom gets far.

The evidence: a colour is the object's if no shade of the background is like it. Any other that differs from the
background is either a shadow's or the object's. It counts for the object a little: so a region that is edged all
around is the object's, and a large one that fades into the ground is not. What a network says of a pixel counts by how
sure it is. Before a background that is not plain, that is all the evidence there is.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float32Array, Float64Array
from ..raster.components import border
from ..raster.multigrid import GridSystem, solve
from ..raster.ticks import Poll
from ..raster.vectors import by_column, dot, length

_EDGE = 0.012  # Oklab: across half of this difference the walker goes undisturbed, across twice of it hardly
_GRAINS = 4.0  # an edge is at least so many times as strong as the grain
_SURE = 0.3  # the chance of stopping at sure evidence
_SURELY = 0.8  # 2 p - 1 of what the network is sure of
_AT_BORDER = 1.0  # the pin of a pixel of the background's colour along the border
_RIM = 0.03  # of the shorter side: how wide the border is, so that a thin frame hides none of it
_DIFFERENT = 150.0  # pixels that a walker goes, on the average, before it stops at what differs from the background
_PLAIN = 25.0  # the same, at what has the background's colour
_GUESSED = 15.0  # the same, at what the network is sure of
_MARKED = 10.0  # the pin of what an artist has marked
_SURENESS = 3  # the power of |2 p - 1| by which less sure answers count
_OVERRULED = 0.9  # of the colours' evidence, if the network is sure of the opposite
_SHADES = (0.4, 0.5)  # of a shadow: below the first of the background's length in Oklab, surely none
_TINTED = (0.03, 0.06)  # Oklab: how far from the background's ray a colour is perhaps, and surely, no shade of it
_BRIGHTER = 0.03
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Evidence:
    """What a pixel's colour says. float64 (H, W) each.

    sure: how surely it is no shade of the background, in [0, 1]. different: 1 if it is not the background's. plain: how
    like the background it is, in [0, 1]. likely: how likely it is the object's by the network, in [0, 1]; one half says
    nothing.
    """

    sure: Float64Array
    different: Float64Array
    plain: Float64Array
    likely: Float64Array


def guessed(likely: Float32Array) -> Evidence:
    """Return what a network says alone, float32 (H, W) in [0, 1]."""
    nothing = np.zeros(likely.shape)
    return Evidence(nothing, nothing, nothing, likely.astype(np.float64))


def evidence(lab: Float32Array, behind: Float32Array, likely: Float32Array | None, tolerance: float) -> Evidence:
    """Compare colours with those of the background alone: Oklab, float32 (H, W, 3) each.

    likely: what a network says, float32 (H, W) in [0, 1].

    A shadow scales a surface's Oklab numbers by one factor, so that shades of the background lie on a ray. tolerance:
    how far a colour may be from the background and be its own.
    """
    squared = np.maximum(dot(behind, behind), 0.01)
    shade = dot(lab, behind) / squared
    tint = length(lab - by_column(np.multiply, behind, shade))
    excess = length(lab - behind)
    darkest, dark = _SHADES
    tinted, surely = (value + tolerance for value in _TINTED)
    sure = np.maximum.reduce(
        [
            np.clip((dark - shade) / (dark - darkest), 0, 1),
            np.clip((shade - 1 - 1.5 * tolerance) / _BRIGHTER, 0, 1),
            np.clip((tint - tinted) / (surely - tinted), 0, 1),
        ]
    )
    sure *= np.clip(excess / tolerance - 1, 0, 1)  # before black, all shades are alike
    plain = np.exp(-((excess / tolerance) ** 2))
    guess = np.full(sure.shape, 0.5) if likely is None else likely
    return Evidence(*(part.astype(np.float64) for part in (sure, excess > 1.5 * tolerance, plain, guess)))


def walk(
    lab: Float32Array, seen: Evidence, grain: float, poll: Poll, seeds: Float32Array | None = None
) -> Float64Array:
    """Return how likely each pixel is the object's, float64 (H, W) in about [0, 1].

    Lengths are in pixels of a picture of some 512 pixels. seeds: float32 (H, W), from 1, at what an artist has marked
    as the object's, to -1, at what is none of it; 0 says nothing.
    """
    strength = max(_EDGE, _GRAINS * grain)

    def ways(one: Float32Array, other: Float32Array) -> Float64Array:
        step = length(one - other).astype(np.float64) / strength
        return 1 / (1 + step**4)

    right, down = np.zeros(lab.shape[:2]), np.zeros(lab.shape[:2])
    right[:, :-1], down[:-1] = ways(lab[:, 1:], lab[:, :-1]), ways(lab[1:], lab[:-1])
    lean = 2 * seen.likely - 1
    guess = np.abs(lean) ** _SURENESS / _GUESSED**2
    for_object = _SURE * seen.sure * (1 + _OVERRULED * np.minimum(lean, 0)) + seen.different / _DIFFERENT**2
    for_ground = seen.plain / _PLAIN**2 * (1 - _OVERRULED * np.maximum(lean, 0))
    rim = border(for_ground.shape, max(1, round(_RIM * min(for_ground.shape))))
    for_ground[rim & (seen.plain > 0) & (seen.different == 0) & (lean < _SURELY)] = _AT_BORDER
    for_object, for_ground = for_object + guess * (lean > 0), for_ground + guess * (lean <= 0)
    if seeds is not None:
        marked = np.abs(seeds)
        for_object = for_object * (1 - marked) + _MARKED * np.maximum(seeds, 0)
        for_ground = for_ground * (1 - marked) + _MARKED * np.maximum(-seeds, 0)
    system = GridSystem(right, down, for_object + for_ground + 1e-7)
    return solve(system, for_object, seen.likely, _TOLERANCE, lambda _: poll())
