# SPDX-License-Identifier: GPL-3.0-or-later
"""Makers of data, for any room of training: pictures of made-up shapes with their exact normals.

A block is one shape, seen from one side, and lit, framed and photographed several times. Block number `index` of a seed
is a pure function of the two, so that workers share no state and training resumes anywhere.
A shape is a list of solids (`solids`) that a sculptor draws (`sculptures`); `tracing` looks at it, `materials` and
`lighting` colour it, `photograph` takes the picture. It imports no other room of training.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import BoolArray, Float64Array
from ...flow.products import Picture
from .lighting import Key, draw_key, draw_light, lit, openness, shine
from .materials import draw_materials
from .photograph import draw_framing, photograph, reframe
from .sculptures import draw_shape
from .solids import Shape
from .tracing import Camera, GBuffer, glance, look

_FINER = 1.1  # pixels of a view across one of the picture
_LEAST = 0.005  # of a view that a shape must cover


class Block(NamedTuple):
    """N pictures. rgba: uint8 (N, S, S, 4), sRGB, straight alpha, as a `Cutout` holds them.

    normals: float16 (N, S, S, 3), unit, camera space, x right, y up, z to the viewer; zeros where mask is False.
    mask: bool (N, S, S), True if at least half of a pixel is surface.
    """

    rgba: Picture
    normals: NDArray[np.float16]
    mask: BoolArray


class View(NamedTuple):
    """A shape and what a camera sees of it, ready to be coloured and lit.

    opened: float64 (F, F), the share of the sky that each pixel sees. keys: the two main lamps. shadows: two of float64
    (F, F), how much of each comes through.
    """

    shape: Shape
    camera: Camera
    surface: GBuffer
    opened: Float64Array
    keys: list[Key]
    shadows: list[Float64Array]


def sample_block(seed: int, index: int, size: int, *, pictures: int) -> Block:
    """Return block `index` of a seed: so many pictures of size x size pixels."""
    rng = np.random.default_rng([seed, index, 0])
    view = draw_view(rng, round(size * _FINER / 8) * 8)
    normals = view.surface.normals @ view.camera.turn.T
    taken: list[tuple[Picture, NDArray[np.float16], BoolArray]] = []
    for _ in range(pictures):
        materials, light = draw_materials(rng, view.shape.parts), draw_light(rng, view.camera, view.keys)
        image = shine(view.surface, view.camera, view.opened, view.shadows, materials, light)
        frame = draw_framing(rng, view.surface.hit)
        colours, truth, coverage = reframe(image, normals, view.surface.hit, frame, size)
        mask = (coverage >= 0.5) & truth.any(axis=2)
        truth = np.where(mask[..., None], truth, 0).astype(np.float16)
        taken.append((photograph(rng, colours, coverage), truth, mask))
    return Block(*(np.stack(part) for part in zip(*taken, strict=True)))


def draw_view(rng: np.random.Generator, fine: int) -> View:
    """Draw a shape and look at it, in `fine` pixels a side, a multiple of 8."""
    while True:  # once in some ten thousand shapes cuts leave nothing, or a splinter
        shape = draw_shape(rng)
        camera = draw_camera(rng, shape)
        surface = look(shape, camera, fine)
        if surface.hit.mean() >= _LEAST:
            break
    pixel = 2 * camera.half / fine
    keys = [draw_key(rng, camera) for _ in range(2)]
    shadows = [lit(shape, surface, at, near=near, softness=soft, pixel=pixel) for at, near, soft in keys]
    return View(shape, camera, surface, openness(shape, surface, pixel), keys, shadows)


def draw_camera(rng: np.random.Generator, shape: Shape) -> Camera:
    """Draw a camera about the shape, and the square that its outline just fills."""
    around = rng.normal(0.0, 0.6) if rng.random() < 0.75 else rng.uniform(-np.pi, np.pi)
    above = np.radians(rng.uniform(0, 30) if rng.random() < 0.7 else rng.uniform(-20, 60))
    ca, sa, ce, se = np.cos(around), np.sin(around), np.cos(above), np.sin(above)
    back, right = np.array([sa * ce, se, ca * ce]), np.array([ca, 0.0, -sa])
    turn = np.stack([right, np.cross(back, right), back])
    nearness = 0.0 if rng.random() < 0.25 else rng.uniform(0.03, 0.36)
    half = float(shape.radius * 1.02 / np.sqrt(1 - min(0.9, (nearness * shape.radius) ** 2)))
    whole = Camera(turn, nearness, (0.0, 0.0), half)
    rows, columns = np.nonzero(glance(shape, whole, 48))
    if len(rows) == 0:
        return whole
    step = 2 * half / 48
    low, high = columns.min() - 1, columns.max() + 2
    top, bottom = rows.min() - 1, rows.max() + 2
    centre = (float((low + high - 48) * step / 2), float((48 - top - bottom) * step / 2))
    return Camera(turn, nearness, centre, float(max(high - low, bottom - top) * step / 2))


def contact_sheet(seed: int, count: int, size: int) -> Picture:
    """Return `count` pictures of a seed, each beside its normals, uint8 (H, W, 4): four pairs a row, over grey."""
    blocks = [sample_block(seed, index, size, pictures=1) for index in range(count)]
    rgba, normals, mask = (np.concatenate(part) for part in zip(*blocks, strict=True))
    colours, alpha = rgba[..., :3].astype(np.float32) / 255, rgba[..., 3:].astype(np.float32) / 255
    over = colours * alpha + 0.6 * (1 - alpha)
    truth = np.where(mask[..., None], normals.astype(np.float32) * 0.5 + 0.5, 1)
    # Ones pad the last row with white pairs, and all with an opaque fourth channel.
    pairs = np.pad(np.concatenate([over, truth], axis=2), ((0, -count % 4), (0, 0), (0, 0), (0, 1)), constant_values=1)
    sheet = pairs.reshape(-1, 4, size, 2 * size, 4).swapaxes(1, 2).reshape(-1, 8 * size, 4)
    return np.rint(sheet * 255).astype(np.uint8)
