# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out network's looks at a picture: a coarse and a fine one, each at it and at its mirror image."""

from functools import cache
from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Picture
from ..raster.layers import Weights, resized, usable
from ..raster.matmul import by_einsum
from ..raster.resample import resample
from ..raster.ticks import Poll
from .features import SIDE, see
from .network import load, multiple, predict

_SIDES = (SIDE, 256)
_MOST = 30.0  # of the logarithm: beyond, the exponential overflows


def look(weights: Weights, picture: Picture, poll: Poll) -> Float32Array:
    """Return how surely each pixel of an opaque picture, uint8 (H, W, 4), is the object's: float32 (H, W) in [0, 1].

    Once it sees about as many pixels as it learned from, which says what the object is, and once more of them, which
    says where it ends; both in nearly the picture's own proportions. Products are sums in numpy's own order, not BLAS',
    so that the answer is the same with any number of threads.
    """
    odds = sum(_odds(weights, picture, side, poll) for side in _SIDES) / np.float32(len(_SIDES))
    return 1 / (1 + np.exp(-np.clip(odds, -_MOST, _MOST)))


def _odds(weights: Weights, picture: Picture, side: int, poll: Poll) -> Float32Array:
    """Return the logarithm of the odds at every pixel, seen at about side x side pixels."""
    height, width = picture.shape[:2]
    step = multiple(weights)
    stretch = np.sqrt(height / width)
    rows, columns = (max(step, round(side * by / step) * step) for by in (stretch, 1 / stretch))
    small = resample(picture, (0, 0, width, height), (rows, columns), multiply=by_einsum)[..., :3]
    poll()
    planes = see(small), see(small[:, ::-1])
    seen, mirrored = (predict(weights, plane, by_einsum, poll) for plane in planes)
    return resized((seen + mirrored[:, ::-1])[..., None] * np.float32(0.5), height, width)[..., 0]


@cache
def read_weights(path: Path) -> Weights | None:
    """Read the weights, once in this process; None, and a line in the log, if they cannot be read."""
    return usable(load, path, "Cut-outs are found by colours alone.")
