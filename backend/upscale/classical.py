# SPDX-License-Identifier: GPL-3.0-or-later
"""Enlarge colours without a network, in plain numpy.

A camera's pixel is the mean of what it sees. Cubic convolution takes it for a point, and the enlarged picture's own
means are flatter than the pixels were. Iterative back-projection (Irani and Peleg, CVGIP: Graphical Models and Image
Processing, 1991) adds what lacks until the means are right. That overshoots beside edges; so every pixel stays between
the least and the greatest of the nine pixels around its place.
"""

from functools import reduce

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array
from ..foreground.framing import resampled
from ..raster.resample import Window
from ..raster.ticks import Poll

_ROUNDS = 3  # more change nothing that the normals show


def enlarged(colours: UInt8Array, window: Window, size: int, poll: Poll) -> UInt8Array:
    """Return a square window of a picture's colours at size x size pixels, uint8 (size, size, 3).

    colours: uint8 (h, w, 3). window: in their pixels, with no more of them a side than `size`; beyond the border lie
    the outermost ones. poll: called several times a second.
    """
    own = colours.astype(np.float32)
    shape = (size, size)
    large = resampled(own, window, shape, poll, fill=None)
    left, top, width, height = window
    rows, columns = _borders(top, height, len(own), size), _borders(left, width, own.shape[1], size)
    whole = _whole(rows, size)[:, None] & _whole(columns, size)
    for _ in range(_ROUNDS):
        means = _means(_means(large, rows).swapaxes(0, 1), columns).swapaxes(0, 1)
        lacking = np.where(whole[..., None], own - means, np.float32(0))
        large += resampled(lacking, window, shape, poll, fill=None)
    places = _pixels(top, height, len(own), size)[:, None], _pixels(left, width, own.shape[1], size)
    least, greatest = (_around(colours, of)[places] for of in (np.minimum, np.maximum))
    poll()
    return np.rint(np.clip(large, least, greatest)).astype(np.uint8)


def _borders(start: float, extent: float, length: int, size: int) -> Float64Array:
    """Where the borders of `length` pixels lie along an axis that shows a span of them by `size` pixels."""
    return np.clip((np.arange(length + 1) - start) * (size / extent), 0, size)


def _whole(borders: Float64Array, size: int) -> BoolArray:
    """Which pixels lie in the span as a whole, but for one that begins or ends with it, which may have been cut off."""
    return (borders[:-1] > 0) & (borders[1:] < size)


def _means(image: Float32Array, borders: Float64Array) -> Float32Array:
    """The means of an image's rows between borders, (len(borders) - 1, W, C); 0 between equal ones."""
    totals = np.zeros((len(image) + 1, *image.shape[1:]))
    np.cumsum(image, axis=0, dtype=np.float64, out=totals[1:])
    below = np.minimum(borders.astype(np.int64), len(image) - 1)
    at = totals[below] + (borders - below)[:, None, None] * image[below]
    return (np.diff(at, axis=0) / np.maximum(np.diff(borders), 1e-9)[:, None, None]).astype(np.float32)


def _pixels(start: float, extent: float, length: int, size: int) -> Int64Array:
    """In which of `length` pixels the middles of `size` pixels lie that show a span of them."""
    middles = start + (np.arange(size) + 0.5) * (extent / size)
    return np.clip(np.floor(middles), 0, length - 1).astype(np.int64)


def _around(colours: UInt8Array, of: np.ufunc) -> UInt8Array:
    """The least or the greatest of the nine pixels around each, (h, w, 3)."""
    for axis in (0, 1):
        widths = [(1, 1) if each == axis else (0, 0) for each in range(3)]
        padded = np.pad(colours, widths, mode="edge")
        length = colours.shape[axis]
        colours = reduce(of, (padded.take(range(first, first + length), axis=axis) for first in range(3)))
    return colours
