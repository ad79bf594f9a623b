# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrix products, by whatever this numpy does fastest.

Most numpys bring a tuned library (BLAS) for them. Blender's may not; its `@` then is a plain loop, and `einsum`, whose
loops are vectorised, is faster by a factor of two to four. One small product of both kinds, timed once, tells.
"""

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from ..arrays import Float32Array

Product = Callable[[Float32Array, Float32Array], Float32Array]
"""`product(rows, matrix)`: float32 (M, K) times (K, N)."""

_TRIES = 20
_SHAPE = (32, 96, 64)  # small enough that BLAS keeps to one thread, which other programs disturb least


def by_matmul(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """Multiply with BLAS, where numpy has one."""
    return rows @ matrix


def by_einsum(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """Multiply with numpy's own vectorised loops."""
    return np.einsum("mk,kn->mn", rows, matrix)


@cache
def fastest() -> Product:
    """Time both kinds once in this process, some milliseconds, and return the faster.

    With BLAS the difference is tenfold, so that the choice, and with it the rounding of results, does not hang on
    chance; in doubt it is BLAS.
    """
    m, k, n = _SHAPE
    rows, matrix = np.ones((m, k), np.float32), np.ones((k, n), np.float32)
    return by_einsum if 1.25 * _seconds(by_einsum, rows, matrix) < _seconds(by_matmul, rows, matrix) else by_matmul


def _seconds(product: Product, rows: Float32Array, matrix: Float32Array) -> float:
    def once() -> float:
        started = time.perf_counter()
        product(rows, matrix)
        return time.perf_counter() - started

    return min(once() for _ in range(_TRIES))
