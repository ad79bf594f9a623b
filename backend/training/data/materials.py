# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0917, PLR0911 - kernels take plain numbers, in order, and choose a formula by a number
"""What surfaces are made of, drawn without a look at the shape: colours, patterns, gloss.

Most are plain or nearly so, as most objects' parts are: only there does shading tell of the form, and a network that
meets nothing but wild patterns learns to look away from shading. The rest are patterned, so that it learns that a print
is not a groove.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from .compiled import Array, Reals, compiled, either, select
from .relief import fractal, from_whole, value_noise

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN, SOFT, MOTTLED, WOOD, STRIPES, CHECKS, DOTS, STAINS, MARBLE, SPECKLES, PRINT = range(11)
_SHARES = (0.42, 0.17, 0.09, 0.07, 0.05, 0.03, 0.04, 0.04, 0.04, 0.02, 0.03)


@dataclass(frozen=True)
class Material:
    """Linear colours (3, 3) that a pattern goes through, and how the surface reflects.

    pattern: one of the kinds above. frequency: in waves a unit of the shape. turn: float64 (3, 3), how it lies.
    roughness: of a GGX lobe, in (0, 1]. metal: 0 or 1. reflectance: of a dielectric, head on. wrap: how far light goes
    round the edge, as under a translucent skin. fine: how strong the grain is that every photograph's surface has.
    """

    colours: Array
    pattern: int
    frequency: float
    turn: Array
    shift: Array
    bend: float
    roughness: float
    metal: float
    reflectance: float
    wrap: float
    fine: float


@compiled
def _pattern(  # noqa: C901 - a formula each
    x: Reals, y: Reals, z: Reals, kind: int, frequency: Reals, bend: Reals, fine: Reals, lattice: Array
) -> tuple[Reals, Reals]:
    """Return where a pattern stands between a material's colours, in [0, 1], and its grain in [-1, 1]."""
    grain = fractal(x, y, z, 9.0, 0.7, 2, 0, 1e-3, lattice) * fine
    u, v, w = x * frequency, y * frequency, z * frequency
    if kind == 0:
        return x * 0.0, grain
    if kind == 1:
        return 0.5 + 0.5 * value_noise(0.5 * u, 0.5 * v, 0.5 * w, lattice), grain
    if kind == 2:
        return 0.5 + 0.8 * fractal(u, v, w, 1.0, 0.65, 5, 0, 1e-3, lattice), grain
    if kind == 3:
        warp = bend * value_noise(0.6 * u, 0.12 * v, 0.6 * w, lattice)
        ring = np.sqrt((u + 2.0) * (u + 2.0) + w * w) * 1.5 + warp * 2.0
        line = from_whole(ring) + 0.5
        fibre = value_noise(9.0 * u, 0.5 * v, 9.0 * w, lattice)
        return line * line * 0.75 + 0.15 + 0.12 * fibre, grain
    if kind == 4:
        return select(np.abs(from_whole(v + bend * value_noise(u, v, w, lattice))) < 0.25, 1.0, 0.0), grain
    if kind == 5:
        odd = np.floor(u) + np.floor(v) + np.floor(w)
        return select(odd - 2.0 * np.floor(0.5 * odd) > 0.5, 1.0, 0.0), grain
    if kind == 6:
        a, b, c = from_whole(u), from_whole(v), from_whole(w)
        return select(a * a + b * b + c * c < 0.09, 1.0, 0.0), grain
    if kind == 7:
        t = fractal(u, v, w, 0.7, 0.55, 4, 0, 1e-3, lattice)
        return np.minimum(np.maximum(0.5 + 6.0 * (t - 0.1), 0.0), 1.0), grain
    if kind == 8:
        t = u + 3.0 * fractal(u, v, w, 0.6, 0.6, 4, 0, 1e-3, lattice)
        return 0.5 + 0.5 * np.sin(4.0 * t), grain
    if kind == 9:
        return select(value_noise(5.0 * u, 5.0 * v, 5.0 * w, lattice) > 0.45, 1.0, 0.0), grain
    row = np.floor(1.5 * v)  # lines of something like letters, in some places
    there = value_noise(0.3 * u, 0.2 * row, 0.3 * w, lattice) > -0.2
    letter = value_noise(6.0 * u, 3.0 * v, 6.0 * w, lattice) + 0.3 * value_noise(2.0 * u, 9.0 * row, 2.0 * w, lattice)
    return select(there & (np.abs(from_whole(1.5 * v - 0.5)) < 0.28) & (letter > 0.05), 1.0, 0.0), grain


@compiled
def _pattern_each(
    x: Array, y: Array, z: Array, kind: int, frequency: float, bend: float, fine: float, lattice: Array
) -> Array:
    result = np.empty((2, len(x)))
    for k in range(len(x)):
        result[0, k], result[1, k] = _pattern(x[k], y[k], z[k], kind, frequency, bend, fine, lattice)
    return result


def _pattern_arrays(*arguments: Array) -> Array:
    return np.stack(cast("Callable[..., tuple[Array, Array]]", _pattern)(*arguments))


def albedo(material: Material, places: Array, lattice: Array) -> Array:
    """Return the surface's own linear colour at places, (K, 3) -> (K, 3) in [0, 1]."""
    x, y, z = material.turn @ places.T + material.shift[:, None]
    kernel = either(_pattern_each, _pattern_arrays)
    t, grain = kernel(x, y, z, material.pattern, material.frequency, material.bend, material.fine, lattice)
    t = np.clip(t, 0.0, 1.0)[:, None] * 2.0
    low, middle, high = material.colours
    colour = np.where(t < 1.0, low + (middle - low) * t, middle + (high - middle) * (t - 1.0))
    return np.clip(colour * (1.0 + grain[:, None]), 0.0, 1.0)


def draw_materials(rng: np.random.Generator, parts: int) -> list[Material]:
    """Draw a material for each part. Some shapes are of one stuff, some of a few that go together."""
    palette = [_draw(rng) for _ in range(1 if rng.random() < 0.3 else int(rng.integers(2, 5)))]
    first = palette[0]
    return [first if rng.random() < 0.25 else palette[int(rng.integers(len(palette)))] for _ in range(parts)]


def _draw(rng: np.random.Generator) -> Material:
    pattern = int(rng.choice(len(_SHARES), p=_SHARES))
    colour = _colour(rng)
    if pattern == WOOD:
        light = np.array([0.45, 0.25, 0.11]) * rng.uniform(0.4, 1.5, 3) ** 0.5
        colours = np.stack([light, light * 0.7, light * rng.uniform(0.15, 0.6)])
    elif rng.random() < 0.5:  # shades of one colour
        colours = colour * np.array([[1.0], [rng.uniform(0.5, 1.2)], [rng.uniform(0.2, 1.4)]])
    else:
        colours = np.stack([colour, _colour(rng), _colour(rng)])
    metal = float(rng.random() < 0.1)
    if metal:
        colours = 0.35 + 0.6 * colours
    gloss = rng.random()
    roughness = rng.uniform(0.5, 1.0) if gloss < 0.55 else rng.uniform(0.12, 0.5)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] if rng.random() < 0.6 else np.eye(3)
    return Material(
        np.clip(colours, 0.0, 1.0),
        pattern,
        float(np.exp(rng.uniform(np.log(2.0), np.log(12.0)))),
        turn,
        rng.uniform(0.0, 32.0, 3),
        rng.uniform(0.0, 1.0),
        roughness,
        metal,
        rng.uniform(0.02, 0.06),
        rng.uniform(0.1, 0.6) if rng.random() < 0.25 else 0.0,
        rng.uniform(0.0, 0.06) if rng.random() < 0.6 else 0.15,
    )


def _colour(rng: np.random.Generator) -> Array:
    """Draw a linear colour: greys and whites often, saturated ones sometimes, seldom near black."""
    value = rng.uniform(0.25, 0.95) ** 1.6 if rng.random() < 0.85 else rng.uniform(0.02, 0.1)
    saturation = 0.0 if rng.random() < 0.25 else rng.uniform(0.0, 1.0) ** 1.3
    hue = rng.uniform(0.0, 6.0)
    wheel = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0, 0.0, 1.0)
    return value * (1.0 - saturation * (1.0 - wheel))
