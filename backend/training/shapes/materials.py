# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0911 - kernels take plain numbers, in order, and choose a formula by a number
"""What surfaces are made of, drawn without a look at the shape: colours, patterns, gloss.

Most are plain or nearly so, as most objects' parts are: only there does shading tell of the form, and a network that
meets nothing but wild patterns learns to look away from shading. The rest are patterned, so that it learns that a print
is not a groove.
"""

from dataclasses import dataclass

import numpy as np

from .compiled import Array, Reals, compiled, either, select
from .relief import fractal, from_whole, value_noise

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


def tabled(materials: list[Material]) -> Array:
    """Return materials as rows of numbers, float64 (M, 29): what `albedo` and `lighting` read."""
    return np.array(
        [
            (m.pattern, m.frequency, m.bend, m.fine, *m.shift, *m.turn.ravel(), *m.colours.ravel(), *_gloss(m))
            for m in materials
        ]
    )


def _gloss(m: Material) -> tuple[float, float, float, float]:
    return m.roughness, m.metal, m.reflectance, m.wrap


@compiled
def _albedo(x: Reals, y: Reals, z: Reals, m: Array, lattice: Array) -> tuple[Reals, Reals, Reals]:
    """Return the own linear colour, in [0, 1], at a place of what a material's row (29) says."""
    a = m[7] * x + m[8] * y + m[9] * z + m[4]
    b = m[10] * x + m[11] * y + m[12] * z + m[5]
    c = m[13] * x + m[14] * y + m[15] * z + m[6]
    t, grain = _pattern(a, b, c, int(m[0]), m[1], m[2], m[3], lattice)
    t = np.minimum(np.maximum(t, 0.0), 1.0) * 2.0
    first, second, grain = np.minimum(t, 1.0), np.maximum(t - 1.0, 0.0), 1.0 + grain
    red = (m[16] + (m[19] - m[16]) * first + (m[22] - m[19]) * second) * grain
    green = (m[17] + (m[20] - m[17]) * first + (m[23] - m[20]) * second) * grain
    blue = (m[18] + (m[21] - m[18]) * first + (m[24] - m[21]) * second) * grain
    return np.minimum(red, 1.0), np.minimum(green, 1.0), np.minimum(blue, 1.0)


@compiled
def _albedo_each(x: Array, y: Array, z: Array, parts: Array, table: Array, lattice: Array) -> Array:
    result = np.empty((3, len(x)))
    for part in range(table.shape[0]):
        m = table[part]
        for k in range(len(x)):
            if parts[k] == part:
                result[0, k], result[1, k], result[2, k] = _albedo(x[k], y[k], z[k], m, lattice)
    return result


def _albedo_arrays(x: Array, y: Array, z: Array, parts: Array, table: Array, lattice: Array) -> Array:
    result = np.empty((3, len(x)))
    for part, m in enumerate(table):
        mine = parts == part
        result[:, mine] = _albedo(x[mine], y[mine], z[mine], m, lattice)
    return result


albedo = either(_albedo_each, _albedo_arrays)
"""The own linear colours (3, K) of places x, y, z (K) on parts (K), whose materials' rows stand in a table."""


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
