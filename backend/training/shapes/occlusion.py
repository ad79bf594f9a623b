# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the sky each place sees, and of a lamp: they change slowly, so one pixel of four tells, smoothed."""

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from ...raster.vectors import unit
from .field import distances
from .solids import Shape
from .tracing import GBuffer


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


def lit(
    shape: Shape, surface: GBuffer, light: Float64Array, *, near: bool, softness: float, pixel: float
) -> Float64Array:
    """Return how much of a light reaches each pixel, float64 (S, S) in [0, 1]; reliefs throw no shadow.

    light: its place (near) or a unit vector towards it, in the shape's space. softness: the light's radius over its
    distance, which widens the half-shadow (Quilez, "Soft shadows", 2010).
    """
    first, block = _blocks(surface.hit)
    origin: Float64Array = surface.places[first]
    toward: Float64Array = light - origin if near else np.broadcast_to(light, origin.shape)
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
