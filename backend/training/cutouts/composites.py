# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of made-up shapes on grounds of several kinds, with their true outlines: to learn from and to measure with.

A shape stands on a floor that goes over into a wall of the same colour, as in a studio, or before something that is
not plain. Contact and cast shadows fall on it, softer or harder. A picture is a pure function of a kind, a seed and a
number; a block of pictures, which show one shape, of a seed and a number.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import BoolArray, Float64Array
from ...flow.products import Picture
from ...raster.blur import box_mean
from ...raster.colour import linear_to_srgb
from ..shapes.lighting import draw_light, shine
from ..shapes.materials import PLAIN, draw_materials
from ..shapes.photograph import jpeg
from ..shapes.tracing import GBuffer
from . import drawings, grounds
from .effects import clear, mark, mirrored
from .staging import Framing, Stage, draw_stage

KINDS = (
    "plain", "graded", "own colour", "hard shadow", "cut off", "framed", "grainy",
    "textured", "table and wall", "out of focus", "photograph", "reflection", "marked", "glass", "close",
    "drawn", "written",
)  # fmt: skip
"""The object before one colour; before a gradient; in the ground's colour; with a sharp shadow; cut off by the border;
in a picture with a frame; with grain and compression; before a pattern; on a table before a wall; before blurred
things; before sharp ones; on a floor that mirrors it; with small marks beside it; of clear glass; larger than the
picture, before anything; as a cartoon, and letters or bars instead of it, on plain paper."""

_SHARES = (0.1, 0.06, 0.07, 0.09, 0.08, 0.03, 0.05, 0.08, 0.08, 0.09, 0.07, 0.04, 0.03, 0.02, 0.06, 0.03, 0.02)
_FINER = 2  # pixels that are traced across one of the picture
_OUT_OF_FOCUS, _SHARP = (0.03, 0.12), (0.0, 0.015)  # blur, of the picture's side
_CLUTTERED = 0.6
_DARK = 0.3  # of the objects
_LIGHT_OBJECT, _DARK_OBJECT = (0.5, 0.95), (0.03, 0.5)  # linear light at its brightest


class Composite(NamedTuple):
    """picture: uint8 (S, S, 4), opaque. body: bool (S, S), the object's pixels."""

    picture: Picture
    body: BoolArray


class Block(NamedTuple):
    """N pictures of one shape. rgb: uint8 (N, S, S, 3). alpha: uint8 (N, S, S), the share that the object covers."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]


def composite(kind: str, seed: int, index: int, size: int) -> Composite:
    """Make a picture of size x size pixels."""
    rng = np.random.default_rng([seed, KINDS.index(kind), index])
    colours, alpha = _pictured(rng, _staged(rng, kind, size), kind)
    opaque = np.full((size, size, 1), 255, np.uint8)
    return Composite(np.concatenate([colours, opaque], axis=2), alpha > 127)


def sample_block(seed: int, index: int, size: int, *, pictures: int) -> Block:
    """Return block `index` of a seed: so many pictures of size x size pixels, of kinds that are drawn."""
    rng = np.random.default_rng([seed, index])
    first, *others = (KINDS[number] for number in rng.choice(len(KINDS), pictures, p=_SHARES))
    stage = _staged(rng, first, size)
    pairs = [_pictured(rng, stage, kind) for kind in (first, *others)]
    return Block(*(np.stack(part) for part in zip(*pairs, strict=True)))


def _staged(rng: np.random.Generator, kind: str, size: int) -> Stage:
    framing: Framing = "cut off" if kind == "cut off" else "close" if kind == "close" else "whole"
    return draw_stage(rng, _FINER * size, framing, hard=kind == "hard shadow")


def _pictured(rng: np.random.Generator, stage: Stage, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a picture of the stage, uint8 (S, S, 3), and how much of each pixel the object covers, uint8 (S, S)."""
    size, there = len(stage.surface.hit), stage.surface.hit
    if kind == "drawn":
        image = drawings.cartoon(rng, stage.surface, grounds.plain(rng, size))
    elif kind == "written":
        image, there = drawings.letters(rng, grounds.plain(rng, size))
    else:
        image = _photographed(rng, stage, kind)
    picture = _finished(rng, kind, linear_to_srgb(np.clip(_smaller(image), 0, 1)), size // _FINER)
    coverage = _smaller(there[..., None].astype(np.float64))[..., 0]
    return np.rint(picture * 255).astype(np.uint8), np.rint(255 * coverage).astype(np.uint8)


def _photographed(rng: np.random.Generator, stage: Stage, kind: str) -> Float64Array:
    """Return the stage's linear light, (S, S, 3)."""
    surface = stage.surface
    ground = _ground(rng, stage, kind)
    materials, light = draw_materials(rng, stage.shape.parts), draw_light(rng, stage.camera, stage.keys)
    if kind == "own colour":
        materials["pattern"], materials["metal"] = PLAIN, 0.0
        materials["colours"] = ground.mean(axis=(0, 1)) * rng.uniform(0.85, 1.05)
    image = shine(surface, stage.camera, stage.opened, stage.shadows, materials, light)
    image = _exposed(image, surface, rng.uniform(*(_DARK_OBJECT if rng.random() < _DARK else _LIGHT_OBJECT)))
    shaded = ground * stage.shade[..., None]
    if kind == "glass":
        image = clear(rng, image, ground, surface, stage.camera.turn[2])
    if kind == "reflection":
        shaded = mirrored(rng, shaded, image, surface)
    whole = np.where(surface.hit[..., None], image, shaded)
    if kind == "marked":
        mark(rng, whole, surface.hit)
    return whole


def _ground(rng: np.random.Generator, stage: Stage, kind: str) -> Float64Array:
    """Return the ground's linear colours without shadows, (S, S, 3)."""
    size = len(stage.surface.hit)
    if kind == "graded":
        return grounds.graded(rng, size)
    if kind == "textured":
        return grounds.textured(rng, stage)
    if kind == "table and wall":
        return grounds.table_and_wall(rng, stage)
    if kind in ("out of focus", "photograph") or (kind == "close" and rng.random() < _CLUTTERED):
        blurred = kind == "out of focus" or (kind == "close" and rng.random() < _CLUTTERED)
        return grounds.leaves(rng, size, rng.uniform(*(_OUT_OF_FOCUS if blurred else _SHARP)))
    return grounds.plain(rng, size)


def _exposed(image: Float64Array, surface: GBuffer, brightest: float) -> Float64Array:
    """Return the object's light scaled to so much at its brightest."""
    bright = float(np.quantile(image[surface.hit].mean(axis=1), 0.95))
    return image * (brightest / max(bright, 1e-3))


def _smaller(image: Float64Array) -> Float64Array:
    height, width, channels = image.shape
    return image.reshape(height // _FINER, _FINER, width // _FINER, _FINER, channels).mean(axis=(1, 3))


def _finished(rng: np.random.Generator, kind: str, picture: Float64Array, size: int) -> Float64Array:
    """Return the picture, sRGB in [0, 1], with what its kind adds."""
    picture = box_mean(picture.astype(np.float32), 1, beyond="edge") * 0.5 + picture * 0.5
    if kind == "framed":
        wide = int(rng.integers(1, 1 + max(1, size // 100)))
        picture[:wide], picture[-wide:], picture[:, :wide], picture[:, -wide:] = [rng.uniform(0, 0.2)] * 4
    noise = rng.uniform(0.01, 0.03) if kind == "grainy" else rng.uniform(0.001, 0.006)
    picture = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 1)
    if kind == "grainy" or rng.random() < 0.4:
        picture = jpeg((picture * 255).astype(np.float32), rng.uniform(60, 95)).astype(np.float64) / 255
    return np.clip(picture, 0, 1)
