# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: PLR0917 - kernels take plain numbers, in order
"""What light reaches a surface: how much of the sky each place sees, and what stands between it and a lamp.

Both change slowly, so that one pixel of four is asked, and the answers are smoothed.
"""

import numpy as np
from numpy.typing import NDArray

from .compiled import Array, Reals, certain, compiled, either
from .march import LATTICE, Surface
from .solids import Shape, distance


def openness(shape: Shape, surface: Surface, pixel: float) -> Array:
    """Return about the share of the sky that each pixel's surface sees, float64 (S, S) in [0, 1].

    Distances along the normal that fall short of the way gone tell of something near (Evans, "Fast approximations for
    global illumination on dynamic scenes", 2006).
    """
    first, block = _blocks(surface.hit)
    kernel = either(_open_each, _open_at)
    places, normals = surface.places[first].T, surface.normals[first].T
    fine = int(shape.bumps > 0)
    return _spread(kernel(*places, *normals, shape.rows, shape.outlines, fine, pixel, LATTICE), block, surface.hit)


def lit(shape: Shape, surface: Surface, light: Array, *, near: bool, softness: float, pixel: float) -> Array:
    """Return how much of a light reaches each pixel, float64 (S, S) in [0, 1]; reliefs throw no shadow.

    light: where it is (near) or a unit vector towards it, in the shape's space. softness: the light's radius over its
    distance, which widens the half-shadow (Quilez, "Soft shadows", 2010).
    """
    first, block = _blocks(surface.hit)
    kernel = either(_lit_each, _lit_at)
    toward = light - surface.places[first] if near else np.broadcast_to(light, surface.places[first].shape)
    toward = toward / np.linalg.norm(toward, axis=-1, keepdims=True)
    start = 1.2 * shape.bumps + 2.0 * pixel
    places = surface.places[first] + start * surface.normals[first]
    return _spread(
        kernel(*places.T, *toward.T, softness, shape.rows, shape.outlines, pixel, LATTICE), block, surface.hit
    )


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


@compiled
def _open_at(
    x: Reals,
    y: Reals,
    z: Reals,
    nx: Reals,
    ny: Reals,
    nz: Reals,
    rows: Array,
    outlines: Array,
    fine: int,
    pixel: float,
    lattice: Array,
) -> Reals:
    blocked, weight = x * 0.0, 1.0
    for k in range(4):
        far = 0.02 + 0.3 * (k / 3.0) ** 1.6
        d, _ = distance(x + far * nx, y + far * ny, z + far * nz, rows, outlines, fine, pixel, lattice)
        blocked = blocked + weight * np.maximum(far - d, 0.0) / far
        weight *= 0.7
    return np.maximum(1.0 - blocked / 2.0, 0.0)


@compiled
def _open_each(
    x: Array,
    y: Array,
    z: Array,
    nx: Array,
    ny: Array,
    nz: Array,
    rows: Array,
    outlines: Array,
    fine: int,
    pixel: float,
    lattice: Array,
) -> Array:
    result = np.empty(len(x))
    for k in range(len(x)):
        result[k] = _open_at(x[k], y[k], z[k], nx[k], ny[k], nz[k], rows, outlines, fine, pixel, lattice)
    return result


@compiled
def _lit_at(
    x: Reals,
    y: Reals,
    z: Reals,
    dx: Reals,
    dy: Reals,
    dz: Reals,
    softness: Reals,
    rows: Array,
    outlines: Array,
    pixel: float,
    lattice: Array,
) -> Reals:
    t, reached = x * 0.0 + 2.0 * pixel, x * 0.0 + 1.0
    for _ in range(16):
        d, _ = distance(x + t * dx, y + t * dy, z + t * dz, rows, outlines, 0, pixel, lattice)
        if certain((reached <= 0.0) | (t > 2.0)):
            break
        reached = np.minimum(reached, 0.5 + 0.5 * d / (softness * t))
        t = t + np.minimum(np.maximum(d, 0.02), 0.3)
    reached = np.maximum(reached, 0.0)
    return reached * reached * (3.0 - 2.0 * reached)


@compiled
def _lit_each(
    x: Array,
    y: Array,
    z: Array,
    dx: Array,
    dy: Array,
    dz: Array,
    softness: Array,
    rows: Array,
    outlines: Array,
    pixel: float,
    lattice: Array,
) -> Array:
    result = np.empty(len(x))
    for k in range(len(x)):
        result[k] = _lit_at(x[k], y[k], z[k], dx[k], dy[k], dz[k], softness, rows, outlines, pixel, lattice)
    return result
