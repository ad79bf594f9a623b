# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack charts into a square image.

A grid of cells says what is taken. A chart goes, the largest first, to the lowest place where its own cells are free:
the places are found for all offsets at once, by a convolution. So charts lie in each other's hollows.
"""

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from ..raster.morphology import dilated
from ..raster.ticks import Poll
from ..raster.triangles import hits

CELLS = 128
"""Cells along a side of the image."""


def pack(corners: Float64Array, of: Int64Array, size: int, poll: Poll) -> Int64Array | None:
    """Find places for charts, without scaling or turning them: by how much each is moved, int64 (C, 2), right and up.

    None if there is no room.

    corners: float64 (T, 3, 2), in pixels, each chart's least x and y in [0, 1). of: int64 (T,), the charts, 0 to C - 1.
    size: the image's side in pixels. Between two charts, and around all, at least a pixel stays free.
    """
    count = int(of.max()) + 1
    cell = size / CELLS
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(count + 1))
    masks: list[BoolArray] = []
    for chart in range(count):
        poll()
        masks.append(_cells(corners[order[bounds[chart] : bounds[chart + 1]]], cell))
    if sum(int(mask.sum()) for mask in masks) > CELLS**2:
        return None
    taken = np.zeros((CELLS, CELLS), np.bool_)
    offsets = np.zeros((count, 2), np.int64)
    for chart in sorted(range(count), key=lambda number: -masks[number].size):
        poll()
        mask = masks[chart]
        place = _lowest(taken, mask)
        if place is None:
            return None
        row, column = place
        taken[row : row + mask.shape[0], column : column + mask.shape[1]] |= mask
        offsets[chart] = np.ceil(np.array([column, row]) * cell + 1)
    return offsets


def shelved(extents: Float64Array, size: int) -> Float64Array | None:
    """Find places for boxes in rows, the highest first: float64 (C, 2), right and up; None if there is no room.

    extents: float64 (C, 2), widths and heights in pixels. size: the image's side in pixels. A box has a pixel of room
    around it, and one that is smaller than a pixel lies in a pixel's middle.
    """
    boxes = np.floor(extents).astype(np.int64) + 2
    order = np.lexsort((boxes[:, 0], boxes[:, 1]))[::-1]
    widths, heights = boxes[order].T
    ends = np.cumsum(widths)
    if widths.max() + 1 > size or int((widths * heights).sum()) > size**2:
        return None
    corners = np.empty((len(boxes), 2), np.int64)
    first, up = 0, 1
    while first < len(boxes):
        before = ends[first] - widths[first]
        last = int(np.searchsorted(ends, before + size - 1, side="right"))
        if up + heights[first] > size:
            return None
        corners[order[first:last], 0] = 1 + ends[first:last] - widths[first:last] - before
        corners[order[first:last], 1] = up
        up += int(heights[first])
        first = last
    return corners + np.maximum(1 - extents, 0.0) / 2


def _cells(corners: Float64Array, cell: float) -> BoolArray:
    """The cells that a chart needs with a pixel of room around it, bool (rows, columns)."""
    places = (corners + 2.0) / cell  # it may be moved by up to 2 pixels within its first cell
    columns, rows = (int(most) + 1 for most in places.max(axis=(0, 1)) + 1.0 / cell)
    mask = np.zeros((rows + 2, columns + 2), np.bool_)
    for at in (places, places.mean(axis=1, keepdims=True)):
        mask[np.floor(at[..., 1]).astype(int) + 1, np.floor(at[..., 0]).astype(int) + 1] = True
    flat = np.concatenate([places + 1.0, np.zeros((*places.shape[:2], 1))], axis=2)
    mask.reshape(-1)[hits(flat, (rows + 2, columns + 2))[0]] = True
    return dilated(mask, 1)[1:-1, 1:-1]


def _lowest(taken: BoolArray, mask: BoolArray) -> tuple[int, int] | None:
    """The lowest, then leftmost, row and column at which a chart's cells are free; None if there is none."""
    rows, columns = (CELLS - side + 1 for side in mask.shape)
    if min(rows, columns) <= 0:
        return None
    if mask.size <= 36:
        meets = np.zeros((rows, columns), np.bool_)
        for row, column in np.argwhere(mask):
            meets |= taken[row : row + rows, column : column + columns]
    else:
        shape = (2 * CELLS, 2 * CELLS)
        spectrum = np.fft.rfft2(taken, shape) * np.conj(np.fft.rfft2(mask, shape))
        meets = np.fft.irfft2(spectrum, shape)[:rows, :columns] > 0.5
    free = np.flatnonzero(~meets)
    return None if not len(free) else divmod(int(free[0]), columns)
