# SPDX-License-Identifier: GPL-3.0-or-later
"""What is behind an object: linear colours without its shadows, (S, S, 3), of several kinds.

Grounds that are not plain have what photographs have: leaves of all sizes that hide each other (the dead leaves model:
Lee, Mumford and Huang, International Journal of Computer Vision, 2001), a table before a wall, patterns, blur.
"""

import numpy as np

from ...arrays import BoolArray, Float32Array, Float64Array
from ...raster.blur import box_mean
from ...raster.layers import resized
from ..shapes.lighting import LATTICE
from ..shapes.materials import albedo, draw_materials
from .staging import Stage, target_plane

_LEAVES = (30, 140)
_LEAST_LEAF, _MOST_LEAF = 0.03, 1.0  # of the picture's side
_EDGE = (1.05, 3.0)  # radii of the shape behind it: where a table ends


def plain(rng: np.random.Generator, size: int) -> Float64Array:
    """One colour, mostly a light grey, and a vignette."""
    place = (np.arange(size) + 0.5) / size - 0.5
    vignette = 1 - rng.uniform(0, 0.25) * (place[:, None] ** 2 + place**2)
    return np.clip(_tone(rng) * vignette[..., None], 0, 0.98)


def graded(rng: np.random.Generator, size: int) -> Float64Array:
    """A gradient in any direction."""
    place = (np.arange(size) + 0.5) / size - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * place + np.sin(angle) * place[:, None] + 0.5
    return np.clip(_tone(rng) * (1 - along[..., None] * rng.uniform(0.3, 0.7)), 0, 0.98)


def textured(rng: np.random.Generator, stage: Stage) -> Float64Array:
    """A material, in perspective on the floor and flat beyond."""
    return _lit(rng, _made_of(rng, stage, stage.floor.hit))


def table_and_wall(rng: np.random.Generator, stage: Stage) -> Float64Array:
    """A table that ends behind the object, before a wall; each plain or patterned."""
    level = -stage.camera.turn[2] * (1, 0, 1)
    behind = stage.floor.places @ (level / max(float(np.linalg.norm(level)), 1e-6))
    table = stage.floor.hit & (behind < rng.uniform(*_EDGE) * stage.shape.radius)
    size = len(table)
    wall = plain(rng, size) if rng.random() < 0.6 else _made_of(rng, stage, np.zeros_like(table))
    top = plain(rng, size) * rng.uniform(0.5, 1) if rng.random() < 0.4 else _made_of(rng, stage, table)
    return _lit(rng, np.where(table[..., None], top, wall))


def leaves(rng: np.random.Generator, size: int, blur: float) -> Float64Array:
    """Things of all sizes before each other, out of focus by so much of the picture's side."""
    half = size // 2
    image = np.broadcast_to(_tone(rng) * rng.uniform(0.3, 1), (half, half, 3)).copy()
    dark = rng.uniform(1, 4)
    palette = np.stack([_tone(rng) ** rng.uniform(0.8, dark) for _ in range(int(rng.integers(3, 9)))])
    for _ in range(int(rng.integers(*_LEAVES))):
        rows, columns, across, inside = _leaf(rng, half)
        colour = palette[rng.integers(len(palette))] * rng.uniform(0.6, 1.3)
        shades = 1 + rng.uniform(-0.3, 0.3) * across[inside]
        image[rows, columns][inside] = shades[:, None] * colour
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(0.02, 0.25), (half, half, 1)).astype(np.float32)
        image *= 1 + 2 * box_mean(noise, 1, beyond="edge")
    soft = blurred(np.clip(image, 0, 1), round(blur * half))
    return np.clip(resized(soft, size, size).astype(np.float64), 0, 0.98)


def _leaf(rng: np.random.Generator, size: int) -> tuple[slice, slice, Float64Array, BoolArray]:
    """Draw an ellipse or a box, turned.

    Returns the rows and columns about it, how far across it their pixels lie, in [-1, 1] within, and which it covers.
    """
    # The density of sizes is between one over the square and over the cube, as of things at all distances.
    power = rng.uniform(1, 2)
    radius = size * float(rng.uniform(_MOST_LEAF**-power, _LEAST_LEAF**-power)) ** (-1 / power) / 2
    x, y = rng.uniform(0, size, 2)
    rows, columns = (slice(max(0, int(at - 1.5 * radius)), min(size, int(at + 1.5 * radius) + 2)) for at in (y, x))
    down, across = np.mgrid[rows, columns]
    angle, flat = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
    u = ((across - x) * np.cos(angle) + (down - y) * np.sin(angle)) / radius
    v = ((down - y) * np.cos(angle) - (across - x) * np.sin(angle)) / (radius * flat)
    inside = np.hypot(u, v) < 1 if rng.random() < 0.6 else np.maximum(np.abs(u), np.abs(v)) < 1
    return rows, columns, u, inside


def _made_of(rng: np.random.Generator, stage: Stage, floor: BoolArray) -> Float64Array:
    """Return a material's colours: at the floor's places, and at those of the target plane elsewhere."""
    size = len(floor)
    places = np.where(floor[..., None], stage.floor.places, target_plane(stage.camera, size))
    materials = draw_materials(rng, 1)
    materials["frequency"] *= rng.uniform(0.3, 1.5)
    flat = np.ascontiguousarray(places.reshape(-1, 3).T)
    return albedo(flat, np.zeros(size * size, np.int64), materials, LATTICE).T.reshape(size, size, 3)


def _lit(rng: np.random.Generator, image: Float64Array) -> Float64Array:
    """Light a ground, brighter to one side."""
    size = len(image)
    place = (np.arange(size) + 0.5) / size - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * place + np.sin(angle) * place[:, None]
    return np.clip(image * rng.uniform(0.5, 1.2) * (1 + rng.uniform(0, 0.6) * along[..., None]), 0, 0.98)


def _tone(rng: np.random.Generator) -> Float64Array:
    if rng.random() < 0.7:
        return rng.uniform(0.35, 0.95) * (1 + rng.uniform(-0.12, 0.12, 3))
    return rng.uniform(0.1, 0.9, 3)


def blurred(image: Float64Array, radius: int) -> Float32Array:
    """Blur (H, W, C) by a box of so many pixels to each side, twice: about what a lens out of focus does."""
    soft = image.astype(np.float32)
    for _ in range(2 if radius else 0):
        soft = box_mean(soft, radius, beyond="edge")
    return soft
