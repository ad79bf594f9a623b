# SPDX-License-Identifier: GPL-3.0-or-later
"""Connected components of a mask, found on the runs of its rows.

A run is a row of neighbouring set pixels. Runs of neighbouring rows that overlap are joined: each run takes the lowest
label around it, and labels are followed to their own labels, until nothing changes. Every round is a few whole-array
operations, and the number of rounds grows with the logarithm of a component's length (compare Shiloach and Vishkin, An
O(log n) parallel connectivity algorithm, Journal of Algorithms, 1982).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, Int32Array, Int64Array


@dataclass(frozen=True)
class Components:
    """The connected components of a mask.

    labels: int32 (H, W), 0 outside the mask and 1 to `count` inside, in the order of their first pixels, row by row.
    areas: int64 (count + 1,), the number of pixels of each label, beginning with 0.
    """

    labels: Int32Array
    areas: Int64Array

    @property
    def count(self) -> int:
        """The number of components."""
        return len(self.areas) - 1

    def mask(self, which: BoolArray) -> BoolArray:
        """Return the pixels, bool (H, W), of the labels that are set in `which`, bool (count + 1,)."""
        return which[self.labels]

    def touched(self, seeds: BoolArray) -> BoolArray:
        """Return which labels contain a pixel of `seeds`, bool (H, W): bool (count + 1,), False for label 0."""
        touched = np.bincount(self.labels[seeds], minlength=self.count + 1) > 0
        touched[0] = False
        return touched


def components(mask: BoolArray, *, diagonal: bool = False) -> Components:
    """Find the connected components of a mask, bool (H, W).

    Pixels are connected across their edges; with `diagonal` also across their corners.
    """
    height, width = mask.shape
    # An empty column on the right keeps the runs of different rows apart in the flat order.
    stride = width + 1
    flat = np.zeros(height * stride + 1, np.int8)
    flat[:-1].reshape(height, stride)[:, :width] = mask
    steps = np.diff(flat, prepend=0)
    starts, ends = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
    reach = 1 if diagonal else 0
    first = np.searchsorted(ends, starts + stride - reach, side="right")
    last = np.searchsorted(starts, ends + stride + reach, side="left")
    of_run = _connected(len(starts), first, last)
    roots, labels_of_runs = np.unique(of_run, return_inverse=True)
    lengths = ends - starts
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(labels_of_runs.reshape(-1).astype(np.int32) + 1, lengths)
    areas = np.zeros(len(roots) + 1, np.int64)
    np.add.at(areas, labels_of_runs.reshape(-1) + 1, lengths)
    areas[0] = mask.size - lengths.sum()
    return Components(labels, areas)


def without_small(mask: BoolArray, least: float) -> BoolArray:
    """Clear the components of less than `least` pixels; pixels that touch at a corner are connected."""
    parts = components(mask, diagonal=True)
    large = parts.areas >= least
    large[0] = False
    return parts.mask(large)


def without_specks(mask: BoolArray, share: float) -> BoolArray:
    """Clear the components of less than a share of the largest one's area; see `without_small`."""
    parts = components(mask, diagonal=True)
    large = parts.areas >= share * parts.areas[1:].max(initial=0)
    large[0] = False
    return parts.mask(large)


def border(shape: tuple[int, ...], wide: int = 1) -> BoolArray:
    """Return the outermost pixels of an image, bool (H, W): so many along each side."""
    outermost = np.ones(shape, np.bool_)
    outermost[wide:-wide, wide:-wide] = False
    return outermost


def _connected(count: int, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give all runs that are connected the number of the lowest run among them.

    Run i touches the runs first[i] to last[i] - 1 of the next row.
    """
    neighbours = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(count), neighbours)
    before = np.repeat(np.cumsum(neighbours) - neighbours, neighbours)
    lower = np.repeat(first, neighbours) + np.arange(len(upper)) - before
    parent = np.arange(count)
    while len(upper):
        lowest = np.minimum(parent[upper], parent[lower])
        # Each root takes the lowest label that any of its runs touches; then every run looks up its root.
        np.minimum.at(parent, parent[upper], lowest)
        np.minimum.at(parent, parent[lower], lowest)
        while not np.array_equal(grand := parent[parent], parent):
            parent = grand
        apart = parent[upper] != parent[lower]
        upper, lower = upper[apart], lower[apart]
    return parent
