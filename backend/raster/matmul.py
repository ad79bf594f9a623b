# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrix multiplication in the way that is fastest with this numpy.

Most builds of numpy use a tuned library (BLAS). Blender's may not: its `@` is then a plain loop, and `einsum`, whose
loops are vectorised, is two to four times as fast. Both are timed once on small matrices.
"""

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from ..arrays import Float32Array

MatMul = Callable[[Float32Array, Float32Array], Float32Array]
"""`multiply(rows, matrix)`: float32 (M, K) times (K, N)."""

_TRIES = 20
_SHAPE = (32, 96, 64)  # M, K, N: so small that BLAS uses one thread, whose time other programs disturb least


def by_matmul(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """Multiply with `@`: by BLAS if numpy has it."""
    return rows @ matrix


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
