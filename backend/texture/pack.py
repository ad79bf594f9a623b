# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack charts into a square image.

A grid of cells says what is taken. A chart goes, the largest first, to the lowest place where its own cells are free,
so that charts lie in each other's hollows. Which cells a chart needs follows from its outline alone.
"""

import itertools
from typing import NamedTuple

import numpy as np

from ..arrays import Float64Array, Int16Array, Int64Array
from ..raster.ticks import Poll

_CELLS = 256  # along a side of the image, at most
_LEAST = 2  # pixels along the side of a cell
_STEPS = 4  # in which an outline is followed along the side of a cell
_FIRST = 8  # runs of a chart that are held against all places at once
_BATCH = 4096  # places that the other runs are held against at once


class _Shape(NamedTuple):
    """The cells that a chart needs, as runs along its rows, the longest first.

    rows, columns: how many the chart spans. row, begin, end: int64 (R,), the runs'.
    """

    rows: int
    columns: int
    row: Int64Array
    begin: Int64Array
    end: Int64Array


def pack(edges: Float64Array, of: Int64Array, size: int, poll: Poll) -> Int64Array | None:
    """Find places for charts, without scaling or turning them: by how much each is moved, int64 (C, 2), right and up.

    None if there is no room.

    edges: float64 (B, 2, 2), from where to where the edges around the charts go, in pixels, in any order, a chart on
    their left; each chart's least x and y in [0, 1). of: int64 (B,), the charts, 0 to C - 1. size: the image's side in
    pixels. Between two charts, and around all, at least a pixel stays free.
    """
    cell = max(_LEAST, size // _CELLS)
    side = (size - 1) // cell  # the first one begins half a pixel within the image
    if edges.max() / cell > side:
        return None
    shapes = _shapes(edges / cell, of, 1.0 / cell)
    if sum(int((shape.end - shape.begin).sum()) for shape in shapes) > side**2:
        return None
    taken = np.zeros((side, side), np.int16)
    before = np.zeros((side, side + 1), np.int16)  # how many of a row's cells are taken before each
    offsets = np.zeros((len(shapes), 2), np.int64)
    for chart in sorted(range(len(shapes)), key=lambda number: -shapes[number].rows * shapes[number].columns):
        poll()
        shape = shapes[chart]
        place = _lowest(before, shape)
        if place is None:
            return None
        row, column = place
        for up, begin, end in zip(shape.row, shape.begin, shape.end, strict=True):
            taken[row + up, column + begin : column + end] = 1
        rows = slice(row, row + shape.rows)
        np.cumsum(taken[rows], axis=1, out=before[rows, 1:])
        offsets[chart] = column * cell + 1, row * cell + 1
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


def _shapes(edges: Float64Array, of: Int64Array, room: float) -> list[_Shape]:
    """The cells that charts need, with some room to their right and above them.

    edges, of: as in `pack`, but in cells. room: in cells, at most 1/2.
    """
    high = np.zeros((int(of.max()) + 1, 2))
    np.maximum.at(high, of, edges.max(axis=1))
    columns, rows = (high + room).astype(np.int64).T + 1
    ends = np.cumsum(rows * (columns + 1))  # a cell stays free at the end of each row
    first = ends - rows * (columns + 1)
    # Cells whose middle a chart covers: it begins, or ends, where an edge crosses the middle of their row.
    low, up = np.sort(np.ceil(edges[..., 1] - 0.5).astype(np.int64), axis=1).T
    which, row = _counted_up(up - low)
    row += low[which]
    chart, (x, y), (run, rise) = of[which], edges[which, 0].T, (edges[which, 1] - edges[which, 0]).T
    column = np.ceil(x + run * ((row + 0.5 - y) / rise) - 0.5).astype(np.int64).clip(0, columns[chart])
    turns = np.bincount(first[chart] + row * (columns[chart] + 1) + column, -np.sign(rise), ends[-1])
    needed = np.cumsum(turns) > 0.5
    # Cells that the outline comes near.
    steps = np.ceil(_STEPS * np.abs(edges[:, 1] - edges[:, 0]).max(axis=1)).astype(np.int64) + 1
    which, step = _counted_up(steps + 1)
    chart, last = of[which], np.stack([columns, rows], axis=1)[of[which]] - 1
    places = edges[which, 0] + (edges[which, 1] - edges[which, 0]) * (step / steps[which])[:, None]
    slack = 0.5 / _STEPS
    near = [np.floor(places + by).astype(np.int64).clip(0, last) for by in (-slack, room + slack)]
    for across, along in itertools.product(near, near):
        needed[first[chart] + along[:, 1] * (columns[chart] + 1) + across[:, 0]] = True
    begin, end = np.flatnonzero(np.diff(needed, prepend=False, append=False)).reshape(-1, 2).T
    chart = np.searchsorted(ends, begin, side="right")
    order = np.lexsort((begin - end, chart))
    chart, begin, length = chart[order], begin[order], (end - begin)[order]
    row, begin = np.divmod(begin - first[chart], columns[chart] + 1)
    bounds = np.searchsorted(chart, np.arange(1, len(rows)))
    runs = zip(*(np.split(part, bounds) for part in (row, begin, begin + length)), strict=True)
    return [_Shape(int(r), int(c), *run) for r, c, run in zip(rows, columns, runs, strict=True)]


def _counted_up(counts: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Each entry's number as often as it counts, and 0, 1, ... up to its count, int64 (sum,) each."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - (np.cumsum(counts) - counts)[which]


def _lowest(before: Int16Array, shape: _Shape) -> tuple[int, int] | None:
    """The lowest, then leftmost, row and column at which a chart's cells are free; None if there is none.

    before: int16 (N, N + 1), how many cells of a row are taken before each.
    """
    side = len(before)
    rows, columns = side - shape.rows + 1, side - shape.columns + 1
    if min(rows, columns) <= 0:
        return None
    runs = list(zip(shape.row.tolist(), shape.begin.tolist(), shape.end.tolist(), strict=True))
    free = np.ones((rows, columns), np.bool_)
    for row, begin, end in runs[:_FIRST]:
        along = before[row : row + rows]
        free &= along[:, begin : begin + columns] == along[:, end : end + columns]
    up, right = np.nonzero(free)
    places, totals = up * (side + 1) + right, before.reshape(-1)
    for first in range(0, len(places), _BATCH):
        left = places[first : first + _BATCH]
        for row, begin, end in runs[_FIRST:]:
            at = left + row * (side + 1)
            left = left[totals[at + begin] == totals[at + end]]
            if not len(left):
                break
        else:
            return divmod(int(left[0]), side + 1)
    return None
