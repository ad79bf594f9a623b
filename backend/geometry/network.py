# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet network in numpy: from a normal map to a front, a thickness behind it, and what is up.

`backend.training.geometry` describes the network and trains it; this module runs the same weights with numpy alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..raster.layers import EPSILON, Layers, Weights, pixel_shuffle, pixel_unshuffle, read_weights
from ..raster.matmul import MatMul, by_matmul
from ..raster.ticks import Poll
from .features import CHANNELS, MASK, H, Z

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The weights that ship."""

BLOCK = 2
"""Pixels along the side of a block, of which the network sees one value a channel."""

SCALE = 0.15  # a, of what the network adds
SOFT = 0.04  # s, of the softplus
BLUR = (1, 2)  # of what is added, and of what the back hangs on: binomials of pixels so far apart

SURE = 0.2  # the greatest doubt with which `up` is trusted: a distance of unit vectors, 11 degrees

LEAK = 0.1  # the slope below 0 of the pose's hidden values


@dataclass(frozen=True)
class Sheets:
    """A body's two sides, float32 (S, S), in halves of the square's side, z to the viewer, 0 off the object.

    back: always at or behind the front. up: float32 (3,), camera space; its direction counts. nearness: one over the
    eye's distance from the depth 0, about 0 for parallel rays. doubt: the distance that is expected between `up` and
    what is up, unit vectors: 0.1 is 6 degrees.
    """

    front: Float32Array
    back: Float32Array
    up: Float32Array
    nearness: float
    doubt: float


def load(path: Path) -> Weights:
    """Read weights that `backend.training.core.exported.export` wrote. No code in the file is run.

    Raises OSError if the file cannot be read, and ValueError if it is damaged or holds something else.
    """
    weights = read_weights(path, ("encoder", "decoder"))
    try:
        size = BLOCK << len(weights.blocks["encoder"])
        predict(weights, np.zeros((size, size, CHANNELS), np.float32), 0.5, by_matmul, lambda: None)
    except (LookupError, ValueError) as error:
        raise ValueError(f"{path} holds another network") from error
    return weights


def predict(weights: Weights, planes: Float32Array, quantile: float, multiply: MatMul, poll: Poll) -> Sheets:
    """Run the network on what `features.see` returns.

    quantile: in (0, 1), the share of plausible bodies that are thinner than the one asked for. multiply: the matrix
    product, before each of which `poll` is called.
    """
    run = Layers(weights, multiply, poll)
    wanted = np.full((*planes.shape[:2], 1), 2 * quantile - 1, np.float32)
    features = run.encoder("encoder", pixel_unshuffle(np.concatenate([planes, wanted], axis=2), BLOCK))
    hidden = run.linear("pose.0", np.concatenate([_moments(level) for level in features])[None])
    pose = run.linear("pose.2", np.where(hidden > 0, hidden, np.float32(LEAK) * hidden))[0]
    answer = pixel_shuffle(run.pointwise("decoder.head", run.decoder("decoder", features)), BLOCK)
    added = _blurred(answer, BLUR) * np.float32(SCALE)
    mask, z, h = (planes[..., plane] for plane in (MASK, Z, H))
    front = z + added[..., 0]
    thickness = np.logaddexp(0, (2 * h + added[..., 1]) / np.float32(SOFT)) * np.float32(SOFT)
    hung = _blurred((front * mask)[..., None], BLUR) / np.maximum(_blurred(mask[..., None], BLUR), np.float32(1e-6))
    back = np.minimum(hung[..., 0] - thickness, front)
    return Sheets(front * mask, back * mask, pose[:3], float(pose[3]), float(pose[4]))


def _moments(features: Float32Array) -> Float32Array:
    """Return the means of features, (S, S, C), and of these times x and times y, downwards, normed: (3 C)."""
    place = np.linspace(-1, 1, len(features), dtype=np.float32)
    across, down = place[None, :, None], place[:, None, None]
    pooled = np.concatenate([part.mean(axis=(0, 1)) for part in (features, features * across, features * down)])
    return (pooled - pooled.mean()) / np.sqrt(pooled.var() + np.float32(EPSILON))


def _blurred(image: Float32Array, times: tuple[int, ...]) -> Float32Array:
    """Blur by binomials over 3 x 3 pixels, so and so many pixels apart, with zeros beyond the border."""
    for apart in times:
        padded = np.pad(image, ((apart, apart), (apart, apart), (0, 0)))
        rows = (padded[: -2 * apart] + 2 * padded[apart:-apart] + padded[2 * apart :]) / 4
        image = (rows[:, : -2 * apart] + 2 * rows[:, apart:-apart] + rows[:, 2 * apart :]) / 4
    return image
