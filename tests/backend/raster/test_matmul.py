# SPDX-License-Identifier: GPL-3.0-or-later
"""Products in blocks are those of the whole matrices."""

import numpy as np
import pytest

from backend.raster.matmul import by_einsum, by_matmul


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (1, 1248, 96), (3, 5, 2), (1000, 48, 48), (13, 2304, 256), (5, 7000, 3), (300, 64, 1), (30, 300, 73)],
)
def test_both_ways_multiply(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    random = np.random.default_rng(0)
    rows, matrix = (random.normal(size=size).astype(np.float32) for size in ((m, k), (k, n)))
    exact = rows.astype(np.float64) @ matrix
    for multiply in (by_matmul, by_einsum):
        found = multiply(rows, matrix)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, exact, atol=1e-6 * k)


def test_a_rows_product_does_not_depend_on_the_other_rows() -> None:
    random = np.random.default_rng(0)
    rows, matrix = random.normal(size=(77, 432)).astype(np.float32), random.normal(size=(432, 48)).astype(np.float32)
    whole = by_matmul(rows, matrix)
    for first in (0, 1, 12, 76):
        np.testing.assert_array_equal(by_matmul(rows[first:], matrix), whole[first:])
