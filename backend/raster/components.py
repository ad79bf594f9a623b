# SPDX-License-Identifier: GPL-3.0-or-later
"""Connected components of a mask, on the runs of its rows.

A run is a stretch of set pixels in one row. Runs of neighbouring rows that overlap are joined: each run's label drops
to the lowest one around it and labels are followed to their own labels, over and over until nothing changes. Every
round is a few whole-array operations, and the rounds grow with the logarithm of a component's length (compare
Shiloach and Vishkin, An O(log n) parallel connectivity algorithm, Journal of Algorithms, 1982).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Components:
    """The parts of a mask.

    labels: int32 (H, W), 0 outside of the mask and 1 to `count` inside, in the order of their first pixels, row by
    row. areas: int64 (count + 1,), pixels of each label, the outside first.
    """

    labels: Labels
    areas: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many components there are."""
        return len(self.areas) - 1

    def chosen(self, which: NDArray[np.bool_]) -> BoolArray:
        """Return the pixels of the components that `which`, bool (count + 1,), picks by label."""
        return which[self.labels]

    def touched(self, seeds: BoolArray) -> NDArray[np.bool_]:
        """Tell, bool (count + 1,), which components hold a pixel of `seeds`, bool (H, W). The outside is not one."""
        touched = np.bincount(self.labels[seeds], minlength=self.count + 1) > 0
        touched[0] = False
        return touched


def components(mask: BoolArray, *, diagonal: bool = False) -> Components:
    """Part a mask, bool (H, W), into its connected components: over edges, with `diagonal` over corners as well."""
    height, width = mask.shape
    # A column of nothing on the right keeps the runs of different rows apart in the flat order.
    stride = width + 1
    flat = np.zeros(height * stride + 1, np.int8)
    flat[:-1].reshape(height, stride)[:, :width] = mask
    steps = np.diff(flat, prepend=0)
    starts, ends = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
    reach = 1 if diagonal else 0
    first = np.searchsorted(ends, starts + stride - reach, side="right")
    last = np.searchsorted(starts, ends + stride + reach, side="left")
    of_run = _joined(len(starts), first, last)
    roots, labels_of_runs = np.unique(of_run, return_inverse=True)
    lengths = ends - starts
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(labels_of_runs.reshape(-1).astype(np.int32) + 1, lengths)
    areas = np.zeros(len(roots) + 1, np.int64)
    np.add.at(areas, labels_of_runs.reshape(-1) + 1, lengths)
    areas[0] = mask.size - lengths.sum()
    return Components(labels, areas)


def drop_specks(mask: BoolArray, smallest: float) -> BoolArray:
    """Clear the components, joined over corners as well, of less than `smallest` pixels."""
    parts = components(mask, diagonal=True)
    large = parts.areas >= smallest
    large[0] = False
    return parts.chosen(large)


def border(shape: tuple[int, ...]) -> BoolArray:
    """Return the outermost pixels of an image, bool (H, W)."""
    outermost = np.ones(shape, np.bool_)
    outermost[1:-1, 1:-1] = False
    return outermost


def _joined(count: int, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give runs that touch, directly or by way of others, the number of the lowest run among them.

    Run i touches the runs first[i] to last[i] - 1 of the next row.
    """
    touching = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(count), touching)
    before = np.repeat(np.cumsum(touching) - touching, touching)
    lower = np.repeat(first, touching) + np.arange(len(upper)) - before
    parent = np.arange(count)
    while len(upper):
        lowest = np.minimum(parent[upper], parent[lower])
        # Roots are hooked below the lowest label that any of their runs meets; then every run looks up its root.
        np.minimum.at(parent, parent[upper], lowest)
        np.minimum.at(parent, parent[lower], lowest)
        while not np.array_equal(grand := parent[parent], parent):
            parent = grand
        apart = parent[upper] != parent[lower]
        upper, lower = upper[apart], lower[apart]
    return parent
