# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that are spread evenly over a surface, the same each time, however many triangles there are."""

import numpy as np

from ..arrays import Float64Array, Int64Array

_STEPS = np.array([0.7548776662466927, 0.5698402909980532])
"""The plastic number's inverse and its square: even in two dimensions (the sequence R2; Roberts 2018)."""


def spread(areas: Float64Array, count: int) -> tuple[Int64Array, Float64Array]:
    """Spread places over triangles by their areas, float64 (T,), not all 0.

    Returns the triangle of each place, int64 (count,), none without area; and how far it lies towards the triangle's
    second and third corner from the first, float64 (count, 2), at least 0 and together at most 1.
    """
    ends = np.cumsum(areas)
    steps = np.arange(count)
    which = np.minimum(np.searchsorted(ends, (steps + 0.5) / count * ends[-1]), len(areas) - 1)
    shares = steps[:, None] * _STEPS % 1.0
    return which, np.where(shares.sum(axis=1, keepdims=True) > 1, 1 - shares, shares)
