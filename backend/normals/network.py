# SPDX-License-Identifier: GPL-3.0-or-later
"""The small normal estimator in numpy: two streams, their joints, one decoder.

What the network is, `backend.training.normals.network` says, which trains it; this module runs the same weights without
anything but numpy. An image is (H, W, C) here, so that a convolution is a product of a matrix of neighbourhoods, made
band by band, with the matrix of the weights.
"""

import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from .features import GRID
from .products import Product

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The network that ships."""

_BAND = 1 << 22  # bytes of neighbourhoods that are multiplied at once: they stay in the cache
_EPSILON = 1e-5  # of the norm, as in torch

Tick = Callable[[], None]


@dataclass(frozen=True)
class Weights:
    """A network's weights.

    matrices: float32, by the name of their layer: a convolution's as (height * width * inputs, outputs). vectors: the
    biases, and the norms' scale and shift. blocks: how many residual blocks each level of a part has.
    """

    matrices: Mapping[str, Float32Array]
    vectors: Mapping[str, Float32Array]
    blocks: Mapping[str, tuple[int, ...]]

    @property
    def multiple(self) -> int:
        """Both sides of a picture must be multiples of this, in pixels."""
        return GRID << len(self.blocks["clean"])


def load(path: Path) -> Weights:
    """Read weights that `backend.training.normals.task.export` wrote. Nothing in the file is run.

    Raises OSError where it cannot be read, ValueError where it is not such a file or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged") from error
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError(f"{path} holds what is no number")
    matrices = {
        name.removesuffix(".weight"): np.ascontiguousarray(array.transpose(2, 3, 1, 0).reshape(-1, len(array)))
        for name, array in arrays.items()
        if array.ndim == 4
    }
    vectors = {name: array for name, array in arrays.items() if array.ndim == 1}
    weights = Weights(matrices, vectors, {part: _blocks(arrays, part) for part in ("clean", "noisy", "decoder")})
    if not all(weights.blocks.values()) or "decoder.head" not in matrices:
        raise ValueError(f"{path} holds another network")
    return weights


def _blocks(arrays: Mapping[str, Float32Array], part: str) -> tuple[int, ...]:
    """Count the blocks of a part's levels, fine to coarse."""
    found = [name.split(".")[2:4] for name in arrays if name.startswith(f"{part}.levels.") and name.endswith(".scale")]
    levels = sorted({int(level) for level, _ in found})
    return tuple(sum(int(level) == wanted for level, _ in found) for wanted in levels)


def predict(
    weights: Weights, picture: Float32Array, inflated: Float32Array, product: Product, tick: Tick
) -> Float32Array:
    """Run the network on one picture.

    picture: float32 (H, W, 4), both sides multiples of `Weights.multiple`, and inflated: (H / GRID, W / GRID, 3), as
    `features` makes them. `tick` is called between products, many times a second. Returns float32 (H, W, 3): normals
    that are yet to be made unit length, camera space, x right, y up, z to the viewer.
    """
    run = _Run(weights, product, tick)
    halved = picture.reshape(len(picture) // 2, 2, picture.shape[1] // 2, 2, 4).mean(axis=(1, 3))
    clean = run.encoder("clean", np.concatenate([_gathered(halved, GRID), _gathered(inflated, 2)], axis=2))
    noisy = run.encoder("noisy", _gathered(picture, GRID))
    features = [run.pointwise(f"joints.{level}", stream) for level, stream in enumerate(noisy)]
    for level, stream in enumerate(clean, start=1):
        if level < len(features):
            features[level] += stream
        else:
            features.append(stream)
    x = features[-1]
    for level in reversed(range(len(features) - 1)):
        x = run.pointwise(f"decoder.up.{level}", x).repeat(2, axis=0).repeat(2, axis=1)
        x += features[level]
        x = run.level("decoder", level, x)
    return _spread(run.pointwise("decoder.head", x), GRID) + _enlarged(inflated, GRID)


@dataclass(frozen=True)
class _Run:
    weights: Weights
    product: Product
    tick: Tick

    def encoder(self, part: str, x: Float32Array) -> list[Float32Array]:
        x = self.convolution(f"{part}.stem", x)
        features = [self.level(part, 0, x)]
        for level in range(1, len(self.weights.blocks[part])):
            name = f"{part}.down.{level - 1}"
            height, width, channels = features[-1].shape
            pairs = features[-1].reshape(height // 2, 2, width // 2, 2, channels).swapaxes(1, 2)
            x = self._biased(name, pairs.reshape(-1, 4 * channels)).reshape(height // 2, width // 2, -1)
            features.append(self.level(part, level, x))
        return features

    def level(self, part: str, level: int, x: Float32Array) -> Float32Array:
        for block in range(self.weights.blocks[part][level]):
            x = self.block(f"{part}.levels.{level}.{block}", x)
        return x

    def block(self, name: str, x: Float32Array) -> Float32Array:
        centred = x - x.mean(axis=2, keepdims=True)
        variance = np.einsum("hwc,hwc->hw", centred, centred)[..., None] / np.float32(x.shape[2])
        centred *= 1 / np.sqrt(variance + np.float32(_EPSILON))
        centred *= self.weights.vectors[f"{name}.scale"]
        centred += self.weights.vectors[f"{name}.shift"]
        hidden = self.convolution(f"{name}.first", centred)
        np.maximum(hidden, 0, out=hidden)
        hidden = self.convolution(f"{name}.second", hidden)
        hidden += x
        return hidden

    def convolution(self, name: str, x: Float32Array) -> Float32Array:
        """3 x 3, zeros beyond the border."""
        height, width, channels = x.shape
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        rows = max(1, _BAND // (width * 9 * channels * 4))
        bands: list[Float32Array] = []
        for first in range(0, height, rows):
            count = min(rows, height - first)
            around = np.empty((count, width, 3, 3, channels), np.float32)
            for down in range(3):
                for right in range(3):
                    around[:, :, down, right] = padded[first + down : first + down + count, right : right + width]
            bands.append(self._biased(name, around.reshape(count * width, 9 * channels)))
        return np.concatenate(bands).reshape(height, width, -1)

    def pointwise(self, name: str, x: Float32Array) -> Float32Array:
        return self._biased(name, x.reshape(-1, x.shape[2])).reshape(*x.shape[:2], -1)

    def _biased(self, name: str, rows: Float32Array) -> Float32Array:
        self.tick()
        result = self.product(rows, self.weights.matrices[name])
        result += self.weights.vectors[f"{name}.bias"]
        return result


def _gathered(x: Float32Array, side: int) -> Float32Array:
    """Lay the pixels of blocks of side x side beside each other, channel by channel: torch's pixel_unshuffle."""
    height, width, channels = x.shape
    blocks = x.reshape(height // side, side, width // side, side, channels).transpose(0, 2, 4, 1, 3)
    return blocks.reshape(height // side, width // side, channels * side**2)


def _spread(x: Float32Array, side: int) -> Float32Array:
    """Undo `_gathered`: torch's pixel_shuffle."""
    height, width, channels = x.shape
    blocks = x.reshape(height, width, channels // side**2, side, side).transpose(0, 3, 1, 4, 2)
    return blocks.reshape(height * side, width * side, channels // side**2)


def _enlarged(x: Float32Array, factor: int) -> Float32Array:
    """Interpolate linearly between the centres of pixels, along rows and columns; beyond the last they go on."""
    for axis in (0, 1):
        length = x.shape[axis]
        at = np.clip((np.arange(length * factor) + 0.5) / factor - 0.5, 0, length - 1)
        first = np.minimum(at.astype(np.intp), max(length - 2, 0))
        share = np.expand_dims((at - first).astype(np.float32), tuple({0, 1, 2} - {axis}))
        second = np.minimum(first + 1, length - 1)
        x = x.take(first, axis=axis) * (1 - share) + x.take(second, axis=axis) * share
    return x
