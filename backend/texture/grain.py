# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture for surface that neither side shows: it goes on around the outline.

A picture is rolled on around the object, as cloth would be: a step along the surface is a step in the picture, and at
the outline, where the picture ends, it turns back. So texture keeps its scale and its direction, and comes from near
by. Only what is quick in the picture is taken, over its surroundings, and only if these are of the colour that the
surface has there. What is much stronger than most of its material is a line or an edge and no texture, and fades.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int64Array
from ..raster.blur import box_blur
from ..raster.morphology import eroded
from ..raster.vectors import by_column, length
from .bake import sample
from .light import materials

_QUICK = 0.012  # of the side: the radius of the surroundings
_EDGE = 2.5  # how much more than the median of its material texture may differ from its surroundings
_RIM = 3  # pixels along the outline, which mix the object with the ground
_BLACK = 1e-3  # of a colour, below which nothing is told apart
_ALIKE = 0.15  # of two colours' sum: if they differ by more, they are hardly one material


@dataclass(frozen=True)
class Grain:
    """The texture of a picture of S x S pixels. surroundings: linear, float32 (S, S, 3). quick: colours over these.

    rows, columns: float64 (S, 2), the first and the last place of the object in each.
    """

    surroundings: Float32Array
    quick: Float32Array
    rows: Float64Array
    columns: Float64Array

    def on(self, points: Float64Array, normals: Float64Array, colours: Float64Array, side: float) -> Float64Array:
        """Colours, linear, float64 (N, 3), with this texture.

        points: float64 (N, 3), as `sight` gives them for a cut-out of `side` pixels. normals: float64 (N, 3). colours:
        float64 (N, 3), linear, smooth.
        """
        scale = len(self.quick) / side
        column, row, depth = points[:, 0] * scale, (side - points[:, 1]) * scale, points[:, 2] * scale
        beside = np.abs(normals[:, 0]) >= np.abs(normals[:, 1])
        across = _turned(column - np.sign(normals[:, 0]) * depth, self.rows[_whole(row, len(self.rows))])
        along = _turned(row + np.sign(normals[:, 1]) * depth, self.columns[_whole(column, len(self.columns))])
        column, row = np.where(beside, across, column), np.where(beside, row, along)
        around = sample(self.surroundings, column, row)
        apart = length(around - colours) / np.maximum(length(around + colours), 1e-6)
        share = np.exp(-((apart / _ALIKE) ** 2))[:, None]
        return colours * (1 + share * (sample(self.quick, column, row) - 1))


def grain_of(colours: Float32Array, inside: BoolArray) -> Grain:
    """The texture of a picture's object. colours: linear, float32 (S, S, 3). inside: bool (S, S)."""
    inside = eroded(inside, _RIM)
    shown = inside.astype(np.float32)
    mass = np.maximum(box_blur(shown, _QUICK * len(inside), beyond="zero"), 1e-6)
    around = box_blur(by_column(np.multiply, colours, shown), _QUICK * len(inside), beyond="zero")
    around = by_column(np.divide, around, mass)
    quick = np.ones_like(around)
    if inside.any():
        over = np.log(np.maximum(colours[inside], _BLACK) / np.maximum(around[inside], _BLACK))
        share = share_of_texture(np.abs(over).mean(axis=1), materials(around[inside].astype(np.float64)))
        quick[inside] = np.exp(by_column(np.multiply, over, share))
    return Grain(around, quick, _ends(inside), _ends(inside.T))


def share_of_texture(differ: Float32Array, material: Int64Array) -> Float32Array:
    """How much of what differs from its surroundings is texture, and no line, float32 (N,) in [0, 1].

    It is 1 up to a few times what its material differs by in the median, and from there on so little that a line is
    left the less the stronger it is. differ: float32 (N,), at least 0. material: int64 (N,), at least 0.
    """
    bound = np.zeros(int(material.max()) + 1, np.float32)
    for each in np.unique(material):
        bound[each] = _EDGE * np.median(differ[material == each])
    share: Float32Array = np.minimum(bound[material] / np.maximum(differ, np.float32(1e-6)), np.float32(1))
    return np.square(share)


def _ends(inside: BoolArray) -> Float64Array:
    """Where the object begins and ends in each row, float64 (S, 2); the whole row if it is not there."""
    last = inside.shape[1] - np.argmax(inside[:, ::-1], axis=1)
    return np.stack([np.argmax(inside, axis=1), last], axis=1).astype(np.float64)


def _turned(place: Float64Array, ends: Float64Array) -> Float64Array:
    """Places, (N,), turned back at the ends, (N, 2), as often as they reach one."""
    low, wide = ends[:, 0], np.maximum(ends[:, 1] - ends[:, 0], 1)
    return low + wide - np.abs((place - low) % (2 * wide) - wide)


def _whole(place: Float64Array, count: int) -> Int64Array:
    """The row or column that a place is in, int64 (N,), the nearest of `count` if it is outside."""
    return np.clip(place.astype(np.int64), 0, count - 1)
