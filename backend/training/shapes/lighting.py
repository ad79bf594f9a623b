# SPDX-License-Identifier: GPL-3.0-or-later
"""Lamps, sky and surroundings, and what a surface reflects of them to the camera.

Diffuse light after Lambert, gloss as one GGX lobe (Walter et al., "Microfacet models for refraction", 2007) with
Schlick's Fresnel and Kelemen's visibility; around are a sky, a ground and soft boxes, blurred by the roughness.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from ...raster.vectors import unit
from .compiled import Table, compiled
from .distances import Vector, clamp, dot, length, smoothstep
from .field import distances
from .materials import albedo
from .reliefs import LATTICE, value_noise
from .solids import Shape
from .tracing import Camera, GBuffer

Key = tuple[Float64Array, bool, float]
"""A main lamp: its place or direction, whether it is near, and its softness (see `lit`)."""


class Light(NamedTuple):
    """What falls on a shape: lamps (L, 8), bright soft boxes (B, 6), colours (3) of sky and ground, how clutter varies.

    A lamp: its unit direction or (near is 1) place in the shape's space, near, colour, shadow: 0 for none, or a key's.
    A box: its unit direction, cosine of its half angle, width of its edge, brightness.
    """

    lamps: Float64Array
    boxes: Float64Array
    sky: Float64Array
    ground: Float64Array
    clutter: float


@compiled
def _from_lamp(p: Vector, n: Vector, e: Vector, at: Vector, near: float, rough: float, wrap: float) -> Vector:
    """Return what comes of a lamp: diffusely, in the gloss head on, and what Fresnel adds to the gloss.

    p: the place; n: its normal; e: the way to the eye; at: a way to the lamp or (near is 1) its place.
    """
    lx, ly, lz = at[0] - near * p[0], at[1] - near * p[1], at[2] - near * p[2]
    far2 = lx * lx + ly * ly + lz * lz
    far = np.sqrt(far2)
    lx, ly, lz = lx / far, ly / far, lz / far
    nl = dot(n, (lx, ly, lz))
    reach = 1.0 + near * (1.0 / far2 - 1.0)
    half = (lx + e[0], ly + e[1], lz + e[2])
    h = length(half[0], half[1], half[2]) + 1e-9
    nh = np.maximum(dot(n, half) / h, 0.0)
    lh = np.maximum((lx * half[0] + ly * half[1] + lz * half[2]) / h, 0.1)
    a2 = rough * rough * rough * rough
    around = nh * nh * (a2 - 1.0) + 1.0
    lobe = np.minimum(a2 / (around * around) * 0.25 / (lh * lh), 40.0) * np.maximum(nl, 0.0) * reach
    lambert = reach * np.maximum(nl + wrap, 0.0) / ((1.0 + wrap) * (1.0 + wrap))
    f = 1.0 - lh
    return lambert, lobe, lobe * (f * f * f * f * f)


@compiled
def _reflected(colour: float, metal: float, f0: float, lambert: float, lobe: float, fresnel: float) -> float:
    """Return what a surface reflects of the light that reaches it (`_from_lamp`), in one of its colour's channels."""
    head_on = f0 + (colour - f0) * metal
    return colour * (1.0 - metal) * lambert + head_on * (lobe - fresnel) + fresnel


@compiled
def _shade(
    seen: tuple[Float64Array, ...], colours: Float64Array, shadows: Float64Array, light: Light, lattice: Float64Array
) -> Float64Array:
    """Return the light that K places send to the eye, linear (3, K); the loops over places are innermost.

    seen: (K) each: places, normals, ways to the eye, roughness, metal, reflectance, wrap, how open the sky is. colours:
    (3, K), own ones. shadows: (3, K), what comes through: 1, and of the first and of the second key.
    """
    x, y, z, nx, ny, nz, ex, ey, ez, rough, metal, f0, wrap, opened = seen
    count = len(rough)
    out, w = np.zeros((3, count)), np.empty((5, count))
    a, b, c, bright, grazing = w[0], w[1], w[2], w[3], w[4]
    for i in range(len(light.lamps)):
        lamp = light.lamps[i]
        at, near, shadow = (lamp[0], lamp[1], lamp[2]), lamp[3], shadows[int(lamp[7])]
        for k in range(count):
            p, n, e = (x[k], y[k], z[k]), (nx[k], ny[k], nz[k]), (ex[k], ey[k], ez[k])
            a[k], b[k], c[k] = _from_lamp(p, n, e, at, near, rough[k], wrap[k])
        for channel in range(3):
            line, colour, power = out[channel], colours[channel], lamp[4 + channel]
            for k in range(count):
                line[k] += power * shadow[k] * _reflected(colour[k], metal[k], f0[k], a[k], b[k], c[k])
    for k in range(count):  # the mirrored way to the eye, how bright the surroundings are there, and Fresnel's share
        ne = np.maximum(nx[k] * ex[k] + ny[k] * ey[k] + nz[k] * ez[k], 1e-3)
        u, v, w_ = 2.0 * ne * nx[k] - ex[k], 2.0 * ne * ny[k] - ey[k], 2.0 * ne * nz[k] - ez[k]
        noise = value_noise(3.0 * u + 8.0, 3.0 * v, 3.0 * w_, lattice)
        a[k], b[k], c[k], bright[k] = u, v, w_, 1.0 + light.clutter * (1.0 - rough[k]) * noise
        f = 1.0 - ne
        grazing[k] = f * f * f * f * f * (1.0 - 0.7 * rough[k])
    for i in range(len(light.boxes)):
        box = light.boxes[i]
        u, v, w_, inner, edge, power = box[0], box[1], box[2], box[3], box[4], box[5]
        for k in range(count):
            cosine = a[k] * u + b[k] * v + c[k] * w_
            bright[k] += power * smoothstep((cosine - inner) / (edge + rough[k]) + 0.5)
    for channel in range(3):
        line, colour, low, high = out[channel], colours[channel], light.ground[channel], light.sky[channel]
        for k in range(count):
            horizon = clamp(0.5 + b[k] / (0.15 + 1.6 * rough[k]), 0.0, 1.0)
            gloss = bright[k] * (0.3 + 0.7 * opened[k]) * (low + (high - low) * horizon)
            diffuse = opened[k] * (low + (high - low) * (0.5 + 0.5 * ny[k]))
            line[k] += _reflected(colour[k], metal[k], f0[k], diffuse, gloss, gloss * grazing[k])
    return out


def shine(
    surface: GBuffer, camera: Camera, opened: Float64Array, shadows: list[Float64Array], materials: Table, light: Light
) -> Float64Array:
    """Return what the camera sees of a surface, linear (S, S, 3), zeros where nothing is hit.

    opened: (S, S), the share of the sky that each pixel sees. shadows: two of (S, S), how much of a key comes through.
    """
    hit = surface.hit
    parts = surface.parts[hit]
    places, normals = (np.ascontiguousarray(lines[hit].T) for lines in (surface.places, surface.normals))
    ways = camera.turn[2][:, None] - camera.nearness * places
    ways /= np.sqrt(ways[0] * ways[0] + ways[1] * ways[1] + ways[2] * ways[2])
    own = (materials[name][parts] for name in ("roughness", "metal", "reflectance", "wrap"))
    through = np.stack([np.ones(len(parts)), shadows[0][hit], shadows[1][hit]])
    seen = (*places, *normals, *ways, *own, opened[hit])
    image = np.zeros((*hit.shape, 3))
    image[hit] = _shade(seen, albedo(places, parts, materials, LATTICE), through, light, LATTICE).T
    return image


def towards(camera: Camera, azimuth: float, elevation: float) -> Float64Array:
    """Return the unit direction, in the shape's space, that is so far right of and above the camera (radians)."""
    x, y = np.sin(azimuth) * np.cos(elevation), np.sin(elevation)
    return np.array([x, y, np.cos(azimuth) * np.cos(elevation)]) @ camera.turn


def draw_key(rng: np.random.Generator, camera: Camera) -> Key:
    """Draw a main lamp."""
    near = rng.random() < 0.3
    way = towards(camera, rng.normal(0.0, 0.8), rng.uniform(-0.1, 1.3))
    return way * (rng.uniform(1.6, 4.0) if near else 1.0), near, float(np.exp(rng.uniform(np.log(0.03), np.log(0.5))))


def draw_light(rng: np.random.Generator, camera: Camera, keys: list[Key]) -> Light:
    """Draw how a picture is lit. keys: the two lamps whose shadows are known."""
    kind = rng.choice(6, p=(0.27, 0.13, 0.16, 0.24, 0.08, 0.12))  # studio, sun, sky, one lamp, rim, several
    lamps: list[tuple[float, ...]] = []
    ambient = (0.35, 0.3, 1.0, rng.uniform(0.0, 0.12), 0.12, 0.25)[kind] * rng.uniform(0.6, 1.4)
    which = int(rng.integers(2))
    if kind != 2:
        lamps.append(_lamp(rng, keys[which], rng.uniform(0.8, 1.4), which + 1 if rng.random() < 0.65 else 0))
    if kind in (0, 5):
        lamps.append(_lamp(rng, keys[1 - which], rng.uniform(0.15, 0.7), 2 - which if rng.random() < 0.5 else 0))
    for _ in range(int(rng.integers(1, 3)) if kind == 5 else int(kind == 4) * 2):
        behind = kind == 4 or rng.random() < 0.5
        azimuth = rng.choice((-1.0, 1.0)) * (rng.uniform(1.7, 2.6) if behind else rng.uniform(0.0, 1.6))
        way = towards(camera, azimuth, rng.uniform(-0.2, 1.0))
        lamps.append(_lamp(rng, (way, False, 0.0), rng.uniform(0.2, 0.9), 0))
    if kind == 2 and rng.random() < 0.5:
        lamps.append(_lamp(rng, keys[which], rng.uniform(0.1, 0.5), which + 1))
    sky = ambient * _tint(rng, 0.15)
    boxes: list[tuple[float, ...]] = []
    for _ in range(int(rng.integers(0, 5))):
        way = towards(camera, rng.uniform(-2.5, 2.5), rng.uniform(-0.3, 1.4))
        boxes.append((*way, rng.uniform(0.75, 0.98), rng.uniform(0.01, 0.15), rng.uniform(1.0, 8.0)))
    ground = sky * rng.uniform(0.05, 0.9) * _tint(rng, 0.15)
    rows = np.array(lamps).reshape(-1, 8), np.array(boxes).reshape(-1, 6)
    return Light(*rows, sky, ground, rng.uniform(0.0, 0.9))


def _lamp(rng: np.random.Generator, key: Key, power: float, shadow: int) -> tuple[float, ...]:
    at, near, _ = key
    return *at, near, *(power * (float(at @ at) if near else 1.0) * _tint(rng, 0.12)), shadow


def _tint(rng: np.random.Generator, strength: float) -> Float64Array:
    return 1.0 + strength * rng.normal(size=3).clip(-2, 2) * np.array([1.0, 0.4, 1.0])


def openness(shape: Shape, surface: GBuffer, pixel: float) -> Float64Array:
    """Return about the share of the sky that each pixel's surface sees, float64 (S, S) in [0, 1].

    If something is near, distances along the normal are shorter than the way gone (Evans, "Fast approximations for
    global illumination on dynamic scenes", 2006).
    """
    first, block = _blocks(surface.hit)
    places, normals = surface.places[first].T, surface.normals[first].T
    blocked, weight = np.zeros(places.shape[1]), 1.0
    for k in range(4):
        far = 0.02 + 0.3 * (k / 3.0) ** 1.6
        d = distances(places + far * normals, shape, int(shape.bumps > 0), pixel)
        blocked += weight * np.maximum(far - d, 0.0) / far
        weight *= 0.7
    return _spread(np.maximum(1.0 - blocked / 2.0, 0.0), block, surface.hit)


def lit(shape: Shape, surface: GBuffer, at: Float64Array, *, near: bool, softness: float, pixel: float) -> Float64Array:
    """Return how much of a light reaches each pixel, float64 (S, S) in [0, 1]; reliefs throw no shadow.

    at: its place (near) or a unit vector towards it, in the shape's space. softness: the light's radius over its
    distance, which widens the half-shadow (Quilez, "Soft shadows", 2010).
    """
    first, block = _blocks(surface.hit)
    origin: Float64Array = surface.places[first]
    toward: Float64Array = at - origin if near else np.broadcast_to(at, origin.shape)
    toward = unit(toward).T
    places = (origin + (1.2 * shape.bumps + 2.0 * pixel) * surface.normals[first]).T
    reached, t = np.ones(places.shape[1]), np.full(places.shape[1], 2.0 * pixel)
    going = np.arange(len(t))
    for _ in range(16):
        d = distances(places[:, going] + t[going] * toward[:, going], shape, 0, pixel)
        reached[going] = np.minimum(reached[going], 0.5 + 0.5 * d / (softness * t[going]))
        t[going] += np.clip(d, 0.02, 0.3)
        going = going[(reached[going] > 0.0) & (t[going] <= 2.0)]
        if len(going) == 0:
            break
    reached = np.maximum(reached, 0.0)
    return _spread(reached * reached * (3.0 - 2.0 * reached), block, surface.hit)


def _blocks(hit: BoolArray) -> tuple[tuple[Int64Array, ...], Int64Array]:
    """Return the first pixel that is hit of each block of 2 x 2, and the number of each pixel's block."""
    rows, columns = np.nonzero(hit)
    keys = (rows // 2) * hit.shape[1] + columns // 2
    _, first, block = np.unique(keys, return_index=True, return_inverse=True)
    return (rows[first], columns[first]), block


def _spread(values: Float64Array, block: Int64Array, hit: BoolArray) -> Float64Array:
    """Give the blocks' values to their pixels, averaged over each pixel's 3 x 3 neighbours that are hit."""
    sums, weights = np.zeros(hit.shape), hit.astype(np.float64)
    sums[hit] = values[block]
    for array in (weights, weights.T, sums, sums.T):
        wide = np.pad(array, ((1, 1), (0, 0)))
        array[:] = wide[:-2] + array + wide[2:]
    return np.where(hit, sums / np.maximum(weights, 1.0), 0.0)
