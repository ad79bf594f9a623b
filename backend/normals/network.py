# SPDX-License-Identifier: GPL-3.0-or-later
"""The small normal estimator in numpy: two encoders, one decoder.

`backend.training.normals` describes the network and trains it; this module runs the same weights with numpy alone.
"""

from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..raster.layers import Layers, Weights, pixel_shuffle, pixel_unshuffle, read_weights, resized
from ..raster.matmul import MatMul, by_matmul
from ..raster.ticks import Poll
from .features import GRID

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The weights that ship."""


def load(path: Path) -> Weights:
    """Read weights that `backend.training.core.exported.export` wrote. No code in the file is run.

    Raises OSError if the file cannot be read, and ValueError if it is damaged or holds something else.
    """
    weights = read_weights(path, ("clean", "noisy", "decoder"))
    try:
        _look_at_nothing(weights)
    except (LookupError, ValueError) as error:
        raise ValueError(f"{path} holds another network") from error
    return weights


def multiple(weights: Weights) -> int:
    """Return the number of pixels that both sides of a picture must be multiples of."""
    return GRID << len(weights.blocks["clean"])


def _look_at_nothing(weights: Weights) -> None:
    """Run the network on the smallest picture, empty, so that weights which are missing or do not fit are noticed."""
    size = multiple(weights)
    picture, inflated = np.zeros((size, size, 4), np.float32), np.zeros((size // GRID, size // GRID, 3), np.float32)
    predict(weights, picture, inflated, by_matmul, lambda: None)


def predict(
    weights: Weights, picture: Float32Array, inflated: Float32Array, multiply: MatMul, poll: Poll
) -> Float32Array:
    """Run the network on one picture.

    picture: float32 (H, W, 4), both sides multiples of `multiple`, from `features.standardise`. inflated:
    float32 (H / GRID, W / GRID, 3), from `features.inflate`. multiply: the matrix multiplication, before each of which
    `poll` is called. Returns float32 (H, W, 3): normals of any length, camera space, x right, y up, z to the viewer.
    """
    run = Layers(weights, multiply, poll)
    halved = picture.reshape(len(picture) // 2, 2, picture.shape[1] // 2, 2, 4).mean(axis=(1, 3))
    coarse = [pixel_unshuffle(halved, GRID), pixel_unshuffle(inflated, 2)]
    clean = run.encoder("clean", np.concatenate(coarse, axis=2))
    noisy = run.encoder("noisy", pixel_unshuffle(picture, GRID))
    features = [run.pointwise(f"joints.{level}", stream) for level, stream in enumerate(noisy)]
    for level, stream in enumerate(clean, start=1):
        if level < len(features):
            features[level] += stream
        else:
            features.append(stream)
    x = run.decoder("decoder", features)
    base = resized(inflated, *picture.shape[:2])
    return pixel_shuffle(run.pointwise("decoder.head", x), GRID) + base
