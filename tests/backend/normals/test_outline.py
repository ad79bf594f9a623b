# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals from the outline are unit and finite; for a disc they are those of a sphere of half the depth."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend.arrays import Float64Array
from backend.errors import UserError
from backend.flow.products import Crop, Cutout
from backend.normals import outline


def cutout(alpha: NDArray[np.floating[Any]]) -> Cutout:
    """Return a cut-out without colours with this coverage."""
    rgba = np.zeros((*alpha.shape, 4), np.uint8)
    rgba[..., 3] = np.round(alpha * 255)
    side = alpha.shape[0]
    return Cutout(rgba, Crop(0, 0, side, side, side))


def test_a_disc_has_the_normals_of_the_half_depth_sphere() -> None:
    size, radius = 128, 50.0
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    alpha = np.clip(radius - np.hypot(row, column) + 0.5, 0, 1)
    found = outline.estimate(cutout(alpha), lambda _, __: None)
    height = 0.5 * np.sqrt(np.maximum(radius**2 - row**2 - column**2, 0))
    expected = np.stack([column, -row, 4 * height], axis=-1)
    expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip((found.normals * expected).sum(axis=-1), -1, 1)))[alpha > 0.5]
    assert angle.max() < 6
    assert angle.mean() < 0.5


@given(hnp.arrays(np.float64, st.integers(1, 16).map(lambda n: (n, n)), elements=st.floats(0, 1)))
@settings(deadline=None)
def test_normals_are_unit_and_finite_for_any_mask(alpha: Float64Array) -> None:
    picture = cutout(alpha)
    if not (picture.alpha > 0.5).any():
        with pytest.raises(UserError) as caught:
            outline.estimate(picture, lambda _, __: None)
        assert caught.value.code == "empty-cutout"
        return
    found = outline.estimate(picture, lambda _, __: None)
    assert found.normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.normals, axis=-1), 1, atol=1e-5)
    assert (found.normals[..., 2] >= 0).all()
    np.testing.assert_array_equal(found.alpha, picture.alpha)


def test_progress_is_counted_and_ends_complete() -> None:
    alpha = np.zeros((96, 96))
    alpha[10:80, 20:70] = 1
    seen: list[tuple[int, int]] = []
    outline.estimate(cutout(alpha), lambda step, of: seen.append((step, of)))
    assert seen[-1][0] == seen[-1][1]
    assert all(0 <= step <= of for step, of in seen)
