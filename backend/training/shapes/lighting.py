# SPDX-License-Identifier: GPL-3.0-or-later

"""Lamps, sky and surroundings, and what a surface returns of them to the camera.

Diffuse light after Lambert, gloss as one GGX lobe (Walter et al., "Microfacet models for refraction", 2007) with
Schlick's Fresnel and Kelemen's visibility; the surroundings are a sky over a ground with soft boxes in it, blurred by
the roughness.
"""

from dataclasses import dataclass

import numpy as np

from .compiled import Array, Reals, compiled, either
from .march import Surface, View
from .materials import Material, albedo, tabled
from .relief import value_noise


@dataclass(frozen=True)
class Light:
    """What light falls on a shape.

    lamps: float64 (L, 8): a unit direction or (near) a place in the shape's space, near, linear colour, which shadow
    (-1: throws none). boxes: float64 (B, 6): unit direction, cosine of the half angle, edge, brightness.
    sky, ground: linear colours (3). up: unit (3). clutter: how strongly the surroundings vary.
    """

    lamps: Array
    boxes: Array
    sky: Array
    ground: Array
    up: Array
    clutter: float


@compiled
def _fifth(t: Reals) -> Reals:
    return t * t * t * t * t


@compiled
def _from_lamp(
    p: tuple[Reals, Reals, Reals],
    n: tuple[Reals, Reals, Reals],
    e: tuple[Reals, Reals, Reals],
    lamp: tuple[float, float, float, float],
    rough: Reals,
    wrap: Reals,
) -> tuple[Reals, Reals, Reals]:
    """Return what comes of a lamp: diffusely, in the gloss head on, and what Fresnel adds to the gloss.

    p: the place; n: its normal; e: the way to the eye; lamp: a way to it or (near: the fourth is 1) a place.
    """
    lx, ly, lz = lamp[0] - lamp[3] * p[0], lamp[1] - lamp[3] * p[1], lamp[2] - lamp[3] * p[2]
    far2 = lx * lx + ly * ly + lz * lz
    far = np.sqrt(far2)
    lx, ly, lz = lx / far, ly / far, lz / far
    nl = n[0] * lx + n[1] * ly + n[2] * lz
    reach = 1.0 + lamp[3] * (1.0 / far2 - 1.0)
    hx, hy, hz = lx + e[0], ly + e[1], lz + e[2]
    h = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
    nh = np.maximum((n[0] * hx + n[1] * hy + n[2] * hz) / h, 0.0)
    lh = np.maximum((lx * hx + ly * hy + lz * hz) / h, 0.1)
    a2 = rough * rough * rough * rough
    around = nh * nh * (a2 - 1.0) + 1.0
    lobe = np.minimum(a2 / (around * around) * 0.25 / (lh * lh), 40.0) * np.maximum(nl, 0.0) * reach
    lambert = reach * np.maximum(nl + wrap, 0.0) / ((1.0 + wrap) * (1.0 + wrap))
    return lambert, lobe, lobe * _fifth(1.0 - lh)


@compiled
def _mirrored(
    n: tuple[Reals, Reals, Reals], e: tuple[Reals, Reals, Reals], clutter: float, rough: Reals, lattice: Array
) -> tuple[Reals, Reals, Reals, Reals, Reals]:
    """Return the mirrored way to the eye, how bright the surroundings are there, and Fresnel's share."""
    ne = np.maximum(n[0] * e[0] + n[1] * e[1] + n[2] * e[2], 1e-3)
    rx, ry, rz = 2.0 * ne * n[0] - e[0], 2.0 * ne * n[1] - e[1], 2.0 * ne * n[2] - e[2]
    bright = 1.0 + clutter * (1.0 - rough) * value_noise(3.0 * rx + 8.0, 3.0 * ry, 3.0 * rz, lattice)
    return rx, ry, rz, bright, _fifth(1.0 - ne) * (1.0 - 0.7 * rough)


@compiled
def _from_box(c: Reals, inner: float, edge: float, rough: Reals) -> Reals:
    """Return how much of a soft box is mirrored, c being the cosine off its middle."""
    t = np.minimum(np.maximum((c - inner) / (edge + rough) + 0.5, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@compiled
def _returned(colour: Reals, metal: Reals, f0: Reals, lambert: Reals, lobe: Reals, fresnel: Reals) -> Reals:
    """Return what a surface returns of what reaches it (`_from_lamp`), in one of its colour's channels."""
    head_on = f0 + (colour - f0) * metal
    return colour * (1.0 - metal) * lambert + head_on * (lobe - fresnel) + fresnel


@compiled
def _shade_each(
    s: Array, lamps: Array, boxes: Array, sky: Array, ground: Array, up: Array, clutter: float, lattice: Array
) -> Array:
    """Do as `_shade_arrays`, with the loop over places innermost."""
    count = s.shape[1]
    out, around = np.zeros((3, count)), np.empty((5, count))
    rough, metal, f0, wrap, opened = s[12], s[13], s[14], s[15], s[16]
    x, y, z, nx, ny, nz, ex, ey, ez = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]
    a, b, c, bright, grazing = around[0], around[1], around[2], around[3], around[4]
    for i in range(lamps.shape[0]):
        lamp = (lamps[i, 0], lamps[i, 1], lamps[i, 2], lamps[i, 3])
        shadow = s[18 + int(lamps[i, 7])]
        for k in range(count):
            a[k], b[k], c[k] = _from_lamp(
                (x[k], y[k], z[k]), (nx[k], ny[k], nz[k]), (ex[k], ey[k], ez[k]), lamp, rough[k], wrap[k]
            )
        for channel in range(3):
            line, colour, power = out[channel], s[9 + channel], lamps[i, 4 + channel]
            for k in range(count):
                line[k] += power * shadow[k] * _returned(colour[k], metal[k], f0[k], a[k], b[k], c[k])
    for k in range(count):
        a[k], b[k], c[k], bright[k], grazing[k] = _mirrored(
            (nx[k], ny[k], nz[k]), (ex[k], ey[k], ez[k]), clutter, rough[k], lattice
        )
    for i in range(boxes.shape[0]):
        u, v, w, inner, edge, power = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3], boxes[i, 4], boxes[i, 5]
        for k in range(count):
            bright[k] += power * _from_box(a[k] * u + b[k] * v + c[k] * w, inner, edge, rough[k])
    u, v, w = up[0], up[1], up[2]
    for channel in range(3):
        line, colour, low, high = out[channel], s[9 + channel], ground[channel], sky[channel]
        for k in range(count):
            sees, rise = nx[k] * u + ny[k] * v + nz[k] * w, a[k] * u + b[k] * v + c[k] * w
            line[k] += _ambient(
                colour[k], metal[k], f0[k], rough[k], opened[k], sees, rise, bright[k], grazing[k], low, high
            )
    return out


@compiled
def _ambient(
    colour: Reals,
    metal: Reals,
    f0: Reals,
    rough: Reals,
    opened: Reals,
    sees: Reals,
    rise: Reals,
    bright: Reals,
    grazing: Reals,
    ground: float,
    sky: float,
) -> Reals:
    """Return what a surface returns of sky, ground and surroundings, in one channel.

    sees, rise: the normal's and the mirrored way's cosine with what is up.
    """
    horizon = np.minimum(np.maximum(0.5 + rise / (0.15 + 1.6 * rough), 0.0), 1.0)
    gloss = bright * (0.3 + 0.7 * opened) * (ground + (sky - ground) * horizon)
    diffuse = opened * (ground + (sky - ground) * (0.5 + 0.5 * sees))
    return _returned(colour, metal, f0, diffuse, gloss, gloss * grazing)


def _shade_arrays(
    s: Array, lamps: Array, boxes: Array, sky: Array, ground: Array, up: Array, clutter: float, lattice: Array
) -> Array:
    """Return the light that places send to the eye, linear (3, K).

    s: (20, K), place, normal, way to the eye, colour, roughness, metal, reflectance, wrap, how open the sky is, and
    what comes through: 1 for lamps that throw no shadow, and of the first and of the second main lamp.
    """
    p, n, e, colours = s[:3], s[3:6], s[6:9], s[9:12]
    rough, metal, f0, wrap, opened = s[12:17]
    out = np.zeros_like(colours)
    for lamp in lamps:
        light = _from_lamp(tuple(p), tuple(n), tuple(e), tuple(lamp[:4]), rough, wrap)
        shadow = s[18 + int(lamp[7])]
        for k in range(3):
            out[k] += lamp[4 + k] * shadow * _returned(colours[k], metal, f0, *light)
    *way, bright, grazing = _mirrored(tuple(n), tuple(e), clutter, rough, lattice)
    for u, v, w, inner, edge, power in boxes:
        bright = bright + power * _from_box(way[0] * u + way[1] * v + way[2] * w, inner, edge, rough)
    rise = up @ np.stack(way)
    for k in range(3):
        out[k] += _ambient(colours[k], metal, f0, rough, opened, up @ n, rise, bright, grazing, ground[k], sky[k])
    return out


def shine(
    surface: Surface,
    view: View,
    opened: Array,
    shadows: list[Array],
    materials: list[Material],
    light: Light,
    lattice: Array,
) -> Array:
    """Return what the camera sees of a surface, linear (S, S, 3), zeros where nothing is hit.

    opened: (S, S), the share of the sky that each pixel sees. shadows: two of (S, S), how much of a lamp comes through.
    """
    hit, stuff = surface.hit, tabled(materials)
    parts = surface.parts[hit]
    s = np.empty((20, len(parts)))
    s[:3], s[3:6] = surface.places[hit].T, surface.normals[hit].T
    s[6:9] = view.turn[2][:, None] - view.nearness * s[:3]
    s[6:9] /= np.sqrt(s[6] * s[6] + s[7] * s[7] + s[8] * s[8])
    s[9:12] = albedo(s[0], s[1], s[2], parts, stuff, lattice)
    for k in range(4):
        s[12 + k] = stuff[:, 25 + k].take(parts)
    s[16], s[17], s[18], s[19] = opened[hit], 1.0, shadows[0][hit], shadows[1][hit]
    kernel = either(_shade_each, _shade_arrays)
    image = np.zeros((*hit.shape, 3))
    image[hit] = kernel(s, light.lamps, light.boxes, light.sky, light.ground, light.up, light.clutter, lattice).T
    return image


def towards(view: View, azimuth: float, elevation: float) -> Array:
    """Return the unit direction, in the shape's space, that is so far right of and above the camera (radians)."""
    x, y = np.sin(azimuth) * np.cos(elevation), np.sin(elevation)
    return np.array([x, y, np.cos(azimuth) * np.cos(elevation)]) @ view.turn


def draw_key(rng: np.random.Generator, view: View) -> tuple[Array, bool, float]:
    """Draw where a main lamp is (see `march.lit`), whether it is near, and its softness."""
    near = rng.random() < 0.3
    toward = towards(view, rng.normal(0.0, 0.8), rng.uniform(-0.1, 1.3))
    return (
        toward * (rng.uniform(1.6, 4.0) if near else 1.0),
        near,
        float(np.exp(rng.uniform(np.log(0.03), np.log(0.5)))),
    )


def draw_light(rng: np.random.Generator, view: View, keys: list[tuple[Array, bool, float]]) -> Light:
    """Draw how a picture is lit. keys: the lamps whose shadows are known."""
    kind = rng.choice(6, p=(0.27, 0.13, 0.16, 0.24, 0.08, 0.12))  # studio, sun, sky, one lamp, rim, several
    lamps: list[tuple[float, ...]] = []
    ambient = (0.35, 0.3, 1.0, rng.uniform(0.0, 0.12), 0.12, 0.25)[kind] * rng.uniform(0.6, 1.4)
    which = int(rng.integers(2))
    if kind != 2:
        lamps.append(_lamp(rng, keys[which], rng.uniform(0.8, 1.4), which if rng.random() < 0.65 else -1))
    if kind in (0, 5):
        lamps.append(_lamp(rng, keys[1 - which], rng.uniform(0.15, 0.7), 1 - which if rng.random() < 0.5 else -1))
    for _ in range(int(rng.integers(1, 3)) if kind == 5 else int(kind == 4) * 2):
        behind = kind == 4 or rng.random() < 0.5
        azimuth = rng.choice((-1.0, 1.0)) * (rng.uniform(1.7, 2.6) if behind else rng.uniform(0.0, 1.6))
        lamps.append(
            _lamp(rng, (towards(view, azimuth, rng.uniform(-0.2, 1.0)), False, 0.0), rng.uniform(0.2, 0.9), -1)
        )
    if kind == 2 and rng.random() < 0.5:
        lamps.append(_lamp(rng, keys[which], rng.uniform(0.1, 0.5), which))
    sky = ambient * _tint(rng, 0.15)
    boxes = [
        (
            *towards(view, rng.uniform(-2.5, 2.5), rng.uniform(-0.3, 1.4)),
            rng.uniform(0.75, 0.98),
            rng.uniform(0.01, 0.15),
            rng.uniform(1.0, 8.0),
        )
        for _ in range(int(rng.integers(0, 5)))
    ]
    return Light(
        np.array(lamps, np.float64).reshape(-1, 8),
        np.array(boxes, np.float64).reshape(-1, 6),
        sky,
        sky * rng.uniform(0.05, 0.9) * _tint(rng, 0.15),
        np.array([0.0, 1.0, 0.0]),
        rng.uniform(0.0, 0.9),
    )


def _lamp(rng: np.random.Generator, key: tuple[Array, bool, float], power: float, shadow: int) -> tuple[float, ...]:
    at, near, _ = key
    power *= float(at @ at) if near else 1.0
    return (*at, float(near), *(power * _tint(rng, 0.12)), shadow)


def _tint(rng: np.random.Generator, strength: float) -> Array:
    return 1.0 + strength * rng.normal(size=3).clip(-2, 2) * np.array([1.0, 0.4, 1.0])
