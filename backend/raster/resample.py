# SPDX-License-Identifier: GPL-3.0-or-later
"""Resample any window of an image to any size, by separable cubic convolution.

The kernel is Keys' cubic (IEEE Transactions on Acoustics, Speech and Signal Processing, 1981, a = -1/2). If the image
shrinks, the kernel is widened by the same factor, so that every source pixel counts. Each axis is a banded matrix,
built and applied in blocks of rows as small dense products.

Images are (H, W) or (H, W, C), uint8 or floating; pixel j covers [j, j + 1). An image of four channels is a picture
with straight alpha; a floating one lies in [0, 1]. Its colours are weighted by alpha, so that colours of transparent
pixels never show; where the result is transparent, its colours are 0. Results are uint8, rounded, or float32, like the
input.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, cast

import numpy as np

from ..arrays import Float32Array, Float64Array, UInt8Array
from ..flow.products import Crop, NormalMap, Picture
from .matmul import MatMul, by_matmul
from .vectors import TO_VIEWER, by_column, unit

Pixels = TypeVar("Pixels", UInt8Array, Float32Array)

Window = tuple[float, float, float, float]
"""Left, top, width and height of a rectangle, in an image's pixels; it may be fractional and reach past the border."""

_BLOCK = 16  # rows of a result computed together: enough for a fast product, few enough to keep the band narrow
_KERNEL_RADIUS = 2.0


def crop_resize(
    pixels: Pixels,
    left: float,
    top: float,
    side: float,
    size: int,
    *,
    fill: float | None = None,
    multiply: MatMul = by_matmul,
) -> Pixels:
    """Return a square window of an image, (size, size) or (size, size, C).

    left, top, side: the window in the image's pixels; it may be fractional and reach past the border. Beyond the border
    lies `fill` in every channel or, without it, the outermost pixels repeated. multiply: the matrix product.

    Raises ValueError for an empty image or a window without area.
    """
    return resample(pixels, (left, top, side, side), (size, size), fill=fill, multiply=multiply)


def paste_back(pixels: Pixels, crop: Crop, shape: tuple[int, int] | None = None, *, fill: float = 0.0) -> Pixels:
    """Return the whole picture's frame with an image of the crop's square, (S, S) or (S, S, C), at its place.

    shape: rows and columns of the result; without it those of the picture. Outside the square lies `fill`.
    """
    scale = pixels.shape[0] / crop.side
    width, height = crop.picture_width, crop.picture_height
    window = (-crop.left * scale, -crop.top * scale, width * scale, height * scale)
    return resample(pixels, window, shape or (height, width), fill=fill)


def crop_normals(in_picture: NormalMap, crop: Crop, size: int, *, multiply: MatMul = by_matmul) -> NormalMap:
    """Return the part of a whole picture's normal map, (H, W), that lies in the crop's square, (size, size)."""

    def move(field: Float32Array) -> Float32Array:
        return crop_resize(field, crop.left, crop.top, crop.side, size, fill=0.0, multiply=multiply)

    return _moved(in_picture, move)


def paste_back_normals(in_square: NormalMap, crop: Crop, shape: tuple[int, int] | None = None) -> NormalMap:
    """Return the whole picture's frame with a normal map of the crop's square at its place; see `paste_back`."""
    return _moved(in_square, lambda field: paste_back(field, crop, shape))


def resample(
    pixels: Pixels,
    window: Window,
    shape: tuple[int, int],
    *,
    fill: float | None = None,
    multiply: MatMul = by_matmul,
) -> Pixels:
    """Return a window of an image, resampled to `shape` (rows, columns).

    Beyond the border lies `fill` in every channel or, without it, the outermost pixels repeated. multiply: the matrix
    product.

    Raises ValueError for an empty image or a window without area.
    """
    left, top, width, height = window
    if not (pixels.size and min(shape) > 0 and 0 < width < np.inf and 0 < height < np.inf):
        raise ValueError(f"cannot resample the window {window} of an image {pixels.shape} to {shape}")
    image = pixels if pixels.ndim == 3 else pixels[..., None]
    beyond = None if fill is None else _premultiplied(np.full_like(image[:1, :1], fill))[0, 0]
    # The first pass takes only the columns that the second needs.
    reach = _KERNEL_RADIUS * max(width / shape[1], 1.0) + 1.0
    first = int(np.clip(np.floor(left - reach), 0, image.shape[1] - 1))
    last = int(np.clip(np.ceil(left + width + reach), first + 1, image.shape[1]))
    rows = _stretch(image[:, first:last], (top, height), shape[0], beyond, multiply, premultiply=True)
    # The second axis becomes the first one: a copy is cheaper than products over strides.
    turned = np.ascontiguousarray(rows.swapaxes(0, 1))
    columns = _stretch(turned, (left - first, width), shape[1], beyond, multiply, premultiply=False)
    result = _straight(columns.swapaxes(0, 1), _full(pixels))
    result = result.reshape(*shape, *pixels.shape[2:])
    return cast("Pixels", np.rint(result).astype(np.uint8) if pixels.dtype == np.uint8 else result)


def shrink(picture: Picture, factor: int) -> Picture:
    """Average blocks of factor x factor pixels; blocks that reach past the border repeat its last pixels.

    picture: uint8 (H, W, 4), straight alpha. factor: 1 to 16. Returns uint8 (ceil(H / factor), ceil(W / factor), 4).
    Twenty times as fast as `resample` for an opaque picture.
    """
    height, width = picture.shape[:2]
    columns = -(-width // factor)
    result = np.empty((-(-height // factor), columns, 4), np.uint8)
    for first in range(0, len(result), _BLOCK):
        block = result[first : first + _BLOCK]
        band = picture[first * factor : (first + len(block)) * factor]
        past = (len(block) * factor - len(band), columns * factor - width)
        if any(past):
            band = np.pad(band, ((0, past[0]), (0, past[1]), (0, 0)), mode="edge")
        lines = _premultiplied_bytes(band).reshape(len(block), factor, -1)
        sums = np.zeros((len(block), columns * factor * 4), np.uint16)
        for line in range(factor):
            sums += lines[:, line]
        # The four 16-bit sums of a pixel are added as one 64-bit word: 16 x 16 bytes do not overflow them.
        words = sums.view(np.uint64).reshape(len(block), columns, factor)
        totals = words[:, :, 0].copy()
        for column in range(1, factor):
            totals += words[:, :, column]
        means = totals.view(np.uint16).reshape(len(block), columns, 4).astype(np.float32) / np.float32(factor**2)
        block[:] = np.rint(_straight(means, 255.0))
    return result


def _premultiplied_bytes(band: Picture) -> Picture:
    """Multiply a picture's colours by its alpha, rounded to bytes."""
    alpha = band[..., 3].astype(np.uint16)
    if alpha.min() == 255:
        return band
    weighted = band.copy()
    for channel in range(3):
        product = band[..., channel] * alpha + 128
        weighted[..., channel] = (product + (product >> 8)) >> 8
    return weighted


def _moved(normal_map: NormalMap, move: Callable[[Float32Array], Float32Array]) -> NormalMap:
    """Apply `move` to a normal map: normals are weighted by alpha and made unit length again."""
    alpha = np.clip(move(normal_map.alpha), 0.0, 1.0)
    normals = move(by_column(np.multiply, normal_map.normals, normal_map.alpha))
    return NormalMap(unit(normals, TO_VIEWER, least=1e-3), alpha)


def _premultiplied(band: UInt8Array | Float32Array) -> Float32Array:
    """Return rows of an image as float32, the colours of a picture multiplied by its alpha."""
    floats = band.astype(np.float32)
    full = _full(band)
    if band.shape[2] == 4 and band[..., 3].min() < full:
        coverage = floats[..., 3] * np.float32(1 / full)
        for channel in range(3):
            floats[..., channel] *= coverage
    return floats


def _straight(floats: Float32Array, full: float) -> Float32Array:
    """Divide by alpha again, and clip bytes and pictures, which the kernel's negative lobes may carry out of range."""
    if floats.shape[2] != 4:
        return np.clip(floats, 0, full) if full > 1 else np.ascontiguousarray(floats)
    result = np.empty_like(floats)
    alpha = np.clip(floats[..., 3], 0, full, out=result[..., 3])
    factor = full / np.maximum(alpha, np.float32(1e-6))
    factor[alpha < max(full / 510, 1e-6)] = 0  # half of the least alpha above 0 that a byte holds
    for channel in range(3):
        np.multiply(np.clip(floats[..., channel], 0, alpha), factor, out=result[..., channel])
    return result


def _full(image: UInt8Array | Float32Array) -> float:
    return 255.0 if image.dtype == np.uint8 else 1.0


def _stretch(
    image: UInt8Array | Float32Array,
    span: tuple[float, float],
    count: int,
    beyond: Float32Array | None,
    multiply: MatMul,
    *,
    premultiply: bool,
) -> Float32Array:
    """Resample the rows [start, start + extent), the span, of an image (H, W, C) to `count` rows.

    Beyond the border lies `beyond`, (C,), or if that is None the outermost rows. With `premultiply` a picture's colours
    are multiplied by its alpha first.
    """
    result = np.empty((count, *image.shape[1:]), np.float32)
    bands = _bands(float(span[0]), float(span[1]), count, len(image), clamp=beyond is None)
    above = beyond if beyond is not None and beyond.any() else None  # zeros need not be taken out and put back
    for number, (weights, low, high) in enumerate(bands):
        block = result[number * _BLOCK : (number + 1) * _BLOCK]
        band = _premultiplied(image[low:high]) if premultiply else image[low:high].astype(np.float32, copy=False)
        if above is not None:
            band = band - above
        block[:] = multiply(weights, band.reshape(len(band), -1)).reshape(block.shape)
        if above is not None:
            block += above
    return result


@lru_cache(maxsize=16)  # of a large picture all bands of rows have the same columns, and of a map all its parts
def _bands(start: float, extent: float, count: int, length: int, *, clamp: bool) -> list[tuple[Float32Array, int, int]]:
    """Return what `_weights` does for every block of `count` rows that lie in [start, start + extent)."""
    centres = start + (np.arange(count) + 0.5) * (extent / count)
    widening = max(extent / count, 1.0)
    blocks = (centres[first : first + _BLOCK] for first in range(0, count, _BLOCK))
    return [_weights(block, widening, length, clamp=clamp) for block in blocks]


def _weights(centres: Float64Array, widening: float, length: int, *, clamp: bool) -> tuple[Float32Array, int, int]:
    """Return the weights of the source rows low to high - 1, (len(centres), high - low), and low and high.

    centres: where the result's rows lie. Taps beyond the border count for the outermost row with `clamp`, else not.
    """
    reach = _KERNEL_RADIUS * widening
    taps = np.arange(np.floor(centres[0] - reach), np.ceil(centres[-1] + reach))
    weights = _cubic(np.abs(taps + 0.5 - centres[:, None]) / widening)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.clip(taps, 0, length - 1).astype(np.intp)
    if not clamp:
        weights *= taps == rows
    if rows[0] != taps[0] or rows[-1] != taps[-1]:
        weights = np.add.reduceat(weights, np.flatnonzero(np.diff(rows, prepend=-1)), axis=1)
    return weights.astype(np.float32), int(rows[0]), int(rows[-1]) + 1


def _cubic(distance: Float64Array) -> Float64Array:
    """Evaluate Keys' kernel with a = -1/2 at a distance of 0 or more."""
    near = (1.5 * distance - 2.5) * distance * distance + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1, near, np.where(distance < _KERNEL_RADIUS, far, 0.0))
