# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet network's look at a normal map: at the object's own square, and at its mirror image."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..flow.products import Crop, NormalMap
from ..raster.layers import Weights, usable
from ..raster.matmul import fastest
from ..raster.resample import crop_normals
from ..raster.side_by_side import both
from ..raster.ticks import Poll
from . import integration
from .features import MARGIN, SIDE, X, see
from .network import Sheets, load, predict

TYPICAL = 0.5
"""The quantile of the typical body: the median, by which a ball is as deep as it is wide."""


@dataclass(frozen=True)
class Square:
    """The square about the object, as the network sees it.

    crop: where it lies in the normal map, in its pixels. inside: bool (S, S), the object. planes: float32 (S, S, 8),
    see `features.see`.
    """

    crop: Crop
    inside: BoolArray
    planes: Float32Array


def look_at(normal_map: NormalMap, poll: Poll) -> Square:
    """Return the object's own square, so that nothing depends on how large the object is in the map.

    An alpha above one half is needed in at least one pixel.
    """
    crop = _square(normal_map)
    clean = integration.clean(normal_map.normals, normal_map.alpha > 0).astype(np.float32)
    small = crop_normals(NormalMap(clean, normal_map.alpha), crop, SIDE, multiply=fastest())
    inside = small.alpha > min(0.5, 0.5 * float(small.alpha.max()))
    return Square(crop, inside, see(small.normals, inside, poll))


def answer(weights: Weights, square: Square, quantile: float, poll: Poll) -> Sheets:
    """Return the mean of what the network says of a square and of its mirror image; see `network.predict`."""
    multiply = fastest()
    mirrored = square.planes[:, ::-1] * np.where(np.isin(np.arange(square.planes.shape[2]), (0, X)), -1, 1)
    seen, other = both(
        lambda poll: predict(weights, square.planes, quantile, multiply, poll),
        lambda poll: predict(weights, mirrored.astype(np.float32), quantile, multiply, poll),
        poll,
    )
    return Sheets(
        _mean(seen.front, other.front[:, ::-1]),
        _mean(seen.back, other.back[:, ::-1]),
        _mean(seen.up, other.up * np.array([-1, 1, 1], np.float32)),
        (seen.nearness + other.nearness) / 2,
        (seen.doubt + other.doubt) / 2,
    )


def _mean(one: Float32Array, other: Float32Array) -> Float32Array:
    return (one + other) * np.float32(0.5)


def _square(normal_map: NormalMap) -> Crop:
    """Return the square about the object that the network sees, in the map's pixels."""
    side = len(normal_map.alpha)
    rows, columns = (np.flatnonzero((normal_map.alpha > 0.5).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    longer = MARGIN * float(max(bottom - top, right - left))
    return Crop((left + right - longer) / 2, (top + bottom - longer) / 2, longer, side, side)


@cache
def read_weights(path: Path) -> Weights | None:
    """Read the weights, once in this process; None, and a line in the log, if they cannot be read."""
    return usable(load, path, "Bodies follow from normals and outline alone.")
