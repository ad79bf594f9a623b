# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: ARG001 - every relief is given the same
"""Heights over a surface: rock, cloth, scales, planks, engraving, fur, as functions of the place.

They push a solid's surface in and out by at most their amplitude. A wave shorter than two pixels fades out before it
is made, so that neither the truth nor the picture holds what the pixels cannot. Heights are in [-1, 1]; x, y, z is a
point in the relief's frame, frequency in waves a unit; p and q mean something else for every relief.
"""

import numpy as np

from ...arrays import Float64Array
from .compiled import compiled, inlined
from .distances import clamp, profile, smoothstep

LATTICE = np.random.default_rng(20).uniform(-1.0, 1.0, (32, 32, 32))
"""What all noise is read from, float64 in [-1, 1]; it repeats after so many cells."""

ROCK, RIDGES, FOLDS, SCALES, PANELS, RIBS, EMBOSSED, DENTS, STRANDS = range(9)


@compiled
def value_noise(x: float, y: float, z: float, lattice: Float64Array) -> float:
    """Return smooth noise in [-1, 1] whose cells have the side 1 (Perlin's quintic between lattice values)."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    i, j, k = np.int64(fx) & 31, np.int64(fy) & 31, np.int64(fz) & 31
    l, m, n = (i + 1) & 31, (j + 1) & 31, (k + 1) & 31
    u, v, w = x - fx, y - fy, z - fz
    u = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
    v = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
    w = w * w * w * (w * (w * 6.0 - 15.0) + 10.0)
    a = lattice[i, j, k] + u * (lattice[l, j, k] - lattice[i, j, k])
    b = lattice[i, m, k] + u * (lattice[l, m, k] - lattice[i, m, k])
    c = lattice[i, j, n] + u * (lattice[l, j, n] - lattice[i, j, n])
    d = lattice[i, m, n] + u * (lattice[l, m, n] - lattice[i, m, n])
    e = a + v * (b - a)
    return e + w * (c + v * (d - c) - e)


@compiled
def visible(wavelength: float, pixel: float) -> float:
    """Return how much of a wave is kept: nothing below two pixels, all from four on."""
    return smoothstep(wavelength / pixel * 0.5 - 1.0)


@inlined
def fractal(
    x: float, y: float, z: float, lattice: Float64Array, f: float, p: float, q: float, pixel: float, octaves: int = 4
) -> float:
    """Return a sum of noises, each twice as fine and p times as strong as the one before; ridged if q is 1."""
    total, strength, norm = x * 0.0, 1.0, 0.0
    for _ in range(octaves):
        seen = visible(1.6 / f, pixel)
        if seen > 0.0:
            value = value_noise(x * f, y * f, z * f, lattice)
            if q == 1.0:
                value = 1.0 - 2.0 * np.sqrt(value * value + 0.01)
            total = total + value * (strength * seen)
        norm += strength
        strength *= p
        f *= 2.03
        # Turned, so that the lattices' axes do not line up and show.
        x, y, z = 0.8 * y + 0.6 * z + 1.7, -0.8 * x + 0.36 * y - 0.48 * z, -0.6 * x - 0.48 * y + 0.64 * z
    return total / norm


@compiled
def from_whole(t: float) -> float:
    """Return how far t is from the nearest whole number, signed, in [-1/2, 1/2]."""
    return t - np.floor(t + 0.5)


@inlined
def folds(x: float, y: float, z: float, lattice: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return the height of cloth that wanders by p, its ridges as sharp as q is small."""
    near = value_noise(x * 1.7 + 3.0, y * 0.9, z * 1.7, lattice)
    wander = near + 0.5 * value_noise(x * 3.9, y * 2.1, z * 3.9, lattice)
    t = from_whole(0.5 * (x + 0.6 * z) * f + p * wander)
    ridge = 1.0 - 2.0 * np.sqrt(t * t * 4.0 + q * q) / np.sqrt(1.0 + q * q)
    fine = value_noise(x * f + 9.0, y * 0.4 * f, z * f, lattice)
    return (0.8 * ridge + 0.2 * fine) * visible(1.0 / f, pixel)


@inlined
def scales(x: float, y: float, z: float, _: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return the height of scales or tiles, p times as wide as high."""
    v = y * f
    row = np.floor(v)
    s, t = from_whole(x * f / p + 0.5 * row), v - row
    fall = clamp((t - 0.45 * (1.0 - 4.0 * s * s)) / 0.12, 0.0, 1.0)
    height = 0.9 * (1.0 - t) * (1.0 - 1.5 * s * s) * (1.0 - fall) + 0.55 * fall * (1.0 - t)
    return height * visible(1.0 / f, pixel)


@inlined
def panels(x: float, y: float, z: float, _: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return the height of planks or stones, p times as wide as high, between joints of the half width q."""
    v = y * f
    u = x * f / p + 0.37 * np.floor(v)
    least = np.maximum(q, 1.2 * pixel * f)
    s, t = np.minimum(np.abs(from_whole(v)) / least, 1.0), np.minimum(np.abs(from_whole(u) * p) / least, 1.0)
    joint = np.maximum((1.0 - s * s) * (1.0 - s * s), (1.0 - t * t) * (1.0 - t * t))
    return -joint * (q / least) * visible(1.0 / f, pixel)


@inlined
def ribs(x: float, y: float, z: float, _: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return the height of ribs along y, as sharp as q is small."""
    t = from_whole(x * f)
    return (1.0 - 4.0 * np.sqrt(t * t + 0.25 * q * q)) / (1.0 + q) * visible(1.0 / f, pixel)


@inlined
def embossed(x: float, y: float, z: float, outlines: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return 1 inside outlines[p] (in the plane of x and y), 0 outside of it, over an edge as wide as q."""
    edge = np.maximum(q, 1.5 * pixel * f)
    return smoothstep(0.5 - 0.5 * profile(x * f, y * f, outlines, int(p)) / edge)


@inlined
def dents(x: float, y: float, z: float, _: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return the height of a surface with round dents in rows."""
    u, v, w = from_whole(x * f), from_whole(y * f), from_whole(z * f)
    return -np.maximum(1.0 - 4.0 * (u * u + v * v + w * w), 0.0) * visible(1.0 / f, pixel)


@inlined
def strands(x: float, y: float, z: float, lattice: Float64Array, f: float, p: float, q: float, pixel: float) -> float:
    """Return the height of fur or hair along y that wanders by p."""
    bend = value_noise(x * 2.1, y * 2.1, z * 2.1, lattice) * p
    strand = value_noise((x + 0.3 * bend) * f, y * 0.18 * f + bend, z * f, lattice)
    fine = value_noise((x - 0.2 * bend) * 2.1 * f, y * 0.3 * f, z * 2.1 * f + 5.0, lattice)
    return 0.7 * strand * visible(1.0 / f, pixel) + 0.3 * fine * visible(0.6 / f, pixel)


HEIGHTS = (fractal, fractal, folds, scales, panels, ribs, embossed, dents, strands)
"""The heights of reliefs, in the order of their kinds: of a point, a table of samples, f, p, q and a pixel's width."""
