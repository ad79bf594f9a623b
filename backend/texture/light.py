# SPDX-License-Identifier: GPL-3.0-or-later
"""The light in a picture, as far as its normals explain it.

Light that comes from afar reaches a matt surface as a quadratic form of the normal: nine numbers, the second-order
spherical harmonics (Ramamoorthi and Hanrahan, An Efficient Representation for Irradiance Environment Maps, SIGGRAPH
2001). They are fitted to the picture's luminance together with one brightness for each of a few materials, which are
told apart by their colour. Highlights count little, and the fit is held to even light, so that what it cannot know
stays in the colours.
"""

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int64Array
from ..raster.oklab import oklab
from ..raster.small_systems import products, solved
from ..raster.vectors import dot

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Of linear colours, by ITU-R BT.709."""
_MATERIALS = 8
_ROUNDS = 6
HUES = 0.15
"""Of what lightness counts in telling materials apart: shade changes it, too."""
GREYS = 0.6
"""What lightness can count among greys, which have no hue to be told apart by."""
_GREY = 0.06  # chroma over lightness: with less a colour is grey
_ALIKE = 0.12  # distance below which two colours are one material
_SAME = 0.08  # distance of their means, below which two groups are one
_DARK = 0.2  # lightness below which a hue is not sure
_EVEN = 0.01  # of the pixels: how strongly the fit is held to even light
_MOST = 20_000  # pixels that are fitted
RANGE = (0.4, 1.6)
"""The darkest and the brightest light that is taken out, over the mean."""


def fit(colours: Float32Array, normals: Float32Array, inside: BoolArray) -> Float64Array:
    """Return the nine coefficients of the light; its mean over the object is 1.

    colours: float32 (H, W, 3), linear, at least 0. normals: float32 (H, W, 3), unit, z to the viewer. inside: bool (H,
    W), pixels that show the object. Even light if these are few or all black, and say nothing of it.
    """
    even = np.eye(9)[0]
    at = np.flatnonzero(inside)
    at = at[:: max(1, len(at) // _MOST)]
    pixels = colours.reshape(-1, 3)[at].astype(np.float64)
    light = dot(pixels, LUMINANCE)
    if len(at) < 100 or not light.any():
        return even
    basis = harmonics(normals.reshape(-1, 3)[at].astype(np.float64))
    material = materials(pixels)
    coefficients, weights = even, np.ones(len(at))
    for _ in range(_ROUNDS):
        shade = np.maximum(_sums(basis, coefficients), 0.1)
        brightness = np.bincount(material, weights * light * shade, _MATERIALS) / np.maximum(
            np.bincount(material, weights * shade**2, _MATERIALS), 1e-9
        )
        lit = basis * brightness[material][:, None]
        scale = float(np.mean(brightness[material] ** 2))
        hold = _EVEN * len(at) * scale * np.eye(9)
        hold[0, 0] = 0.0
        weighted = lit * weights[:, None]
        right = np.einsum("ni,n->i", weighted, light)
        coefficients = solved(products(weighted, lit) + hold, right[:, None])[:, 0]
        error = (light - _sums(lit, coefficients)) / np.maximum(brightness[material], 1e-3)
        weights = 1.0 / (1.0 + (np.where(error > 0, 2.0, 1.0) * error / 0.2) ** 2)
        coefficients = coefficients / max(float(_sums(basis, coefficients).mean()), 1e-6)
    return coefficients


def _sums(rows: Float64Array, factors: Float64Array) -> Float64Array:
    """Rows, float64 (..., N), times factors, (N,). Not by BLAS, whose last bits depend on the number of threads."""
    return np.einsum("...n,n->...", rows, factors)


def shade(coefficients: Float64Array, normals: Float32Array) -> Float32Array:
    """Return how brightly surfaces are lit, float32 (...), within `RANGE`, for normals (..., 3)."""
    return np.clip(_sums(harmonics(normals.astype(np.float64)), coefficients), *RANGE).astype(np.float32)


def harmonics(normals: Float64Array) -> Float64Array:
    """Return the nine harmonics up to the second order, float64 (..., 9), scaled to about 1."""
    x, y, z = np.moveaxis(normals, -1, 0)
    return np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=-1)


def materials(pixels: Float64Array, greys: float = HUES) -> Int64Array:
    """The material of each pixel, int64 (N,): k-means over its hue and, a little, its lightness.

    It begins at the mean and the colours farthest apart. Shade scales Oklab's three numbers, so that their ratios stay.
    Groups that are alike in the end are one, if hues alone tell them apart. pixels: float64 (N, 3), linear. greys: what
    lightness counts among colours without a hue, see `GREYS`.
    """
    lightness, hue = lightness_and_hue(pixels)
    share = HUES + (greys - HUES) * greyness(hue)
    lab = np.column_stack([share * lightness, hue])
    means = lab.mean(axis=0)[None]
    apart = _apart(lab, means[0])
    while len(means) < _MATERIALS and apart.max() >= _ALIKE**2:
        means = np.concatenate([means, lab[int(np.argmax(apart))][None]])
        apart = np.minimum(apart, _apart(lab, means[-1]))
    nearest, counts = np.zeros(len(lab), np.int64), np.zeros(len(means), np.int64)
    columns = np.ascontiguousarray(lab.T)
    for _ in range(_ROUNDS):
        nearest = np.argmin(-2 * lab @ means.T + (means**2).sum(axis=1), axis=1)
        counts = np.bincount(nearest, minlength=len(means))
        sums = np.stack([np.bincount(nearest, column, len(means)) for column in columns], axis=1)
        means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], means)
    return nearest if greys > HUES else _joined(means, counts)[nearest]


def _joined(means: Float64Array, counts: Int64Array) -> Int64Array:
    """The number that each group gets, int64 (K,): that of another one if their means are near, the nearest two first.

    The mean of all, at which one group begins, is often of no material, and takes a part of one then.
    """
    means, mass, number = means.copy(), counts.astype(np.float64), np.arange(len(means))
    while True:
        apart = ((means[:, None] - means) ** 2).sum(axis=2)
        apart[(mass == 0) | (mass == 0)[:, None]] = np.inf
        np.fill_diagonal(apart, np.inf)
        kept, gone = np.unravel_index(np.argmin(apart), apart.shape)
        if apart[kept, gone] >= _SAME**2:
            return number
        means[kept] = np.average(means[[kept, gone]], axis=0, weights=mass[[kept, gone]])
        mass[kept], mass[gone] = mass[kept] + mass[gone], 0
        number[number == gone] = kept


def _apart(places: Float64Array, place: Float64Array) -> Float64Array:
    """The squared distances of places, float64 (N, D), from one, (D,): float64 (N,)."""
    way: Float64Array = places - place
    return dot(way, way)


def greyness(hue: Float64Array) -> Float64Array:
    """How little hue there is, float64 (N,), 1 for a grey, of hues as `lightness_and_hue` gives them, (N, 2)."""
    return np.exp(-dot(hue, hue) / _GREY**2)


def lightness_and_hue(pixels: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Oklab's lightness of linear colours, (N, 3), as float64 (N,), and its other numbers over it, float64 (N, 2)."""
    tones = np.clip(pixels, 0, 1) ** (1 / 2.2) * 255
    lab = oklab(tones.astype(np.uint8)[None])[0].astype(np.float64)
    return lab[:, 0], lab[:, 1:] / np.maximum(lab[:, :1], _DARK)
