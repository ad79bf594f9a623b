# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's pixels that show the surface: where they lie on it, and how well something has shown them so far."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays import Float32Array, Float64Array, Int64Array
from ..flow.products import Camera
from ..raster.ticks import Poll
from ..raster.vectors import unit
from ..texture.atlas import pixels_of
from ..texture.bake import View, weights
from ..texture.camera import pixels
from .surface import Surface

_BATCH = 500_000  # that are projected at once


@dataclass
class Texels:
    """Pixels of an image of `size` pixels a side, and what is known of each.

    pixels: int64 (P,), flat indices from the top. points, normals: float32 (P, 3). colours: float32 (P, 3), linear.
    seen: float32 (P,), the weights of all that has shown it: 0 for what was guessed. Views change the last two.
    """

    size: int
    pixels: Int64Array
    points: Float32Array
    normals: Float32Array
    colours: Float32Array
    seen: Float32Array


class Shown(Protocol):
    """What has shown a surface already, such as a `Front`."""

    def weights(self, triangles: Int64Array, shares: Float64Array) -> Float64Array:
        """How well it has shown places, float64 (N,), by their triangles, (N,), and barycentric weights, (N, 3)."""
        ...


def texels_of(surface: Surface, shown: Shown, image: Float32Array, poll: Poll) -> Texels:
    """The texels of a surface's image, float32 (S, S, 3), linear, with how well each was shown."""
    pixel: list[Int64Array] = []
    point: list[Float32Array] = []
    normal: list[Float32Array] = []
    seen: list[Float32Array] = []
    for at, triangle, shares in pixels_of(surface.uv, len(image), poll):
        corners = surface.triangles[triangle]
        pixel.append(at)
        point.append(np.einsum("pc,pcx->px", shares, surface.points[corners]).astype(np.float32))
        normal.append(unit(np.einsum("pc,pcx->px", shares, surface.normals[corners])).astype(np.float32))
        seen.append(shown.weights(triangle, shares).astype(np.float32))
    whole, first = np.unique(np.concatenate(pixel), return_index=True)
    points, normals, known = (np.concatenate(each)[first] for each in (point, normal, seen))
    return Texels(len(image), whole, points, normals, image.reshape(-1, 3)[whole].copy(), known)


def seen_by(
    surface: Surface, points: Float32Array, normals: Float32Array, camera: Camera, view: View, poll: Poll
) -> tuple[Float64Array, Float32Array]:
    """How well a camera sees places, float32 (P, 3) with normals: the columns and rows, float64 (P, 2), and weights.

    The weights, float32 (P,), are the cosine's fourth power, or 0 for what is hidden; see `texture.bake`.
    """
    shape = view.depths.shape
    places, found = np.empty((len(points), 2)), np.empty(len(points), np.float32)
    for first in range(0, len(points), _BATCH):
        poll()
        part = slice(first, first + _BATCH)
        point, normal = points[part].astype(np.float64), normals[part].astype(np.float64)
        there = pixels(point, camera, (shape[0], shape[1]))
        places[part] = there[:, :2]
        found[part] = weights(there, surface.cosines(point, normal, camera), view)
    return places, found
