# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit vectors have length 1, keep their direction, and short ones become what the caller says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import Float64Array
from backend.raster.vectors import TO_VIEWER, unit


@given(hnp.arrays(np.float64, (7, 3), elements=st.floats(-1e6, 1e6)))
def test_length_is_one_and_the_direction_stays(vectors: Float64Array) -> None:
    found = unit(vectors, TO_VIEWER)
    length = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    long = length >= 1e-6
    np.testing.assert_allclose(found[long] * length[long, None], vectors[long], rtol=1e-12, atol=1e-12)
    assert (found[~long] == TO_VIEWER).all()


def test_without_a_fallback_zero_stays_zero() -> None:
    np.testing.assert_array_equal(unit(np.array([[0.0, 0.0], [3.0, 4.0]])), [[0.0, 0.0], [0.6, 0.8]])


def test_every_vector_can_have_its_own_fallback() -> None:
    vectors = np.array([[0.05, 0.0], [0.0, 2.0], [0.0, 0.0]], np.float32)
    fallback = np.array([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    found = unit(vectors, fallback, least=0.1)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([[0.0, 1.0], [0.0, 1.0], [0.6, 0.8]], np.float32))
