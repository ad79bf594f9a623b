# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0917 - kernels take plain numbers, in order, and choose a formula by a number
"""Lamps, sky and surroundings, and what a surface returns of them to the camera.

Diffuse light after Lambert, gloss as one GGX lobe (Walter et al., "Microfacet models for refraction", 2007) with
Schlick's Fresnel and Kelemen's visibility; the surroundings are a sky over a ground with soft boxes in it, blurred by
the roughness.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from .compiled import Array, Reals, compiled, either
from .march import Surface, View
from .materials import Material, albedo
from .relief import value_noise

if TYPE_CHECKING:
    from collections.abc import Callable


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
def _shade(
    x: Reals,
    y: Reals,
    z: Reals,
    nx: Reals,
    ny: Reals,
    nz: Reals,
    ex: Reals,
    ey: Reals,
    ez: Reals,
    r: Reals,
    g: Reals,
    b: Reals,
    rough: Reals,
    metal: Reals,
    f0: Reals,
    wrap: Reals,
    opened: Reals,
    shadow: Reals,
    other: Reals,
    lamps: Array,
    boxes: Array,
    sky: Array,
    ground: Array,
    up: Array,
    clutter: Reals,
    lattice: Array,
) -> tuple[Reals, Reals, Reals]:
    """Return the light that leaves a place towards the unit direction e, linear r, g, b."""
    ne = np.maximum(nx * ex + ny * ey + nz * ez, 1e-3)
    diffuse = 1.0 - metal
    fr, fg, fb = f0 + (r - f0) * metal, f0 + (g - f0) * metal, f0 + (b - f0) * metal
    a2 = np.power(rough, 4.0)
    out_r, out_g, out_b = x * 0.0, x * 0.0, x * 0.0
    for i in range(lamps.shape[0]):
        near = lamps[i, 3]
        lx, ly, lz = lamps[i, 0] - near * x, lamps[i, 1] - near * y, lamps[i, 2] - near * z
        far2 = lx * lx + ly * ly + lz * lz
        far = np.sqrt(far2)
        lx, ly, lz = lx / far, ly / far, lz / far
        nl = nx * lx + ny * ly + nz * lz
        reach = 1.0 + near * (1.0 / far2 - 1.0)
        if lamps[i, 7] == 0:
            reach = reach * shadow
        elif lamps[i, 7] == 1:
            reach = reach * other
        hx, hy, hz = lx + ex, ly + ey, lz + ez
        h = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
        nh = np.maximum((nx * hx + ny * hy + nz * hz) / h, 0.0)
        lh = np.maximum((lx * hx + ly * hy + lz * hz) / h, 0.1)
        around = nh * nh * (a2 - 1.0) + 1.0
        lit = np.maximum(nl, 0.0)
        lobe = np.minimum(a2 / (around * around) * 0.25 / (lh * lh), 40.0) * lit
        fresnel = np.power(1.0 - lh, 5.0)
        lambert = diffuse * np.maximum(nl + wrap, 0.0) / ((1.0 + wrap) * (1.0 + wrap))
        out_r = out_r + lamps[i, 4] * reach * (r * lambert + (fr + (1.0 - fr) * fresnel) * lobe)
        out_g = out_g + lamps[i, 5] * reach * (g * lambert + (fg + (1.0 - fg) * fresnel) * lobe)
        out_b = out_b + lamps[i, 6] * reach * (b * lambert + (fb + (1.0 - fb) * fresnel) * lobe)
    sees = 0.5 + 0.5 * (nx * up[0] + ny * up[1] + nz * up[2])
    rx, ry, rz = 2.0 * ne * nx - ex, 2.0 * ne * ny - ey, 2.0 * ne * nz - ez
    rise = rx * up[0] + ry * up[1] + rz * up[2]
    horizon = np.minimum(np.maximum(0.5 + rise / (0.15 + 1.6 * rough), 0.0), 1.0)
    bright = 1.0 + clutter * (1.0 - rough) * value_noise(3.0 * rx + 8.0, 3.0 * ry, 3.0 * rz, lattice)
    for i in range(boxes.shape[0]):
        c = rx * boxes[i, 0] + ry * boxes[i, 1] + rz * boxes[i, 2]
        edge = boxes[i, 4] + rough
        t = np.minimum(np.maximum((c - boxes[i, 3]) / edge + 0.5, 0.0), 1.0)
        bright = bright + boxes[i, 5] * t * t * (3.0 - 2.0 * t)
    grazing = np.power(1.0 - ne, 5.0) * (1.0 - 0.7 * rough)
    gloss = bright * (0.3 + 0.7 * opened)
    opened = opened * diffuse
    out_r = (
        out_r
        + r * opened * (ground[0] + (sky[0] - ground[0]) * sees)
        + (fr + (1.0 - fr) * grazing) * gloss * (ground[0] + (sky[0] - ground[0]) * horizon)
    )
    out_g = (
        out_g
        + g * opened * (ground[1] + (sky[1] - ground[1]) * sees)
        + (fg + (1.0 - fg) * grazing) * gloss * (ground[1] + (sky[1] - ground[1]) * horizon)
    )
    out_b = (
        out_b
        + b * opened * (ground[2] + (sky[2] - ground[2]) * sees)
        + (fb + (1.0 - fb) * grazing) * gloss * (ground[2] + (sky[2] - ground[2]) * horizon)
    )
    return out_r, out_g, out_b


@compiled
def _shade_each(
    p: Array,
    n: Array,
    e: Array,
    c: Array,
    rough: Array,
    metal: Array,
    f0: Array,
    wrap: Array,
    opened: Array,
    shadow: Array,
    other: Array,
    lamps: Array,
    boxes: Array,
    sky: Array,
    ground: Array,
    up: Array,
    clutter: float,
    lattice: Array,
) -> Array:
    result = np.empty((p.shape[0], 3))
    for k in range(p.shape[0]):
        result[k, 0], result[k, 1], result[k, 2] = _shade(
            p[k, 0],
            p[k, 1],
            p[k, 2],
            n[k, 0],
            n[k, 1],
            n[k, 2],
            e[k, 0],
            e[k, 1],
            e[k, 2],
            c[k, 0],
            c[k, 1],
            c[k, 2],
            rough[k],
            metal[k],
            f0[k],
            wrap[k],
            opened[k],
            shadow[k],
            other[k],
            lamps,
            boxes,
            sky,
            ground,
            up,
            clutter,
            lattice,
        )
    return result


def _shade_arrays(p: Array, n: Array, e: Array, c: Array, *rest: Array) -> Array:
    shade = cast("Callable[..., tuple[Array, Array, Array]]", _shade)
    return np.stack(shade(*p.T, *n.T, *e.T, *c.T, *rest), axis=1)


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
    hit = surface.hit
    places, normals, parts = surface.places[hit], surface.normals[hit], surface.parts[hit]
    colour = np.empty_like(places)
    for part, material in enumerate(materials):
        mine = parts == part
        if mine.any():
            colour[mine] = albedo(material, places[mine], lattice)
    stuff = np.array([(m.roughness, m.metal, m.reflectance, m.wrap) for m in materials])[parts]
    eye = view.turn[2] - view.nearness * places
    eye /= np.linalg.norm(eye, axis=1, keepdims=True)
    kernel = either(_shade_each, _shade_arrays)
    image = np.zeros((*hit.shape, 3))
    image[hit] = kernel(
        places,
        normals,
        eye,
        colour,
        *np.ascontiguousarray(stuff.T),
        opened[hit],
        shadows[0][hit],
        shadows[1][hit],
        light.lamps,
        light.boxes,
        light.sky,
        light.ground,
        light.up,
        light.clutter,
        lattice,
    )
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
