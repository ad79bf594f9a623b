# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of made-up shapes with both their sheets: where every pixel's ray first enters and last leaves.

The sheet behind is what a camera on the other side sees along the same rays. In perspective these rays do not meet
in it but part from it, which a negative nearness says. Depths are measured along the viewing axis, and a view is taken
as if its rays were parallel: so does who builds a body over the picture's pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...arrays import BoolArray, Float32Array, Float64Array
from ...flow.products import Crop, NormalMap
from ...geometry.features import MARGIN, SIDE, see
from ...normals.features import inflate, standardise
from ...normals.network import WEIGHTS, load, predict
from ...raster.layers import Weights
from ...raster.matmul import by_matmul
from ...raster.resample import crop_normals
from ...raster.vectors import unit
from ..shapes import draw_camera
from ..shapes.lighting import draw_key, draw_light, lit, openness, shine
from ..shapes.materials import draw_materials
from ..shapes.photograph import Framing, photograph, reframe
from ..shapes.sculptures import draw_shape
from ..shapes.solids import Shape
from ..shapes.tracing import Camera, GBuffer, look

_LEAST = 0.01  # of a view that a shape must cover
_PICTURE = 128  # pixels along the side of the picture that normals are estimated from
_WHOLE = Framing((0.0, 0.0), 1.0, 0.0, mirrored=False)
_ROLLED = 0.3  # of the views


@dataclass(frozen=True)
class Views:
    """N views of S x S pixels, zeros outside of the object; lengths in halves of the view's side, z to the viewer.

    planes: float16 (N, S, S, 8), what the network sees, see `geometry.features.see`. mask: bool (N, S, S). front, back:
    float32 (N, S, S), z where a ray enters and leaves; the front's mean is 0. before, behind: float16 (N, S, S, 3), the
    outward unit normals there, camera space. up: float32 (N, 3), what is up in camera space, unit. nearness: float32
    (N,), one over the eye's distance from the depth 0, 0 for parallel rays.
    """

    planes: NDArray[np.float16]
    mask: BoolArray
    front: Float32Array
    back: Float32Array
    before: NDArray[np.float16]
    behind: NDArray[np.float16]
    up: Float32Array
    nearness: Float32Array


@dataclass(frozen=True)
class Scene:
    """A shape, a camera before it, and what both sides show."""

    shape: Shape
    camera: Camera
    seen: GBuffer
    behind: GBuffer


def sample_views(seed: int, index: int, views: int, estimated: float) -> Views:
    """Return some views of shape `index` of a seed. estimated: the share whose normals the normal estimator sees."""
    rng = np.random.default_rng([seed, index])
    return gathered(
        [
            view(scene, estimated_normals(scene, rng) if rng.random() < estimated else None)
            for scene in draw_scenes(rng, views)
        ]
    )


def part(views: Views, which: int | slice) -> Views:
    """Return one view or some."""
    chosen = slice(which, which + 1) if isinstance(which, int) else which
    return Views(*(getattr(views, name)[chosen] for name in Views.__dataclass_fields__))


def gathered(views: list[Views]) -> Views:
    """Join views."""
    return Views(*(np.concatenate([getattr(view, name) for view in views]) for name in Views.__dataclass_fields__))


def draw_scenes(rng: np.random.Generator, views: int) -> Iterator[Scene]:
    """Draw a shape and look at it from some sides."""
    shape = draw_shape(rng)
    for _ in range(views):
        while True:
            camera = _draw_camera(rng, shape)
            seen, behind = look(shape, camera, SIDE), look_from_behind(shape, camera)
            if (seen.hit & behind.hit).mean() >= _LEAST:
                break
            shape = draw_shape(rng)  # once in some ten thousand shapes cuts leave nothing, or a splinter
        yield Scene(shape, camera, seen, behind)


def _draw_camera(rng: np.random.Generator, shape: Shape) -> Camera:
    """Draw a camera, now and then rolled, whose square has the margin of the network's."""
    camera = draw_camera(rng, shape)
    half = camera.half * MARGIN * rng.uniform(0.97, 1.06)
    if rng.random() >= _ROLLED:
        return camera._replace(half=half)
    roll = rng.normal(0.0, 0.15)
    c, s = np.cos(roll), np.sin(roll)
    x, y = camera.centre
    turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ camera.turn
    return Camera(turn, camera.nearness, (c * x + s * y, c * y - s * x), half * (abs(c) + 0.5 * abs(s)))


def look_from_behind(shape: Shape, camera: Camera, size: int = SIDE) -> GBuffer:
    """Return what the same size x size rays show from the other side, with the columns of the view before."""
    right, up, back = camera.turn
    x, y = camera.centre
    opposite = Camera(np.stack([-right, up, -back]), -camera.nearness, (-x, y), camera.half)
    found = look(shape, opposite, size)
    return GBuffer(
        found.hit[:, ::-1],
        found.depth[:, ::-1],
        found.places[:, ::-1],
        found.normals[:, ::-1],
        found.parts[:, ::-1],
    )


def view(scene: Scene, estimated: Float32Array | None) -> Views:
    """Return a scene as one view, of which the network sees the true normals or estimated ones, (S, S, 3)."""
    turn, half = scene.camera.turn, scene.camera.half
    mask = scene.seen.hit & scene.behind.hit
    front, back = (side.places @ turn[2] / half for side in (scene.seen, scene.behind))
    before, behind = (np.where(mask[..., None], side.normals @ turn.T, 0) for side in (scene.seen, scene.behind))
    shift = front[mask].mean()
    return Views(
        see(before if estimated is None else estimated, mask, lambda: None)[None].astype(np.float16),
        mask[None],
        np.where(mask, front - shift, 0).astype(np.float32)[None],
        np.where(mask, np.minimum(back, front) - shift, 0).astype(np.float32)[None],
        before.astype(np.float16)[None],
        behind.astype(np.float16)[None],
        turn[:, 1].astype(np.float32)[None],
        np.array([_nearness(scene.camera, shift)], np.float32),
    )


def _nearness(camera: Camera, shift: float) -> float:
    """Return one over the eye's distance from the depth `shift` before the target plane, in halves of the side."""
    nearness = camera.nearness * camera.half
    return nearness / (1 - shift * nearness)


def estimated_normals(scene: Scene, rng: np.random.Generator, size: int = SIDE) -> Float32Array:
    """Photograph the view, and return the normals that the estimator sees in the picture, float32 (S, S, 3).

    size: S, pixels.
    """
    shape, camera = scene.shape, scene.camera
    fine = _PICTURE + 16
    surface = look(shape, camera, fine)
    pixel = 2 * camera.half / fine
    keys = [draw_key(rng, camera) for _ in range(2)]
    shadows = [lit(shape, surface, at, near=near, softness=soft, pixel=pixel) for at, near, soft in keys]
    materials, light = draw_materials(rng, shape.parts), draw_light(rng, camera, keys)
    image = shine(surface, camera, openness(shape, surface, pixel), shadows, materials, light)
    colours, _, coverage = reframe(image, surface.normals @ camera.turn.T, surface.hit, _WHOLE, _PICTURE)
    picture = standardise(photograph(rng, colours, coverage)[None])
    inflated = inflate(picture[..., 3])
    normals = predict(_estimator(), picture[0], inflated[0], by_matmul, lambda: None)
    whole = Crop(0, 0, _PICTURE, _PICTURE, _PICTURE)
    return crop_normals(NormalMap(unit(normals), picture[0, ..., 3]), whole, size).normals


@cache
def _estimator() -> Weights:
    return load(WEIGHTS)


def rays(camera: Camera, size: int, depths: Float64Array) -> Float64Array:
    """Return the places on the rays of size x size pixels at depths (D,) before the target plane, (S, S, D, 3).

    depths: along the viewing axis, in halves of the view's side, z to the viewer.
    """
    step = 2 * camera.half / size
    u = camera.centre[0] + (np.arange(size) + 0.5 - size / 2) * step
    v = camera.centre[1] - (np.arange(size) + 0.5 - size / 2) * step
    z = depths * camera.half
    shrink = 1 - z * camera.nearness
    right, up, back = camera.turn
    x = u[None, :, None, None] * shrink[:, None] * right
    y = v[:, None, None, None] * shrink[:, None] * up
    return x + y + z[:, None] * back
