# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera sees of a surface in its colours, and how near each pixel's place is."""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array
from ..flow.products import Camera
from ..raster.ticks import Poll
from ..texture.bake import sample
from ..texture.camera import pixels
from ..texture.raster import Seen, look
from .surface import Surface

GROUND = np.array([126, 129, 127], np.float32) / 255
"""The colour around the object in coarse views: that of HiFi-123's program."""
_FARTHEST = 0.5  # the depth of the farthest point there can be, if the nearest is 1 and what lies around is 0
_FINE = 2  # pixels of a z-buffer along a side of a picture's


@dataclass(frozen=True)
class Rendering:
    """A picture of a surface.

    colours: float32 (N, N, 3), sRGB in [0, 1]; around the object `GROUND`. cover: float32 (N, N), how much of a pixel
    shows the object. depth: float32 (N, N), more is nearer; around the object 0. known: float32 (N, N), how well what a
    pixel shows has been seen before, see `texels`; around the object 0.
    """

    colours: Float32Array
    cover: Float32Array
    depth: Float32Array
    known: Float32Array

    @property
    def mask(self) -> BoolArray:
        """The object's pixels."""
        return self.cover > 0.5


def look_at(surface: Surface, camera: Camera, size: int, poll: Poll) -> Seen:
    """What the pixels of a square picture see."""
    shape = (size, size)
    places = pixels(surface.points, camera, shape)
    return look(places, surface.triangles, shape, perspective=camera.fov > 0, poll=poll)


def places_in_image(surface: Surface, seen: Seen) -> Float64Array:
    """Where the pixels that see the surface find it in its image, float64 (P, 2), (0, 0) bottom left."""
    there = seen.triangles >= 0
    corners = surface.uv[seen.triangles[there]].astype(np.float64)
    return np.einsum("pc,pcx->px", seen.weights[there], corners)


def render(surface: Surface, image: Float32Array, camera: Camera, size: int, poll: Poll) -> Rendering:
    """Draw a surface in its image, float32 (S, S, 4): colours, sRGB in [0, 1], and how well each has been seen."""
    fine = size * _FINE
    seen = look_at(surface, camera, fine, poll)
    poll()
    there, place = seen.triangles >= 0, places_in_image(surface, seen) * len(image)
    drawn = np.zeros((fine, fine, 6), np.float32)
    drawn[there, :4] = sample(image, place[:, 0], len(image) - place[:, 1])
    drawn[there, 4] = depth_of((surface.distance - seen.depths[there]) / surface.radius)
    drawn[there, 5] = 1.0
    small = drawn.reshape(size, _FINE, size, _FINE, 6).mean(axis=(1, 3), dtype=np.float32)
    cover = small[..., 5]
    colours: Float32Array = small[..., :3] + (1 - cover[..., None]) * GROUND
    return Rendering(colours, cover, small[..., 4], small[..., 3])


def depth_of(nearness: Float64Array) -> Float64Array:
    """Depths of the object, for the network, from how much nearer places are than its middle, in its radii.

    The same for every view, so that views and reference agree.
    """
    return _FARTHEST + (1 - _FARTHEST) * (np.clip(nearness, -1, 1) + 1) / 2
