# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrix multiplication in the way that is fastest with this numpy, and the same with any number of threads.

Most builds of numpy use a tuned library (BLAS). Blender's may not: its `@` is then a plain loop, and `einsum`, whose
loops are vectorised, is two to four times as fast. Both are timed once on small matrices.

BLAS shares a large product among its threads, and each share may be summed in another order. So it gets small ones.
"""

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from ..arrays import Float32Array

MatMul = Callable[[Float32Array, Float32Array], Float32Array]
"""`multiply(rows, matrix)`: float32 (M, K) times (K, N)."""

_ONE_THREAD = 1 << 18  # multiplications: OpenBLAS shares no product of so many or fewer
_LEAST_ROWS = 12  # of a product: fewer take longer, and a single one is another routine, which shares smaller products
_TRIES = 20
_SHAPE = (32, 96, 64)  # M, K, N: so small that BLAS uses one thread, whose time other programs disturb least


def by_matmul(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """Multiply with `@`, by BLAS if numpy has it, in blocks that one thread works on."""
    (height, depth), width = rows.shape, matrix.shape[1]
    columns = max(2, _ONE_THREAD // (_LEAST_ROWS * max(depth, 1)))
    if width % columns == 1:  # a single column is another routine, too
        return by_matmul(rows, np.pad(matrix, ((0, 0), (0, 1))))[:, :-1]
    result = np.empty((height, width), np.float32)
    for first in range(0, width, columns):
        part = matrix[:, first : first + columns]
        count = max(_LEAST_ROWS, _ONE_THREAD // part.size)
        whole = height - height % count
        out = result[:, first : first + columns]
        np.matmul(rows[:whole].reshape(-1, count, depth), part, out=out[:whole].reshape(-1, count, part.shape[1]))
        if whole < height:
            last = np.zeros((count, depth), np.float32)
            last[: height - whole] = rows[whole:]
            out[whole:] = (last @ part)[: height - whole]
    return result


def by_einsum(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """Multiply with numpy's own vectorised loops."""
    return np.einsum("mk,kn->mn", rows, matrix)


@cache
def fastest() -> MatMul:
    """Time both ways, once in this process, and return the faster; it takes some milliseconds.

    The two round differently, so the choice must not depend on chance: `@` is taken unless `einsum` is faster by a
    quarter. BLAS is ten times as fast as `einsum`.
    """
    m, k, n = _SHAPE
    rows, matrix = np.ones((m, k), np.float32), np.ones((k, n), np.float32)
    return by_einsum if 1.25 * _seconds(by_einsum, rows, matrix) < _seconds(by_matmul, rows, matrix) else by_matmul


def _seconds(multiply: MatMul, rows: Float32Array, matrix: Float32Array) -> float:
    def once() -> float:
        started = time.perf_counter()
        multiply(rows, matrix)
        return time.perf_counter() - started

    return min(once() for _ in range(_TRIES))
