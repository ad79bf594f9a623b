# SPDX-License-Identifier: GPL-3.0-or-later
"""What light reaches a surface: how much of the sky each place sees, and what stands between it and a lamp.

Both change slowly, so that one pixel of four is asked, and the answers are smoothed.
"""

import numpy as np
from numpy.typing import NDArray

from .compiled import Array
from .march import LATTICE, Surface
from .packets import distances
from .solids import Shape


def openness(shape: Shape, surface: Surface, pixel: float) -> Array:
    """Return about the share of the sky that each pixel's surface sees, float64 (S, S) in [0, 1].

    Distances along the normal that fall short of the way gone tell of something near (Evans, "Fast approximations for
    global illumination on dynamic scenes", 2006).
    """
    first, block = _blocks(surface.hit)
    places, normals = surface.places[first].T, surface.normals[first].T
    fine = int(shape.bumps > 0)
    blocked, weight = np.zeros(places.shape[1]), 1.0
    for k in range(4):
        far = 0.02 + 0.3 * (k / 3.0) ** 1.6
        d, _ = distances(*(places + far * normals), shape.rows, shape.outlines, fine, pixel, LATTICE)
        blocked += weight * np.maximum(far - d, 0.0) / far
        weight *= 0.7
    return _spread(np.maximum(1.0 - blocked / 2.0, 0.0), block, surface.hit)


def lit(shape: Shape, surface: Surface, light: Array, *, near: bool, softness: float, pixel: float) -> Array:
    """Return how much of a light reaches each pixel, float64 (S, S) in [0, 1]; reliefs throw no shadow.

    light: where it is (near) or a unit vector towards it, in the shape's space. softness: the light's radius over its
    distance, which widens the half-shadow (Quilez, "Soft shadows", 2010).
    """
    first, block = _blocks(surface.hit)
    toward = light - surface.places[first] if near else np.broadcast_to(light, surface.places[first].shape)
    toward = toward / np.linalg.norm(toward, axis=-1, keepdims=True)
    start = 1.2 * shape.bumps + 2.0 * pixel
    places = (surface.places[first] + start * surface.normals[first]).T
    return _spread(_reaching(places, toward.T, softness, shape, pixel), block, surface.hit)


def _reaching(places: Array, toward: Array, softness: float, shape: Shape, pixel: float) -> Array:
    """Return how much of a light in the directions `toward` (3, K) reaches places (3, K)."""
    reached, t = np.ones(places.shape[1]), np.full(places.shape[1], 2.0 * pixel)
    going = np.arange(len(t))
    for _ in range(16):
        d, _ = distances(
            *(places[:, going] + t[going] * toward[:, going]), shape.rows, shape.outlines, 0, pixel, LATTICE
        )
        reached[going] = np.minimum(reached[going], 0.5 + 0.5 * d / (softness * t[going]))
        t[going] += np.clip(d, 0.02, 0.3)
        going = going[(reached[going] > 0.0) & (t[going] <= 2.0)]
        if len(going) == 0:
            break
    reached = np.maximum(reached, 0.0)
    return reached * reached * (3.0 - 2.0 * reached)


def _blocks(hit: NDArray[np.bool_]) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """Return the first pixel that is hit of each block of 2 x 2, and the number of each pixel's block."""
    rows, columns = np.nonzero(hit)
    keys = (rows // 2) * hit.shape[1] + columns // 2
    _, first, block = np.unique(keys, return_index=True, return_inverse=True)
    return (rows[first], columns[first]), block


def _spread(values: Array, block: NDArray[np.int64], hit: NDArray[np.bool_]) -> Array:
    """Give the blocks' values to their pixels, averaged over each pixel's 3 x 3 neighbours that are hit."""
    sums, weights = np.zeros(hit.shape), hit.astype(np.float64)
    sums[hit] = values[block]
    for array in (weights, sums):
        for axis in (0, 1):
            wide = np.pad(array, [(1, 1) if axis == k else (0, 0) for k in (0, 1)])
            array[:] = (
                wide.take(range(array.shape[axis]), axis) + array + wide.take(range(2, array.shape[axis] + 2), axis)
            )
    return np.where(hit, sums / np.maximum(weights, 1.0), 0.0)
