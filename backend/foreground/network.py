# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out network in numpy: from a picture to how surely each pixel is the object's.

`backend.training.cutouts` describes the network and trains it; this module runs the same weights with numpy alone.
"""

from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..raster.layers import Layers, Weights, pixel_shuffle, pixel_unshuffle, read_weights
from ..raster.matmul import MatMul, by_matmul
from ..raster.ticks import Poll
from .features import CHANNELS

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The weights that ship."""

BLOCK = 4
"""Pixels along the side of a block, of which the network sees one value a channel."""


def load(path: Path) -> Weights:
    """Read weights that `backend.training.core.exported.export` wrote. No code in the file is run.

    Raises OSError if the file cannot be read, and ValueError if it is damaged or holds something else.
    """
    weights = read_weights(path, ("encoder", "decoder"))
    try:
        size = multiple(weights)
        predict(weights, np.zeros((size, size, CHANNELS), np.float32), by_matmul, lambda: None)
    except (LookupError, ValueError) as error:
        raise ValueError(f"{path} holds another network") from error
    return weights


def multiple(weights: Weights) -> int:
    """Return the number of pixels that both sides of a picture must be multiples of."""
    return BLOCK << (len(weights.blocks["encoder"]) - 1)


def predict(weights: Weights, planes: Float32Array, multiply: MatMul, poll: Poll) -> Float32Array:
    """Run the network on what `features.see` returns; both sides must be multiples of `multiple`.

    multiply: the matrix product, before each of which `poll` is called. Returns float32 (H, W), the logarithm of the
    odds that a pixel is the object's.
    """
    run = Layers(weights, multiply, poll)
    features = run.encoder("encoder", pixel_unshuffle(planes, BLOCK))
    answer = pixel_shuffle(run.pointwise("decoder.head", run.decoder("decoder", features)), BLOCK)
    return answer[..., 0]
