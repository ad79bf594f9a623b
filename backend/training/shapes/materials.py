# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0911 - kernels choose a formula by a number
"""What surfaces are made of, drawn without a look at the shape: colours, patterns, gloss.

Most are plain or nearly so: only there does shading tell of the form. The rest are patterned, so that a network learns
that a print is not a groove.
"""

import numpy as np

from ...arrays import Float64Array, Int64Array
from .compiled import Table, compiled
from .distances import clamp
from .reliefs import fractal, from_whole, value_noise

PLAIN, SOFT, MOTTLED, WOOD, STRIPES, CHECKS, DOTS, STAINS, MARBLE, SPECKLES, PRINT, STONES, FLOWERS, PATCHES = range(14)
_SHARES = (0.36, 0.15, 0.08, 0.07, 0.05, 0.03, 0.03, 0.04, 0.03, 0.02, 0.03, 0.03, 0.05, 0.03)

MATERIAL = np.dtype(
    [("pattern", np.int64), ("colours", np.float64, (3, 3)), ("turn", np.float64, (3, 3)), ("shift", np.float64, 3)]
    + [(name, np.float64) for name in ("frequency", "bend", "fine", "roughness", "metal", "reflectance", "wrap")],
    align=True,
)
"""Linear colours that a pattern goes through, and how the surface reflects.

pattern: one of the kinds above. frequency: in waves a unit of the shape. turn, shift, bend: how it lies.
fine: how strong the grain is that every photograph's surface has. roughness: of a GGX lobe, in (0, 1]. metal: 0 or 1.
reflectance: of a dielectric, head on. wrap: how far light goes round the edge, as under a translucent skin.
"""


@compiled
def _stones(u: float, v: float, w: float, lattice: Float64Array) -> float:
    """Return joints (0) between stones of a value each (Worley, "A cellular texture basis function", 1996)."""
    first, second, value = 9.0, 9.0, 0.0
    for number in range(27):
        i, j, k = np.floor(u) + number // 9 - 1, np.floor(v) + number // 3 % 3 - 1, np.floor(w) + number % 3 - 1
        a, b, c = np.int64(i) & 31, np.int64(j) & 31, np.int64(k) & 31
        x = i + 0.5 + 0.4 * lattice[a, b, c] - u
        y = j + 0.5 + 0.4 * lattice[b, c, a] - v
        z = k + 0.5 + 0.4 * lattice[c, a, b] - w
        far = np.sqrt(x * x + y * y + z * z)
        if far < first:
            first, second, value = far, first, 0.7 + 0.3 * lattice[a, c, b]
        elif far < second:
            second = far
    return value * clamp((second - first) * 14.0 - 0.5, 0.0, 1.0)


@compiled
def _flowers(u: float, v: float, lattice: Float64Array) -> float:
    """Return a ground (0) with flowers, three to eight petals (1) about a centre (1/2), in about half of the cells."""
    i, j = np.int64(np.floor(u + 0.5)) & 31, np.int64(np.floor(v + 0.5)) & 31
    size = 0.3 + 0.1 * lattice[i, j, 0]
    x, y = from_whole(u) - 0.1 * lattice[i, j, 1], from_whole(v) - 0.1 * lattice[i, j, 2]
    petals = np.floor(5.5 + 2.5 * lattice[i, j, 3])
    far = np.sqrt(x * x + y * y) / size
    edge = 0.7 + 0.3 * np.cos(petals * np.arctan2(y, x) + 3.0 * lattice[i, j, 4])
    if lattice[i, j, 5] < 0.0 or far > edge:
        return 0.0
    return 0.5 if far < 0.25 else 1.0


@compiled
def _pattern(x: float, y: float, z: float, m: Table, lattice: Float64Array) -> float:  # noqa: C901, PLR0912
    """Return where a material's pattern stands between its colours, about in [0, 1]."""
    u, v, w = x * m.frequency, y * m.frequency, z * m.frequency
    kind = m.pattern
    if kind == PLAIN:
        return 0.0
    if kind == SOFT:
        return 0.5 + 0.5 * value_noise(0.5 * u, 0.5 * v, 0.5 * w, lattice)
    if kind == MOTTLED:
        return 0.5 + 0.8 * fractal(u, v, w, lattice, 1.0, 0.65, 0.0, 1e-3, 5)
    if kind == WOOD:
        warp = m.bend * value_noise(0.6 * u, 0.12 * v, 0.6 * w, lattice)
        line = from_whole(np.sqrt((u + 2.0) * (u + 2.0) + w * w) * 1.5 + warp * 2.0) + 0.5
        return line * line * 0.75 + 0.15 + 0.12 * value_noise(9.0 * u, 0.5 * v, 9.0 * w, lattice)
    if kind == STRIPES:
        return 1.0 if np.abs(from_whole(v + m.bend * value_noise(u, v, w, lattice))) < 0.25 else 0.0
    if kind == CHECKS:
        odd = np.floor(u) + np.floor(v) + np.floor(w)
        return 1.0 if odd - 2.0 * np.floor(0.5 * odd) > 0.5 else 0.0
    if kind == DOTS:
        a, b, c = from_whole(u), from_whole(v), from_whole(w)
        return 1.0 if a * a + b * b + c * c < 0.09 else 0.0
    if kind == STAINS:
        return 0.5 + 6.0 * (fractal(u, v, w, lattice, 0.7, 0.55, 0.0, 1e-3, 4) - 0.1)
    if kind == MARBLE:
        return 0.5 + 0.5 * np.sin(4.0 * (u + 3.0 * fractal(u, v, w, lattice, 0.6, 0.6, 0.0, 1e-3, 4)))
    if kind == SPECKLES:
        return 1.0 if value_noise(5.0 * u, 5.0 * v, 5.0 * w, lattice) > 0.45 else 0.0
    if kind == STONES:
        return _stones(u, v, w, lattice)
    if kind == FLOWERS:
        return _flowers(u, v, lattice)
    if kind == PATCHES:  # flat areas of three colours
        return np.floor(clamp(1.0 + 2.6 * fractal(u, v, w, lattice, 0.5, 0.5, 0.0, 1e-3, 3), 0.0, 2.0) + 0.5) * 0.5
    row = np.floor(1.5 * v)  # lines of something like letters, in some places
    there = value_noise(0.3 * u, 0.2 * row, 0.3 * w, lattice) > -0.2
    letter = value_noise(6.0 * u, 3.0 * v, 6.0 * w, lattice) + 0.3 * value_noise(2.0 * u, 9.0 * row, 2.0 * w, lattice)
    return 1.0 if there and np.abs(from_whole(1.5 * v - 0.5)) < 0.28 and letter > 0.05 else 0.0


@compiled
def albedo(places: Float64Array, parts: Int64Array, materials: Table, lattice: Float64Array) -> Float64Array:
    """Return the own linear colours (3, K) of places (3, K) on parts (K), in [0, 1]."""
    result = np.empty(places.shape)
    for k in range(len(parts)):
        m = materials[parts[k]]
        x, y, z = places[0, k], places[1, k], places[2, k]
        a = m.turn[0, 0] * x + m.turn[0, 1] * y + m.turn[0, 2] * z + m.shift[0]
        b = m.turn[1, 0] * x + m.turn[1, 1] * y + m.turn[1, 2] * z + m.shift[1]
        c = m.turn[2, 0] * x + m.turn[2, 1] * y + m.turn[2, 2] * z + m.shift[2]
        grain = 1.0 + fractal(a, b, c, lattice, 9.0, 0.7, 0.0, 1e-3, 2) * m.fine
        t = clamp(_pattern(a, b, c, m, lattice), 0.0, 1.0) * 2.0
        first, second = np.minimum(t, 1.0), np.maximum(t - 1.0, 0.0)
        for channel in range(3):
            low, middle, high = m.colours[0, channel], m.colours[1, channel], m.colours[2, channel]
            result[channel, k] = np.minimum((low + (middle - low) * first + (high - middle) * second) * grain, 1.0)
    return result


def draw_materials(rng: np.random.Generator, parts: int) -> Table:
    """Draw a material for each part, `MATERIAL` (parts). Some shapes are of one, some of a few that go together."""
    palette = np.stack([_draw(rng) for _ in range(1 if rng.random() < 0.3 else int(rng.integers(2, 5)))])
    return palette[[0 if rng.random() < 0.25 else int(rng.integers(len(palette))) for _ in range(parts)]]


def _draw(rng: np.random.Generator) -> Table:
    m = np.zeros((), MATERIAL)
    m["pattern"] = rng.choice(len(_SHARES), p=_SHARES)
    colour = _colour(rng)
    if m["pattern"] == WOOD:
        light = np.array([0.45, 0.25, 0.11]) * rng.uniform(0.4, 1.5, 3) ** 0.5
        colours = np.stack([light, light * 0.7, light * rng.uniform(0.15, 0.6)])
    elif rng.random() < 0.5:  # shades of one colour
        colours = colour * np.array([[1.0], [rng.uniform(0.5, 1.2)], [rng.uniform(0.2, 1.4)]])
    else:
        colours = np.stack([colour, _colour(rng), _colour(rng)])
    m["metal"] = rng.random() < 0.1
    m["colours"] = np.clip(0.35 + 0.6 * colours if m["metal"] else colours, 0.0, 1.0)
    m["roughness"] = rng.uniform(0.5, 1.0) if rng.random() < 0.55 else rng.uniform(0.12, 0.5)
    m["turn"] = np.linalg.qr(rng.normal(size=(3, 3)))[0] if rng.random() < 0.6 else np.eye(3)
    m["frequency"] = np.exp(rng.uniform(np.log(2.0), np.log(12.0)))
    m["shift"] = rng.uniform(0.0, 32.0, 3)
    m["bend"] = rng.uniform(0.0, 1.0)
    m["reflectance"] = rng.uniform(0.02, 0.06)
    m["wrap"] = rng.uniform(0.1, 0.6) if rng.random() < 0.25 else 0.0
    m["fine"] = rng.uniform(0.0, 0.06) if rng.random() < 0.6 else 0.15
    return m


def _colour(rng: np.random.Generator) -> Float64Array:
    """Draw a linear colour: greys and whites often, saturated ones sometimes, seldom near black."""
    value = rng.uniform(0.25, 0.95) ** 1.6 if rng.random() < 0.85 else rng.uniform(0.02, 0.1)
    saturation = 0.0 if rng.random() < 0.25 else rng.uniform(0.0, 1.0) ** 1.3
    hue = rng.uniform(0.0, 6.0)
    wheel = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0, 0.0, 1.0)
    return value * (1.0 - saturation * (1.0 - wheel))
