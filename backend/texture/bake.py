# SPDX-License-Identifier: GPL-3.0-or-later
"""From pictures onto a surface: which points a picture sees, how well, and the colours that they get.

A point is seen if its depth is that of the z-buffer at its pixel. Grazing surface is left out, as a pixel is stretched
over much of it, and so is the rim of the silhouette, whose pixels mix the object with what is behind it.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array
from ..raster.morphology import eroded
from ..raster.vectors import by_column

GRAZING = np.cos(np.radians(75.0))
"""The least cosine between a surface's normal and the way to the camera."""
RIM = 2
"""Pixels of the silhouette's rim that are left out."""
SQUARE = 0.25
"""The cosine's fourth power in the first view from which on only that view counts."""


@dataclass(frozen=True)
class View:
    """What a camera sees of a mesh.

    depths: float64 (H, W), the z-buffer, infinite for the background. kept: float (H, W) in [0, 1], how far a pixel may
    be used. tolerance: by how much a seen point's depth may differ from the z-buffer's; it has to be about a pixel's
    footprint. weight: how much the view counts.
    """

    depths: Float64Array
    kept: Float32Array
    tolerance: float
    weight: float = 1.0


def without_rim(mask: BoolArray, radius: int = RIM) -> BoolArray:
    """The pixels of a silhouette, bool (H, W), but for its rim; outside of the picture nothing is seen."""
    return eroded(np.pad(mask, radius), radius)[radius:-radius, radius:-radius]


def weights(places: Float64Array, cosines: Float64Array, view: View) -> Float64Array:
    """How well a view sees points, float64 (N,): the cosine's fourth power times the weights of pixel and view, or 0.

    places: float64 (N, 3), column, row and depth. cosines: float64 (N,), between the normal and the way to the camera.
    """
    height, width = view.depths.shape
    column, row = np.floor(places[:, 0]), np.floor(places[:, 1])
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    at = np.where(inside, row * width + column, 0).astype(np.intp)
    near = np.abs(places[:, 2] - view.depths.take(at)) < view.tolerance
    seen = inside & near & (cosines > GRAZING)
    return np.where(seen, np.maximum(cosines, 0.0) ** 4 * view.kept.take(at) * view.weight, 0.0)


def sample(image: Float32Array, columns: Float64Array, rows: Float64Array) -> Float32Array:
    """Bilinear values of an image (H, W, C) at places in pixels, float32 (N, C); the outermost pixels go on."""
    height, width = image.shape[:2]
    x = np.clip(columns - 0.5, 0.0, width - 1.0)
    y = np.clip(rows - 0.5, 0.0, height - 1.0)
    left, top = np.minimum(x.astype(np.intp), max(width - 2, 0)), np.minimum(y.astype(np.intp), max(height - 2, 0))
    right, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    beside, below = min(width - 1, 1), min(height - 1, 1)
    pixels, at = image.reshape(height * width, -1), top * width + left
    upper, lower = (
        _between(pixels.take(row, axis=0), pixels.take(row + beside, axis=0), right) for row in (at, at + below * width)
    )
    return _between(upper, lower, down)


def _between(one: Float32Array, other: Float32Array, share: Float32Array) -> Float32Array:
    """Values between two, float32 (N, C), at shares of the way, float32 (N,)."""
    return by_column(np.multiply, one, 1 - share) + by_column(np.multiply, other, share)


def blend(weights: Float64Array, colours: Float64Array, strength: float = 1.0) -> Float64Array:
    """The weighted mean of the views' colours, float64 (N, C); 0 where no view sees anything.

    weights: float64 (K, N). colours: float64 (K, N, C). strength: the weight of the first view. Where that sees the
    surface squarely, it alone counts.
    """
    weights = weights.copy()
    weights[1:, weights[0] > SQUARE * strength] = 0.0
    total = weights.sum(axis=0)
    return np.einsum("kn,knc->nc", weights, colours) / np.maximum(total, 1e-12)[:, None]
