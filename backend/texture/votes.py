# SPDX-License-Identifier: GPL-3.0-or-later
"""Which colour most likely goes on at a place, by the votes of the places where colours are known.

A place votes less the farther it is, and much less above and below: things are more alike around their upright axis
than along it, as a scarf, a hat's brim and a waist are. What wins is a mode, not the mean: a few steps of mean shift in
colour (Comaniciu and Meer, Mean Shift, PAMI 2002), from the mean of the votes on. So red beside blue stays one of both.
On a surface, what lies in front of it votes less, too: between the two is air, as between a body and the arm beside it.

Places are gathered into cells, and cells vote.
"""

import numpy as np

from ..arrays import Float32Array, Float64Array, Int64Array
from ..raster.matmul import MatMul, fastest
from ..raster.side_by_side import in_order
from ..raster.ticks import Poll
from ..raster.vectors import dot, unit

_CELLS = 32  # along the longest side
_UPRIGHT = 3.0  # how much farther a place above or below is than one beside
_FADES = 3.0  # the power of the distance by which votes grow less
_ACROSS = 20.0  # what lies straight in front of a surface has its votes divided by one more than that
_SPREADS = (0.3, 0.24, 0.18, 0.14, 0.12)  # of colours that vote together, sRGB
_BATCH = 1 << 18  # pairs of cells that are compared at once, and so stay in the processor's cache


def likely(
    wanted: Float64Array,
    known: Float64Array,
    colours: Float64Array,
    weights: Float64Array,
    upright: int,
    poll: Poll,
    *,
    normals: Float64Array | None = None,
) -> Float64Array:
    """Return colours for the wanted places, float64 (N, 3).

    wanted: float64 (N, D), known: float64 (M, D), places in one unit. colours: float64 (M, 3), sRGB in [0, 1], and
    weights: float64 (M,), above 0. upright: the axis, of the D, that is upright. At least one place is known.
    normals: float64 (N, D), unit, outward, at the wanted places, if these are on a surface.
    """
    low = np.minimum(wanted.min(axis=0), known.min(axis=0))
    high = np.maximum(wanted.max(axis=0), known.max(axis=0))
    cell = max(float((high - low).max()) / _CELLS, 1e-12)
    of = _cells((known - low) / cell)
    mass = np.bincount(of, weights)
    tones, there = _means(colours, of, weights), _means(known - low, of, weights) / cell
    which = _cells((wanted - low) / cell)
    asked = _means(wanted - low, which, np.ones(len(which))) / cell
    stretch = np.ones(known.shape[1])
    stretch[upright] = _UPRIGHT
    out = np.zeros_like(asked) if normals is None else unit(_means(normals, which, np.ones(len(which)))) / stretch
    there, asked, tones, out = (part.astype(np.float32) for part in (there * stretch, asked * stretch, tones, out))
    mass = mass.astype(np.float32)
    multiply = fastest()  # the same with any number of threads, as `@` is not

    def voted(part: slice) -> Float32Array:
        to, away = asked[part], out[part]
        apart = np.maximum(_apart(to, there, multiply), 0) + 1
        votes = mass / apart ** np.float32(_FADES / 2)
        if normals is not None:
            front = multiply(away, np.ascontiguousarray(there.T)) - dot(away, to)[:, None]
            votes /= 1 + np.float32(_ACROSS) * np.maximum(front, 0) ** 2 / apart
        means = multiply(votes, tones) / votes.sum(axis=1, keepdims=True)
        for spread in _SPREADS:
            alike = votes * np.exp(_apart(means, tones, multiply) / np.float32(-2 * spread**2))
            means = multiply(alike, tones) / np.maximum(alike.sum(axis=1, keepdims=True), np.float32(1e-30))
        return means

    step = max(1, _BATCH // len(mass))
    parts = (slice(first, first + step) for first in range(0, len(asked), step))
    return np.concatenate(list(in_order(voted, parts, poll)))[which].astype(np.float64)


def _apart(one: Float32Array, other: Float32Array, multiply: MatMul) -> Float32Array:
    """The squared distances between places, float32 (N, D) and (M, D): float32 (N, M)."""
    apart = multiply(-2 * one, np.ascontiguousarray(other.T))
    apart += dot(one, one)[:, None]
    apart += dot(other, other)
    return apart


def _cells(places: Float64Array) -> Int64Array:
    """Which cell each place is in, int64 (N,), from 0 without gaps."""
    cells = np.floor(places).astype(np.int64)
    key = cells @ (2 * _CELLS) ** np.arange(cells.shape[1])
    return np.unique(key, return_inverse=True)[1].reshape(-1)


def _means(values: Float64Array, of: Int64Array, weights: Float64Array) -> Float64Array:
    total = np.bincount(of, weights)[:, None]
    return np.stack([np.bincount(of, weights * column) for column in values.T], axis=1) / total
