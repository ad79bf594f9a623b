# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares with a few unknowns, the same to the bit with any number of threads, as BLAS and LAPACK are not."""

import numpy as np

from ..arrays import Float64Array

_SHIFT = 1e-14  # of the trace: keeps what is singular solvable, and turns no eigenvector
_ROUNDS = 200  # enough if the second least eigenvalue is a tenth larger than the least
_ONE_THREAD = 1 << 18  # multiplications: OpenBLAS shares no product of so many or fewer


def products(rows: Float64Array, others: Float64Array) -> Float64Array:
    """Return the sum of the products of two sets' rows, float64 (N, I) and (N, J), J above 1: float64 (I, J)."""
    total = np.zeros((rows.shape[1], others.shape[1]))
    count = _ONE_THREAD // total.size
    for first in range(0, len(rows), count):
        some = rows[first : first + count].T.copy()  # a set times itself would be another routine, with other bounds
        total += some @ others[first : first + count]
    return total


def solved(matrix: Float64Array, right: Float64Array) -> Float64Array:
    """Solve a regular system, float64 (N, N), for right-hand sides, (N, K), by Gauss and Jordan's elimination: (N, K).

    Raises `numpy.linalg.LinAlgError` if it is singular.
    """
    lines = np.concatenate([matrix, right], axis=1)
    for column in range(len(matrix)):
        pivot = column + int(np.argmax(np.abs(lines[column:, column])))
        if lines[pivot, column] == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        lines[[column, pivot]] = lines[[pivot, column]]
        lines[column] /= lines[column, column]
        others = np.arange(len(lines)) != column
        lines[others] -= np.multiply.outer(lines[others, column], lines[column])
    return lines[:, len(matrix) :]


def least_vector(matrix: Float64Array) -> Float64Array:
    """Return the unit eigenvector of the least eigenvalue of a symmetric matrix without negative ones, float64 (N, N).

    By inverse iteration, float64 (N,); its sign is not defined.
    """
    shifted = matrix + _SHIFT * max(float(np.trace(matrix)), 1e-300) * np.eye(len(matrix))
    inverse = solved(shifted, np.eye(len(matrix)))
    found = np.linspace(1.0, 2.0, len(matrix))
    for _ in range(_ROUNDS):
        found = (inverse * found).sum(axis=1)  # not by BLAS
        found /= np.sqrt((found**2).sum())
    return found
