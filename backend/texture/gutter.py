# SPDX-License-Identifier: GPL-3.0-or-later
"""The pixels around the charts of an image are of the chart that they are next to.

A place at a chart's edge is interpolated between pixels of which some lie outside it. They have to show what the chart
shows there; `pull_push.fill` gives them the mean of a block, which may hold pixels of the chart beside it.
"""

import numpy as np

from ..arrays import BoolArray, Float32Array, Int64Array

_RINGS = 2  # pixels around a chart
_AROUND = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))  # rows, columns; the nearest first


def bordered(image: Float32Array, shown: BoolArray) -> Float32Array:
    """Give the rings of pixels around charts the colours of the nearest pixels within; the image itself is changed.

    image: float32 (H, W, C). shown: bool (H, W), the pixels that show the surface.
    """
    height, width = shown.shape
    known, inside = np.pad(shown, 1), np.pad(np.ones(shown.shape, np.bool_), 1).reshape(-1)
    edge = shown & ~(known[:-2, 1:-1] & known[2:, 1:-1] & known[1:-1, :-2] & known[1:-1, 2:])
    row, column = np.divmod(np.flatnonzero(edge), width)
    at, known = (row + 1) * (width + 2) + column + 1, known.reshape(-1)
    steps = [row * (width + 2) + column for row, column in _AROUND]
    colours = image.reshape(height * width, -1)
    for _ in range(_RINGS):
        beside = [at + step for step in steps]
        ring = np.unique(np.concatenate([some[inside[some] & ~known[some]] for some in beside]))
        source = np.zeros_like(ring)
        for step in reversed(steps):
            source = np.where(known[ring + step], ring + step, source)
        colours[_flat(ring, width)] = colours[_flat(source, width)]
        known[ring] = True
        at = ring
    return image


def _flat(at: Int64Array, width: int) -> Int64Array:
    """Places in the image from those in the one with a pixel more all round."""
    row, column = np.divmod(at, width + 2)
    return (row - 1) * width + column - 1
