# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of small convolutional networks in numpy.

An image is (H, W, C) here, so that a convolution multiplies a matrix of neighbourhoods, made in bands of rows, by the
matrix of the weights. `backend.training.core.layers` has the same layers in torch.
"""

import logging
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..arrays import Float32Array
from .matmul import MatMul
from .ticks import Poll

_LOG = logging.getLogger(__name__)

_BAND = 1 << 22  # bytes of neighbourhoods that are multiplied at once: so many fit the cache
EPSILON = 1e-5
"""Of the norm, as in torch."""


@dataclass(frozen=True)
class Weights:
    """A network's weights.

    matrices: float32, by the name of the layer, (height * width * inputs, outputs) of a convolution, (inputs, outputs)
    of a linear one. vectors: float32, by name, the biases and the norms' scales and shifts. blocks: the number of
    residual blocks at each level of a part, from fine to coarse.
    """

    matrices: Mapping[str, Float32Array]
    vectors: Mapping[str, Float32Array]
    blocks: Mapping[str, tuple[int, ...]]


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file that `numpy.savez` wrote. No code in the file is run.

    Raises OSError if the file cannot be read, and ValueError if it is damaged or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path} is damaged") from error


def read_weights(path: Path, parts: Iterable[str]) -> Weights:
    """Read a network's weights, an array a tensor of torch's names. No code in the file is run.

    parts: those that have residual blocks at `PART.levels.LEVEL.BLOCK`. Raises OSError if the file cannot be read, and
    ValueError if it is damaged.
    """
    arrays = {name: array.astype(np.float32) for name, array in read_arrays(path).items()}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError(f"{path} holds non-finite numbers")
    matrices: dict[str, Float32Array] = {}
    for name, array in arrays.items():
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0).reshape(-1, len(array))  # noqa: PLW2901
        elif array.ndim == 2:
            array = array.T  # noqa: PLW2901
        else:
            continue
        matrices[name.removesuffix(".weight")] = np.ascontiguousarray(array)
    vectors = {name: array for name, array in arrays.items() if array.ndim == 1}
    return Weights(matrices, vectors, {part: _blocks(arrays, part) for part in parts})


def _blocks(arrays: Mapping[str, Float32Array], part: str) -> tuple[int, ...]:
    """Count the blocks at each level of a part, from fine to coarse."""
    found = [name.split(".") for name in arrays if name.startswith(f"{part}.levels.") and name.endswith(".scale")]
    places = [names[names.index("levels") + 1 :] for names in found]
    levels = sorted({int(level) for level, *_ in places})
    return tuple(sum(int(level) == wanted for level, *_ in places) for wanted in levels)


def usable(load: Callable[[Path], Weights], path: Path, otherwise: str) -> Weights | None:
    """Load weights; None, and a line in the log, if they cannot be read. otherwise: a sentence on what then happens."""
    try:
        return load(path)
    except (OSError, ValueError) as error:
        _LOG.warning("%s The weights cannot be read: %s", otherwise, error)
        return None


@dataclass(frozen=True)
class Layers:
    """A network's layers, applied to images float32 (H, W, C); `poll` is called before each matrix product."""

    weights: Weights
    multiply: MatMul
    poll: Poll

    def encoder(self, part: str, x: Float32Array) -> list[Float32Array]:
        """Return every level's features, fine to coarse, each with half the side of the one before."""
        x = self.convolution(f"{part}.stem", x)
        features = [self.level(part, 0, x)]
        for level in range(1, len(self.weights.blocks[part])):
            name = f"{part}.down.{level - 1}"
            height, width, channels = features[-1].shape
            pairs = features[-1].reshape(height // 2, 2, width // 2, 2, channels).swapaxes(1, 2)
            x = self.linear(name, pairs.reshape(-1, 4 * channels)).reshape(height // 2, width // 2, -1)
            features.append(self.level(part, level, x))
        return features

    def decoder(self, part: str, features: list[Float32Array]) -> Float32Array:
        """Return the finest level's features, of those of all levels, fine to coarse."""
        x = features[-1]
        for level in reversed(range(len(features) - 1)):
            x = self.pointwise(f"{part}.up.{level}", x).repeat(2, axis=0).repeat(2, axis=1)
            x += features[level]
            x = self.level(part, level, x)
        return x

    def level(self, part: str, level: int, x: Float32Array) -> Float32Array:
        """Apply a level's residual blocks."""
        for block in range(self.weights.blocks[part][level]):
            x = self.block(f"{part}.levels.{level}.{block}", x)
        return x

    def block(self, name: str, x: Float32Array) -> Float32Array:
        """Apply x + conv(relu(conv(norm(x)))), the norm over the channels of each pixel."""
        centred = x - x.mean(axis=2, keepdims=True)
        variance = np.einsum("hwc,hwc->hw", centred, centred)[..., None] / np.float32(x.shape[2])
        centred *= 1 / np.sqrt(variance + np.float32(EPSILON))
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
        padded = np.zeros((height + 2, (width + 2) * channels), np.float32)
        padded[1:-1, channels:-channels] = x.reshape(height, width * channels)
        three = sliding_window_view(padded, 3 * channels, axis=1)[:, ::channels]  # pixels side by side
        rows = max(1, _BAND // (width * 9 * channels * 4))
        bands: list[Float32Array] = []
        for first in range(0, height, rows):
            count = min(rows, height - first)
            around = np.empty((count, width, 3, 3 * channels), np.float32)
            for down in range(3):
                around[:, :, down] = three[first + down : first + down + count]
            bands.append(self.linear(name, around.reshape(count * width, 9 * channels)))
        return np.concatenate(bands).reshape(height, width, -1)

    def pointwise(self, name: str, x: Float32Array) -> Float32Array:
        """Convolve by 1 x 1 weights."""
        return self.linear(name, x.reshape(-1, x.shape[2])).reshape(*x.shape[:2], -1)

    def linear(self, name: str, rows: Float32Array) -> Float32Array:
        """Multiply rows, (N, K), by the layer's matrix and add its bias."""
        self.poll()
        result = self.multiply(rows, self.weights.matrices[name])
        result += self.weights.vectors[f"{name}.bias"]
        return result


def pixel_unshuffle(x: Float32Array, side: int) -> Float32Array:
    """Turn blocks of side x side pixels into channels, as torch's pixel_unshuffle does."""
    height, width, channels = x.shape
    blocks = x.reshape(height // side, side, width // side, side, channels).transpose(0, 2, 4, 1, 3)
    return blocks.reshape(height // side, width // side, channels * side**2)


def pixel_shuffle(x: Float32Array, side: int) -> Float32Array:
    """Turn channels into blocks of side x side pixels, as torch's pixel_shuffle does."""
    height, width, channels = x.shape
    blocks = x.reshape(height, width, channels // side**2, side, side).transpose(0, 3, 1, 4, 2)
    return blocks.reshape(height * side, width * side, channels // side**2)


def resized(x: Float32Array, height: int, width: int) -> Float32Array:
    """Resize bilinearly between pixels' centres; the outermost pixels repeat beyond the border."""
    for axis, size in enumerate((height, width)):
        length = x.shape[axis]
        if size == length:
            continue
        at = np.clip((np.arange(size) + 0.5) * (length / size) - 0.5, 0, length - 1)
        first = np.minimum(at.astype(np.intp), max(length - 2, 0))
        share = np.expand_dims((at - first).astype(np.float32), tuple({0, 1, 2} - {axis}))
        second = np.minimum(first + 1, length - 1)
        x = x.take(first, axis=axis) * (1 - share) + x.take(second, axis=axis) * share
    return x
