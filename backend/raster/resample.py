# SPDX-License-Identifier: GPL-3.0-or-later
"""Any window of an image at any size: separable cubic convolution, widened to the area that a result's pixel covers.

The kernel is Keys' cubic (IEEE Transactions on Acoustics, Speech and Signal Processing, 1981, a = -1/2). Where the
image shrinks, the kernel is widened by the same factor, so that no source pixel is passed over. Each axis is a banded
matrix, built and applied in blocks of rows as small dense products.

Images are (H, W) or (H, W, C), uint8 or floating; pixel j covers [j, j + 1). Four channels are a picture with straight
alpha, floating ones in [0, 1]: its colours count by their coverage, so that what hides in transparent pixels never
shows, and they come back as 0 where nothing is covered. Results have the input's kind: uint8, rounded, or float32.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32Array
from ..flow.products import Crop, NormalMap, Picture
from .vectors import TO_VIEWER, unit

Pixels = TypeVar("Pixels", NDArray[np.uint8], Float32Array)

_BLOCK = 16  # rows of a result computed together: enough for a dense product to pay, few enough to stay in the band
_KERNEL_RADIUS = 2.0


def crop_resize(
    pixels: Pixels, left: float, top: float, side: float, size: int, *, fill: float | None = None
) -> Pixels:
    """Cut a square window out of an image, as (size, size) or (size, size, C).

    left, top, side: the window in the image's pixels; it may be fractional and reach past the border, where the image
    goes on as `fill` in every channel or, without it, as its outermost pixels.

    Raises ValueError for an empty image or a window without area.
    """
    return resample(pixels, (left, top, side, side), (size, size), fill=fill)


def lay_back(pixels: Pixels, crop: Crop, shape: tuple[int, int] | None = None, *, fill: float = 0.0) -> Pixels:
    """Put what fills the square of `crop`, (S, S) or (S, S, C), back to where it lies in the picture.

    Returns the whole picture's frame as `shape` (rows, columns), or without it at the picture's own resolution, `fill`
    outside of the square.
    """
    scale = pixels.shape[0] / crop.side
    width, height = crop.picture_width, crop.picture_height
    window = (-crop.left * scale, -crop.top * scale, width * scale, height * scale)
    return resample(pixels, window, shape or (height, width), fill=fill)


def crop_normals(in_picture: NormalMap, crop: Crop, size: int) -> NormalMap:
    """Bring a normal map of the picture's frame, (H, W), into the cut-out's, (size, size)."""
    return _moved(in_picture, lambda field: crop_resize(field, crop.left, crop.top, crop.side, size, fill=0.0))


def lay_back_normals(in_square: NormalMap, crop: Crop, shape: tuple[int, int] | None = None) -> NormalMap:
    """Bring a normal map of the cut-out's frame back into the picture's, as `lay_back` does."""
    return _moved(in_square, lambda field: lay_back(field, crop, shape))


def resample(
    pixels: Pixels, window: tuple[float, float, float, float], shape: tuple[int, int], *, fill: float | None = None
) -> Pixels:
    """Show a window (left, top, width, height) of an image as `shape` (rows, columns).

    The window may be fractional and reach past the border, as in `crop_resize`.

    Raises ValueError for an empty image or a window without area.
    """
    left, top, width, height = window
    if not (pixels.size and min(shape) > 0 and 0 < width < np.inf and 0 < height < np.inf):
        raise ValueError(f"cannot show window {window} of an image {pixels.shape} in {shape} pixels")
    image = pixels if pixels.ndim == 3 else pixels[..., None]
    beyond = None if fill is None else _weighted(np.full_like(image[:1, :1], fill))[0, 0]
    # Columns that the window does not reach are left out before the first pass.
    reach = _KERNEL_RADIUS * max(width / shape[1], 1.0) + 1.0
    first = int(np.clip(np.floor(left - reach), 0, image.shape[1] - 1))
    last = int(np.clip(np.ceil(left + width + reach), first + 1, image.shape[1]))
    rows = _stretch(image[:, first:last], (top, height), shape[0], beyond, weigh=True)
    # Turned on its side the other axis is rows too, and a copy is cheaper than products over strides.
    turned = np.ascontiguousarray(rows.swapaxes(0, 1))
    columns = _stretch(turned, (left - first, width), shape[1], beyond, weigh=False)
    result = _unweighted(columns.swapaxes(0, 1), _full(pixels))
    result = result.reshape(*shape, *pixels.shape[2:])
    return cast("Pixels", np.rint(result).astype(np.uint8) if pixels.dtype == np.uint8 else result)


def shrink(picture: Picture, factor: int) -> Picture:
    """Average blocks of factor x factor pixels, factor in 1 to 16; blocks over the border repeat its last pixels.

    Returns (ceil(H / factor), ceil(W / factor), 4). Twenty times as fast as `resample` where a picture is opaque: this
    is what makes a giant one small enough to look at.
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
        lines = _covered(band).reshape(len(block), factor, -1)
        sums = np.zeros((len(block), columns * factor * 4), np.uint16)
        for line in range(factor):
            sums += lines[:, line]
        # The four 16-bit sums of a pixel are added as one 64-bit word: 16 x 16 bytes do not overflow them.
        words = sums.view(np.uint64).reshape(len(block), columns, factor)
        totals = words[:, :, 0].copy()
        for column in range(1, factor):
            totals += words[:, :, column]
        means = totals.view(np.uint16).reshape(len(block), columns, 4).astype(np.float32) / np.float32(factor**2)
        block[:] = np.rint(_unweighted(means, 255.0))
    return result


def _covered(band: Picture) -> Picture:
    """Weight a picture's colours with its coverage, rounded to bytes."""
    alpha = band[..., 3].astype(np.uint16)
    if alpha.min() == 255:
        return band
    weighted = band.copy()
    for channel in range(3):
        product = band[..., channel] * alpha + 128
        weighted[..., channel] = (product + (product >> 8)) >> 8
    return weighted


def _moved(normal_map: NormalMap, move: Callable[[Float32Array], Float32Array]) -> NormalMap:
    """Move a normal map; normals count by their coverage and are made unit length again."""
    alpha = np.clip(move(normal_map.alpha), 0.0, 1.0)
    normals = move(normal_map.normals * normal_map.alpha[..., None])
    return NormalMap(unit(normals, TO_VIEWER, least=1e-3), alpha)


def _weighted(band: NDArray[np.uint8] | Float32Array) -> Float32Array:
    """Turn rows of an image into float32 and the colours of a picture into colours times coverage."""
    floats = band.astype(np.float32)
    full = _full(band)
    if band.shape[2] == 4 and band[..., 3].min() < full:
        coverage = floats[..., 3] * np.float32(1 / full)
        for channel in range(3):
            floats[..., channel] *= coverage
    return floats


def _unweighted(floats: Float32Array, full: float) -> Float32Array:
    """Undo `_weighted`; what the kernel's negative lobes overshot in bytes and in pictures is brought into range."""
    if floats.shape[2] != 4:
        return np.clip(floats, 0, full) if full > 1 else np.ascontiguousarray(floats)
    alpha = np.clip(floats[..., 3:], 0, full)
    colours = np.clip(floats[..., :3], 0, alpha) * (full / np.maximum(alpha, np.float32(1e-6)))
    visible = alpha >= max(full / 510, 1e-6)  # half of the least coverage that a byte holds
    return np.concatenate([np.where(visible, colours, np.float32(0)), alpha], axis=-1)


def _full(image: NDArray[np.uint8] | Float32Array) -> float:
    return 255.0 if image.dtype == np.uint8 else 1.0


def _stretch(
    image: NDArray[np.uint8] | Float32Array,
    span: tuple[float, float],
    count: int,
    beyond: Float32Array | None,
    *,
    weigh: bool,
) -> Float32Array:
    """Show rows [start, start + extent), the span, of an image (H, W, C) as `count` rows.

    Past the border the image is `beyond`, (C,), or where that is None its outermost rows. With `weigh` a picture's
    colours are weighted with its coverage on the way.
    """
    start, extent = span
    result = np.empty((count, *image.shape[1:]), np.float32)
    step = extent / count
    for first in range(0, count, _BLOCK):
        block = result[first : first + _BLOCK]
        centres = start + (first + np.arange(len(block)) + 0.5) * step
        weights, low, high = _weights(centres, max(step, 1.0), len(image), clamp=beyond is None)
        band = _weighted(image[low:high]) if weigh else image[low:high].astype(np.float32, copy=False)
        if beyond is not None:
            band = band - beyond
        np.matmul(weights, band.reshape(len(band), -1), out=block.reshape(len(block), -1))
        if beyond is not None:
            block += beyond
    return result


def _weights(
    centres: NDArray[np.float64], widening: float, length: int, *, clamp: bool
) -> tuple[Float32Array, int, int]:
    """Weigh source rows for the result's rows at `centres`: (len(centres), high - low), low and high.

    Taps past the border go to the outermost row, or count nothing where `clamp` is off.
    """
    reach = _KERNEL_RADIUS * widening
    taps = np.arange(np.floor(centres[0] - reach), np.ceil(centres[-1] + reach))
    weights = _cubic(np.abs(taps + 0.5 - centres[:, None]) / widening)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.clip(taps, 0, length - 1).astype(np.intp)
    if not clamp:
        weights *= taps == rows
    weights = np.add.reduceat(weights, np.flatnonzero(np.diff(rows, prepend=-1)), axis=1)
    return weights.astype(np.float32), int(rows[0]), int(rows[-1]) + 1


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate Keys' kernel with a = -1/2 at a distance of 0 or more."""
    near = (1.5 * distance - 2.5) * distance * distance + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1, near, np.where(distance < _KERNEL_RADIUS, far, 0.0))
