# SPDX-License-Identifier: GPL-3.0-or-later
"""Inflation agrees with known closed forms, to a fraction of a pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import Float64Array
from backend.raster import poisson


def disc(size: int, radius: float, shift: float = 0.0) -> Float64Array:
    """Return the coverage of a disc around the image's centre, antialiased over one pixel."""
    row, column = np.mgrid[:size, :size] - (size - 1) / 2 - shift
    return np.clip(radius - np.hypot(row, column) + 0.5, 0, 1)


@pytest.mark.parametrize(("radius", "shift"), [(20.0, 0.0), (20.3, 0.4), (47.7, 0.2)])
def test_a_disc_gives_the_paraboloid(radius: float, shift: float) -> None:
    alpha = disc(100, radius, shift)
    row, column = np.mgrid[:100, :100] - 49.5 - shift
    expected = np.maximum(radius**2 - row**2 - column**2, 0) / 4
    u = poisson.potential(alpha, lambda _: None)
    slope_at_the_rim = radius / 2
    np.testing.assert_allclose(u, expected * (alpha > 0.5), atol=0.1 * slope_at_the_rim)


def test_a_strip_gives_the_parabola_between_its_sides() -> None:
    alpha = np.zeros((600, 41))
    alpha[:, 10:31] = 1.0
    u = poisson.potential(alpha, lambda _: None)[300]
    across = np.arange(41) - 20.0
    np.testing.assert_allclose(u, np.maximum(10.5**2 - across**2, 0) / 2, atol=0.15)


def test_the_slope_of_a_disc_points_inward_and_is_exact_up_to_the_rim() -> None:
    alpha = disc(64, 25.3)
    u = poisson.potential(alpha, lambda _: None)
    right, up = poisson.gradient(u, alpha)
    row, column = np.mgrid[:64, :64] - 31.5
    inside = alpha > 0.5
    np.testing.assert_allclose(right[inside], -column[inside] / 2, atol=1.0)
    np.testing.assert_allclose(up[inside], row[inside] / 2, atol=1.0)


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(0, 1)))
@settings(deadline=None)
def test_any_alpha_is_inflated_inside_its_mask_only(alpha: Float64Array) -> None:
    u = poisson.potential(alpha, lambda _: None)
    assert u.shape == alpha.shape
    assert ((u > 0) == (alpha > 0.5)).all()
    assert all(np.isfinite(part).all() for part in poisson.gradient(u, alpha))
