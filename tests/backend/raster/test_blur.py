# SPDX-License-Identifier: GPL-3.0-or-later
"""Box means are means, and blurs spread a point as a Gaussian of their standard deviation does."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.raster.blur import Beyond, box_blur, box_mean, gaussian_blur


@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.integers(0, 15),
    st.sampled_from(["zero", "edge"]),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 1000),
)
def test_a_box_mean_is_the_mean_of_the_square_around_each_pixel(
    shape: tuple[int, int], radius: int, beyond: Beyond, dtype: type[np.float32 | np.float64], seed: int
) -> None:
    image = np.random.default_rng(seed).random(shape).astype(dtype)
    mode: Literal["edge", "constant"] = "edge" if beyond == "edge" else "constant"
    padded = np.pad(image.astype(np.float64), radius, mode)
    squares = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1, 2 * radius + 1))
    found = box_mean(image, radius, beyond=beyond)
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, squares.mean(axis=(2, 3)), atol=1e-6)


@pytest.mark.parametrize("beyond", ["zero", "edge"])
def test_channels_do_not_mix(beyond: Beyond) -> None:
    image = np.random.default_rng(0).random((9, 11, 3)).astype(np.float32)
    channels = [box_mean(image[..., channel], 2, beyond=beyond) for channel in range(3)]
    np.testing.assert_array_equal(box_mean(image, 2, beyond=beyond), np.stack(channels, axis=-1))


def point() -> Float64Array:
    image = np.zeros((81, 81))
    image[40, 40] = 1.0
    return image


def spread_of(image: Float64Array) -> float:
    """The standard deviation along the rows of what a point was blurred to."""
    places = np.arange(-40, 41)
    return float(np.sqrt((image * places**2).sum() / image.sum()))


@pytest.mark.parametrize("deviation", [1.4142, 2.4495, 6.4807])
def test_both_blurs_have_the_deviation_that_was_asked_for(deviation: float) -> None:
    assert spread_of(box_blur(point(), deviation, beyond="zero")) == pytest.approx(deviation, rel=1e-3)
    gaussian = gaussian_blur(point().astype(np.float32), deviation)
    assert spread_of(gaussian.astype(np.float64)) == pytest.approx(deviation, rel=1e-3)
    assert gaussian.sum() == pytest.approx(1, rel=1e-5)


def test_a_gaussian_blur_fades_towards_the_border_and_polls_once_an_axis() -> None:
    polls: list[int] = []
    blurred = gaussian_blur(np.ones((40, 60, 2), np.float32), 2.0, poll=lambda: polls.append(1))
    assert len(polls) == 2
    np.testing.assert_allclose(blurred[20, 30], 1, rtol=1e-5)
    np.testing.assert_allclose(blurred[0, 30], 0.6, atol=0.02)  # half of the kernel, and half of its centre
