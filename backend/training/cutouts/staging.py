# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up shape as it stands before a camera: what is seen of it, the floor about it, and the shadows on both."""

from typing import Literal, NamedTuple

import numpy as np

from ...arrays import Float64Array
from ..shapes import draw_camera
from ..shapes.lighting import Key, draw_key, lit, openness
from ..shapes.sculptures import draw_shape
from ..shapes.solids import Shape
from ..shapes.tracing import Camera, GBuffer, look

_COVERED = (0.03, 0.85)  # of the picture
_ROOM, _CLOSE = (1.15, 2.0), (0.6, 1.1)  # the picture's side over the object's
_HARD, _SOFT = 0.02, (0.15, 0.5)  # of a lamp: its radius over its distance
_FAR = 2.5  # radii of the shape: there the floor's shading has gone over into the wall's


Framing = Literal["whole", "cut off", "close"]
"""The object with room about it; some of it below the picture; about as large as the picture or larger."""


class Stage(NamedTuple):
    """A shape on a floor, S x S pixels.

    surface, floor: what the camera sees of the shape, and of the floor beside it. keys: two main lamps. opened: the
    share of the sky that the surface sees. shadows: two, how much of a key comes through. shade: how much of the first
    key and of the sky reaches the floor, 1 away from the shape: float64 (S, S) each.
    """

    shape: Shape
    camera: Camera
    surface: GBuffer
    floor: GBuffer
    keys: list[Key]
    opened: Float64Array
    shadows: list[Float64Array]
    shade: Float64Array


def draw_stage(rng: np.random.Generator, size: int, framing: Framing = "whole", *, hard: bool = False) -> Stage:
    """Draw a shape and look at it. hard: its shadow is sharp."""
    while True:
        shape = draw_shape(rng)
        camera = _placed(rng, draw_camera(rng, shape), framing)
        surface = look(shape, camera, size)
        if _COVERED[0] < surface.hit.mean() < _COVERED[1]:
            break
    pixel = 2 * camera.half / size
    floor = _floor(shape, camera, surface)
    keys = [draw_key(rng, camera) for _ in range(2)]
    soft = _HARD if hard else float(rng.uniform(*_SOFT))
    shadows = [lit(shape, surface, at, near=near, softness=soft, pixel=pixel) for at, near, _ in keys]
    shade = _shade(rng, shape, floor, keys[0], soft, pixel)
    return Stage(shape, camera, surface, floor, keys, openness(shape, surface, pixel), shadows, shade)


def _placed(rng: np.random.Generator, camera: Camera, framing: Framing) -> Camera:
    half = camera.half * rng.uniform(*(_CLOSE if framing == "close" else _ROOM))
    room = half - camera.half
    x, y = camera.centre
    move = rng.uniform(-0.7, 0.7) * room, rng.uniform(-0.5, 0.5) * room
    if framing == "cut off":
        move = move[0], room + rng.uniform(0.2, 0.6) * camera.half
    if framing == "close":
        move = tuple(rng.normal(0, 0.25, 2) * camera.half)
    return camera._replace(centre=(x + move[0], y + move[1]), half=half)


def target_plane(camera: Camera, size: int) -> Float64Array:
    """Return the places on the plane through the target that the pixels show, in the shape's space: (S, S, 3)."""
    step = 2 * camera.half / size
    u = camera.centre[0] + (np.arange(size) + 0.5 - size / 2) * step
    v = camera.centre[1] - (np.arange(size) + 0.5 - size / 2) * step
    right, up, _ = camera.turn
    return u[None, :, None] * right + v[:, None, None] * up


def _floor(shape: Shape, camera: Camera, surface: GBuffer) -> GBuffer:
    """Return the floor below the shape where the camera sees it beside the shape."""
    start = target_plane(camera, len(surface.hit))
    way = camera.nearness * start - camera.turn[2]
    low = float(surface.places[surface.hit][:, 1].min())
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = (low - start[..., 1]) / way[..., 1]
        places = start + depth[..., None] * way
        near = np.hypot(places[..., 0], places[..., 2]) < _FAR * 2 * shape.radius
    hit = (way[..., 1] < -1e-3) & near & ~surface.hit
    places[~hit] = 0.0
    normals = np.zeros(places.shape)
    normals[..., 1] = 1.0
    return GBuffer(hit, np.where(hit, depth, 0.0), places, normals, np.zeros(hit.shape, np.int64))


def _shade(rng: np.random.Generator, shape: Shape, floor: GBuffer, key: Key, soft: float, pixel: float) -> Float64Array:
    """Return how bright the ground is, float64 (S, S): 1 away from the shape's shadows."""
    if not floor.hit.any():
        return np.ones(floor.hit.shape)
    at, near, _ = key
    lamp = rng.uniform(0.2, 0.6)
    opened = openness(shape, floor, pixel) ** 1.5
    through = lit(shape, floor, at, near=near, softness=soft, pixel=pixel)
    dark = (1 - lamp) * opened + lamp * through
    far = np.hypot(floor.places[..., 0], floor.places[..., 2]) / (_FAR * shape.radius)
    fade = np.clip(2 - 2 * far, 0, 1)
    return np.where(floor.hit, 1 + fade * (dark - 1), 1.0)
