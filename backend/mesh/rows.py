# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of numbers that are the same."""

import numpy as np

from ..arrays import Float32Array, Int32Array, Int64Array


def numbered(*columns: Float32Array | Int32Array | Int64Array) -> tuple[Int64Array, Int64Array]:
    """Number rows so that equal ones have one number, in ascending order: the first column counts most.

    columns: (N,) each. Returns the rows' numbers, int64 (N,), and the first row of each number, int64 (M,).
    """
    order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), np.bool_)
    new[:1] = True
    for column in columns:
        new[1:] |= column[order[1:]] != column[order[:-1]]
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers, order[new].astype(np.int64)
