# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out network's looks at a picture: a coarse and a fine one, each at it and at its mirror image."""

from functools import cache
from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Picture
from ..raster.layers import Weights, resized, usable
from ..raster.matmul import fastest
from ..raster.resample import resample
from ..raster.side_by_side import both
from ..raster.ticks import Poll
from .features import SIDE, see
from .network import load, multiple, predict

_SIDES = (SIDE, 256)
_MOST = 30.0  # of the logarithm: beyond, the exponential overflows


def look(weights: Weights, picture: Picture, poll: Poll) -> Float32Array:
    """Return how surely each pixel of an opaque picture, uint8 (H, W, 4), is the object's: float32 (H, W) in [0, 1].

    Once it sees about as many pixels as it learned from, which says what the object is, and once more of them, which
    says where it ends; both in nearly the picture's own proportions.
    """
    smaller = [_smaller(weights, picture, side) for side in _SIDES]
    mirrored = [each[:, ::-1] for each in smaller]
    seen, other = both(lambda poll: _odds(weights, smaller, poll), lambda poll: _odds(weights, mirrored, poll), poll)
    height, width = picture.shape[:2]
    means = [(one + two[:, ::-1])[..., None] * np.float32(0.5) for one, two in zip(seen, other, strict=True)]
    odds = sum(resized(mean, height, width)[..., 0] for mean in means) / np.float32(len(_SIDES))
    return 1 / (1 + np.exp(-np.clip(odds, -_MOST, _MOST)))


def _smaller(weights: Weights, picture: Picture, side: int) -> Picture:
    """Return a picture's colours at about side x side pixels, as many as the network takes."""
    height, width = picture.shape[:2]
    step = multiple(weights)
    stretch = np.sqrt(height / width)
    rows, columns = (max(step, round(side * by / step) * step) for by in (stretch, 1 / stretch))
    return resample(picture, (0, 0, width, height), (rows, columns), multiply=fastest())[..., :3]


def _odds(weights: Weights, pictures: list[Picture], poll: Poll) -> list[Float32Array]:
    """Return the logarithm of the odds at every pixel of each picture."""
    return [predict(weights, see(each), fastest(), poll) for each in pictures]


@cache
def read_weights(path: Path) -> Weights | None:
    """Read the weights, once in this process; None, and a line in the log, if they cannot be read."""
    return usable(load, path, "Cut-outs are found by colours alone.")
