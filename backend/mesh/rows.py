# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, and rows of them, that are the same."""

import numpy as np

from ..arrays import BoolArray, Float32Array, Int32Array, Int64Array


def numbered(*columns: Float32Array | Int32Array | Int64Array) -> tuple[Int64Array, Int64Array]:
    """Number rows so that equal ones have one number, in ascending order: the first column counts most.

    columns: (N,) each. Returns the rows' numbers, int64 (N,), and the first row of each number, int64 (M,).
    """
    order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), np.bool_)
    new[:1] = True
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers, order[new].astype(np.int64)


def used(triangles: Int32Array | Int64Array, count: int) -> tuple[Int64Array, Int64Array]:
    """Which of `count` vertices triangles (T, 3) use, int64 (N,), and the triangles of these alone, int64 (T, 3)."""
    there = np.zeros(count, np.bool_)
    there[triangles] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[triangles]


def first_of(numbers: Int64Array) -> Int64Array:
    """Where each number is first, int64 (M,). numbers: int64 (N,), from 0 to M - 1 without gaps."""
    first = np.empty(int(numbers.max(initial=-1)) + 1, np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]  # the last one stays
    return first


def touching(triangles: Int32Array | Int64Array, vertices: BoolArray) -> BoolArray:
    """Which triangles, (T, 3), have a corner among some vertices, bool (V,): bool (T,)."""
    a, b, c = triangles.T
    return vertices[a] | vertices[b] | vertices[c]


def positions(numbers: Int64Array, wanted: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Where each wanted number is found: its index in `wanted`, ascending, and its index in `numbers`, int64 (N,) each.

    numbers: int64 (M,), from 0, or -1, which is never wanted. wanted: int64 (K,), from 0, in any order.
    """
    sought = np.zeros(
        int(max(numbers.max(initial=0), wanted.max(initial=0))) + 2, np.bool_
    )  # the last one is that of -1
    sought[wanted] = True
    order = np.flatnonzero(sought[numbers])
    order = order[np.argsort(numbers[order], kind="stable")]
    ordered = numbers[order]
    start, stop = (np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
    counts = stop - start
    owner = np.repeat(np.arange(len(wanted)), counts)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, order[np.repeat(start, counts) + offset]
