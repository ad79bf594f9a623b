# SPDX-License-Identifier: GPL-3.0-or-later
"""The small normal estimator in numpy: two encoders, one decoder.

`backend.training.normals` describes the network and trains it; this module runs the same weights with numpy alone. An
image is (H, W, C) here, so that a convolution multiplies a matrix of neighbourhoods, made in bands of rows, by the
matrix of the weights.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Float32Array
from ..raster.ticks import Poll
from .features import GRID
from .matmul import MatMul, by_matmul

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The weights that ship."""

_BAND = 1 << 22  # bytes of neighbourhoods that are multiplied at once: so many fit the cache
_EPSILON = 1e-5  # of the norm, as in torch


@dataclass(frozen=True)
class Weights:
    """A network's weights.

    matrices: float32, by the name of the layer, (height * width * inputs, outputs) of a convolution. vectors: float32,
    by name, the biases and the norms' scales and shifts. blocks: the number of residual blocks at each level of a part.
    """

    matrices: Mapping[str, Float32Array]
    vectors: Mapping[str, Float32Array]
    blocks: Mapping[str, tuple[int, ...]]

    @property
    def multiple(self) -> int:
        """The number of pixels that both sides of a picture must be multiples of."""
        return GRID << len(self.blocks["clean"])


def load(path: Path) -> Weights:
    """Read weights that `backend.training.normals.task.export` wrote. No code in the file is run.

    Raises OSError if the file cannot be read, and ValueError if it is damaged or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged") from error
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError(f"{path} holds non-finite numbers")
    matrices = {
        name.removesuffix(".weight"): np.ascontiguousarray(array.transpose(2, 3, 1, 0).reshape(-1, len(array)))
        for name, array in arrays.items()
        if array.ndim == 4
    }
    vectors = {name: array for name, array in arrays.items() if array.ndim == 1}
    weights = Weights(matrices, vectors, {part: _blocks(arrays, part) for part in ("clean", "noisy", "decoder")})
    try:
        _look_at_nothing(weights)
    except (LookupError, ValueError) as error:
        raise ValueError(f"{path} holds another network") from error
    return weights


def _look_at_nothing(weights: Weights) -> None:
    """Run the network on the smallest picture, empty, so that weights which are missing or do not fit are noticed."""
    size = weights.multiple
    picture, inflated = np.zeros((size, size, 4), np.float32), np.zeros((size // GRID, size // GRID, 3), np.float32)
    predict(weights, picture, inflated, by_matmul, lambda: None)


def _blocks(arrays: Mapping[str, Float32Array], part: str) -> tuple[int, ...]:
    """Count the blocks at each level of a part, from fine to coarse."""
    found = [name.split(".")[2:4] for name in arrays if name.startswith(f"{part}.levels.") and name.endswith(".scale")]
    levels = sorted({int(level) for level, _ in found})
    return tuple(sum(int(level) == wanted for level, _ in found) for wanted in levels)


def predict(
    weights: Weights, picture: Float32Array, inflated: Float32Array, multiply: MatMul, poll: Poll
) -> Float32Array:
    """Run the network on one picture.

    picture: float32 (H, W, 4), both sides multiples of `Weights.multiple`, from `features.standardise`. inflated:
    float32 (H / GRID, W / GRID, 3), from `features.inflate`. multiply: the matrix multiplication, before each of which
    `poll` is called. Returns float32 (H, W, 3): normals of any length, camera space, x right, y up, z to the viewer.
    """
    run = _Run(weights, multiply, poll)
    halved = picture.reshape(len(picture) // 2, 2, picture.shape[1] // 2, 2, 4).mean(axis=(1, 3))
    coarse = [_pixel_unshuffle(halved, GRID), _pixel_unshuffle(inflated, 2)]
    clean = run.encoder("clean", np.concatenate(coarse, axis=2))
    noisy = run.encoder("noisy", _pixel_unshuffle(picture, GRID))
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
    return _pixel_shuffle(run.pointwise("decoder.head", x), GRID) + _enlarged(inflated, GRID)


@dataclass(frozen=True)
class _Run:
    """The network's parts, applied to images float32 (H, W, C)."""

    weights: Weights
    multiply: MatMul
    poll: Poll

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
        """Convolve by 3 x 3 weights, with zeros beyond the border."""
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
        self.poll()
        result = self.multiply(rows, self.weights.matrices[name])
        result += self.weights.vectors[f"{name}.bias"]
        return result


def _pixel_unshuffle(x: Float32Array, side: int) -> Float32Array:
    """Turn blocks of side x side pixels into channels, as torch's pixel_unshuffle does."""
    height, width, channels = x.shape
    blocks = x.reshape(height // side, side, width // side, side, channels).transpose(0, 2, 4, 1, 3)
    return blocks.reshape(height // side, width // side, channels * side**2)


def _pixel_shuffle(x: Float32Array, side: int) -> Float32Array:
    """Turn channels into blocks of side x side pixels, as torch's pixel_shuffle does."""
    height, width, channels = x.shape
    blocks = x.reshape(height, width, channels // side**2, side, side).transpose(0, 3, 1, 4, 2)
    return blocks.reshape(height * side, width * side, channels // side**2)


def _enlarged(x: Float32Array, factor: int) -> Float32Array:
    """Enlarge bilinearly by a whole factor; the outermost pixels repeat beyond the border."""
    for axis in (0, 1):
        length = x.shape[axis]
        at = np.clip((np.arange(length * factor) + 0.5) / factor - 0.5, 0, length - 1)
        first = np.minimum(at.astype(np.intp), max(length - 2, 0))
        share = np.expand_dims((at - first).astype(np.float32), tuple({0, 1, 2} - {axis}))
        second = np.minimum(first + 1, length - 1)
        x = x.take(first, axis=axis) * (1 - share) + x.take(second, axis=axis) * share
    return x
