# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of made-up shapes on grounds of several kinds, with their true outlines.

A shape stands on a floor that goes over into a wall of the same colour, as in a studio. Contact and cast shadows fall
on it, softer or harder. A picture is a pure function of a kind, a seed and a number.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Float64Array
from ...flow.products import Picture
from ...raster.blur import box_mean
from ...raster.colour import linear_to_srgb
from ..shapes import draw_camera
from ..shapes.lighting import draw_key, draw_light, lit, openness, shine
from ..shapes.materials import PLAIN, draw_materials
from ..shapes.photograph import jpeg
from ..shapes.sculptures import draw_shape
from ..shapes.solids import Shape
from ..shapes.tracing import Camera, GBuffer, look

KINDS = ("plain", "graded", "own colour", "hard shadow", "cut off", "framed", "grainy")
"""The object before one colour; before a gradient; in the ground's colour; with a sharp shadow; cut off by the border;
in a picture with a frame; with grain and compression."""

_AROUND = 1.5  # the picture's side over the object's
_FAR = 2.5  # radii of the shape: there the floor's shading has gone over into the wall's


class Composite(NamedTuple):
    """picture: uint8 (S, S, 4), opaque. body: bool (S, S), the object's pixels."""

    picture: Picture
    body: BoolArray


def composite(kind: str, seed: int, index: int, size: int) -> Composite:
    """Make a picture of size x size pixels."""
    rng = np.random.default_rng([seed, KINDS.index(kind), index])
    while True:
        shape = draw_shape(rng)
        camera = _placed(rng, draw_camera(rng, shape), cut_off=kind == "cut off")
        surface = look(shape, camera, 2 * size)
        if 0.03 < surface.hit.mean() < 0.6:
            break
    pixel = camera.half / size
    floor = _floor(shape, camera, surface)
    keys = [draw_key(rng, camera) for _ in range(2)]
    soft = 0.02 if kind == "hard shadow" else float(rng.uniform(0.15, 0.5))
    ground = _ground(rng, kind, 2 * size)
    materials, light = draw_materials(rng, shape.parts), draw_light(rng, camera, keys)
    if kind == "own colour":
        materials["pattern"], materials["metal"] = PLAIN, 0.0
        materials["colours"] = ground.mean(axis=(0, 1)) * rng.uniform(0.85, 1.05)
    shadows = [lit(shape, surface, at, near=near, softness=soft, pixel=pixel) for at, near, _ in keys]
    image = _exposed(shine(surface, camera, openness(shape, surface, pixel), shadows, materials, light), surface)
    shade = _shade(rng, shape, floor, keys[0], soft, pixel)
    whole = np.where(surface.hit[..., None], image, ground * shade[..., None])
    picture = linear_to_srgb(np.clip(_halved(whole), 0, 1))
    body = _halved(surface.hit[..., None].astype(np.float64))[..., 0] >= 0.5
    picture = _finished(rng, kind, picture)
    opaque = np.full((size, size, 1), 255)
    return Composite(np.concatenate([np.rint(picture * 255), opaque], axis=2).astype(np.uint8), body)


def _placed(rng: np.random.Generator, camera: Camera, *, cut_off: bool) -> Camera:
    """Return the camera with room around the object, or with some of it beyond the lower border."""
    half = camera.half * _AROUND * rng.uniform(0.9, 1.3)
    room = half - camera.half
    x, y = camera.centre
    move = rng.uniform(-0.7, 0.7) * room, rng.uniform(-0.5, 0.5) * room
    if cut_off:
        move = move[0], room + rng.uniform(0.2, 0.6) * camera.half
    return camera._replace(centre=(x + move[0], y + move[1]), half=half)


def _floor(shape: Shape, camera: Camera, surface: GBuffer) -> GBuffer:
    """Return the floor below the shape where the camera sees it beside the shape."""
    size = len(surface.hit)
    step = 2 * camera.half / size
    u = camera.centre[0] + (np.arange(size) + 0.5 - size / 2) * step
    v = camera.centre[1] - (np.arange(size) + 0.5 - size / 2) * step
    right, up, back = camera.turn
    start = u[None, :, None] * right + v[:, None, None] * up
    way = camera.nearness * start - back
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    low = float(surface.places[surface.hit][:, 1].min())
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = (low - start[..., 1]) / way[..., 1]
    places = start + depth[..., None] * way
    near = np.hypot(places[..., 0], places[..., 2]) < _FAR * 2 * shape.radius
    hit = (way[..., 1] < -1e-3) & near & ~surface.hit
    normals = np.zeros(places.shape)
    normals[..., 1] = 1.0
    blank = np.where(hit[..., None], places, 0.0)
    return GBuffer(hit, np.where(hit, depth, 0.0), blank, normals, np.zeros(hit.shape, np.int64))


def _shade(
    rng: np.random.Generator,
    shape: Shape,
    floor: GBuffer,
    key: tuple[Float64Array, bool, float],
    soft: float,
    pixel: float,
) -> Float64Array:
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


def _ground(rng: np.random.Generator, kind: str, size: int) -> Float64Array:
    """Return the ground's linear colours without shadows, (S, S, 3)."""
    tone = (
        rng.uniform(0.35, 0.95) * (1 + rng.uniform(-0.12, 0.12, 3)) if rng.random() < 0.7 else rng.uniform(0.1, 0.9, 3)
    )
    place = (np.arange(size) + 0.5) / size - 0.5
    if kind != "graded":
        vignette = 1 - rng.uniform(0, 0.25) * (place[:, None] ** 2 + place**2)
        return np.clip(tone * vignette[..., None], 0, 0.98)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * place + np.sin(angle) * place[:, None] + 0.5
    return np.clip(tone * (1 - along[..., None] * rng.uniform(0.3, 0.7)), 0, 0.98)


def _exposed(image: Float64Array, surface: GBuffer) -> Float64Array:
    """Return the object's light scaled to what a photograph shows."""
    bright = float(np.quantile(image[surface.hit].mean(axis=1), 0.95))
    return image * (0.8 / max(bright, 1e-3))


def _halved(image: Float64Array) -> Float64Array:
    height, width, channels = image.shape
    return image.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))


def _finished(rng: np.random.Generator, kind: str, picture: Float64Array) -> Float64Array:
    """Return the picture, sRGB in [0, 1], with what its kind adds."""
    picture = box_mean(picture.astype(np.float32), 1, beyond="edge") * 0.5 + picture * 0.5
    if kind == "framed":
        wide = int(rng.integers(1, 1 + max(1, len(picture) // 100)))
        picture[:wide], picture[-wide:], picture[:, :wide], picture[:, -wide:] = [rng.uniform(0, 0.2)] * 4
    noise = rng.uniform(0.01, 0.03) if kind == "grainy" else rng.uniform(0.001, 0.006)
    picture = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 1)
    if kind == "grainy" or rng.random() < 0.4:
        picture = jpeg((picture * 255).astype(np.float32), rng.uniform(60, 95)).astype(np.float64) / 255
    return np.clip(picture, 0, 1)
