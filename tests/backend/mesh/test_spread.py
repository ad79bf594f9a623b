# SPDX-License-Identifier: GPL-3.0-or-later
"""Places lie evenly over a surface, in the triangles that have any area."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.mesh.spread import spread


@given(st.lists(st.sampled_from([0.0, 1e-9, 0.3, 1.0, 7.0]), min_size=1, max_size=12).filter(any), st.integers(1, 400))
def test_each_triangle_gets_its_share(areas: list[float], count: int) -> None:
    which, shares = spread(np.array(areas), count)
    assert (np.array(areas)[which] > 0).all()
    wanted = np.array(areas) / sum(areas) * count
    assert np.abs(np.bincount(which, minlength=len(areas)) - wanted).max() <= 1 + 1e-6
    assert shares.shape == (count, 2)
    assert shares.min() >= 0
    assert shares.sum(axis=1).max() <= 1 + 1e-12


def test_within_a_triangle_they_are_even() -> None:
    _, shares = spread(np.ones(1), 4096)
    np.testing.assert_allclose(shares.mean(axis=0), 1 / 3, atol=2e-3)
    quarter = (shares.sum(axis=1) < 0.5).mean()
    assert abs(quarter - 0.25) < 3e-3
