# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes an object hard to tell from what is about it: glass, a mirroring floor, marks."""

import numpy as np

from ...arrays import BoolArray, Float64Array
from ..shapes.tracing import GBuffer
from .grounds import blurred

_MARKS = (1, 5)
_REFLECTED = (0.1, 0.5)


def clear(
    rng: np.random.Generator, image: Float64Array, ground: Float64Array, surface: GBuffer, back: Float64Array
) -> Float64Array:
    """Return clear glass: what is behind it, bent, darker towards its outline, and its highlights."""
    facing = np.abs(surface.normals @ back)
    rim = np.clip(1 - facing, 0, 1) ** rng.uniform(1.5, 4)
    behind = np.roll(ground, (int(rng.integers(-20, 20)), int(rng.integers(-20, 20))), axis=(0, 1))
    tint = rng.uniform(0.8, 1, 3)
    lights = np.maximum(image - np.quantile(image[surface.hit], 0.9, axis=0), 0)
    return behind * tint * (1 - rng.uniform(0.5, 0.95) * rim[..., None]) + 0.6 * lights


def mirrored(rng: np.random.Generator, ground: Float64Array, image: Float64Array, surface: GBuffer) -> Float64Array:
    """Return the ground with the object upside down in it, fading downwards."""
    lowest = int(np.flatnonzero(surface.hit.any(axis=1))[-1])
    size = len(ground)
    rows = np.arange(lowest + 1, min(size, 2 * lowest + 2))
    from_rows = 2 * lowest + 1 - rows
    fade = rng.uniform(*_REFLECTED) * np.exp(-(rows - lowest) / (size * rng.uniform(0.05, 0.3)))
    share = np.zeros((size, size, 1))
    share[rows, :, 0] = fade[:, None] * surface.hit[from_rows]
    turned = np.zeros_like(image)
    turned[rows] = image[from_rows]
    radius = int(rng.integers(0, 1 + size // 64))
    return ground * (1 - blurred(share, radius)) + blurred(share * turned, radius)


def mark(rng: np.random.Generator, image: Float64Array, hit: BoolArray) -> None:
    """Put marks like small letters into the image, beside the object and over the border of it."""
    size = len(image)
    ink = np.full(3, rng.choice((rng.uniform(0, 0.3), rng.uniform(0.7, 1))))
    for _ in range(int(rng.integers(*_MARKS))):
        tall, wide = int(size * rng.uniform(0.01, 0.04)), int(size * rng.uniform(0.05, 0.35))
        top = int(rng.choice((rng.uniform(0.01, 0.12), rng.uniform(0.85, 0.95))) * size)
        left = int(rng.uniform(0, 1 - wide / size) * size)
        strokes = np.repeat(rng.random((tall // 3 + 1, wide // 3 + 1)) < 0.55, 3, axis=0).repeat(3, axis=1)
        part = image[top : top + tall, left : left + wide]
        drawn = strokes[: part.shape[0], : part.shape[1]] & ~hit[top : top + tall, left : left + wide]
        part[drawn] += (ink - part[drawn]) * rng.uniform(0.4, 1)
