# SPDX-License-Identifier: GPL-3.0-or-later
"""Vectors along the last axis of an array.

numpy reduces a last axis of two to four numbers twenty times as slowly as it adds the columns, and multiplies along it
by one number for all columns four times as slowly as by column.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = TypeVar("Float", np.float32, np.float64)

TO_VIEWER = (0.0, 0.0, 1.0)
"""The normal of a surface that faces the viewer: x right, y up, z to the viewer."""


def unit(vectors: NDArray[Float], fallback: ArrayLike | None = None, *, least: float = 1e-6) -> NDArray[Float]:
    """Scale vectors to length 1.

    vectors: float (..., C), finite. fallback: what replaces a vector shorter than `least`, (C,) or (..., C). Without it
    such a vector is divided by `least`, so that 0 stays 0. Returns an array of the same shape and dtype.
    """
    lengths = length(vectors)
    scaled = by_column(np.divide, vectors, np.maximum(lengths, least))
    if fallback is not None:
        long = np.asarray(lengths >= least)
        if not long.all():
            np.copyto(scaled, np.asarray(fallback, vectors.dtype), where=~long[..., None])
    return scaled


def by_column(operation: np.ufunc, vectors: NDArray[Float], numbers: NDArray[Float]) -> NDArray[Float]:
    """Apply an operation to each column of vectors, (..., C), and to numbers, (...), of the same dtype: (..., C)."""
    result = np.empty_like(vectors)
    for column in range(vectors.shape[-1]):
        operation(vectors[..., column], numbers, out=result[..., column])
    return result


def length(vectors: NDArray[Float]) -> NDArray[Float]:
    """Return the Euclidean lengths of vectors, float (..., C) to (...)."""
    return np.sqrt(dot(vectors, vectors))


def dot(one: NDArray[Float], other: NDArray[Float]) -> NDArray[Float]:
    """Return the inner products of vectors, float (..., C) each, to (...)."""
    total = np.multiply(one[..., 0], other[..., 0])
    for column in range(1, one.shape[-1]):
        total += one[..., column] * other[..., column]
    return total
