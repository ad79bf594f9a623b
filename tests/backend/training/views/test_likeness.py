# SPDX-License-Identifier: GPL-3.0-or-later
"""PSNR and SSIM are what their formulas say, over the whole picture on white and over the object's own pixels."""

import math

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.errors import UserError
from backend.flow.products import Picture
from backend.training.views.likeness import WINDOW, Likeness, compare, mean, on_white, similarity

RANDOM = np.random.default_rng(0)


def truth(side: int = 40, inside: slice = slice(10, 30)) -> Picture:
    """A patterned square in the middle of nothing."""
    picture = np.zeros((side, side, 4), np.uint8)
    picture[..., :3] = RANDOM.integers(50, 150, (side, side, 3))
    picture[inside, inside, 3] = 255
    return picture


def plain_similarity(one: Float64Array, other: Float64Array) -> Float64Array:
    """SSIM window by window, as the paper's equation 13 has it."""
    places = np.arange(11) - 5
    window = np.exp(-(places[:, None] ** 2 + places**2) / (2 * 1.5**2))
    window /= window.sum()
    rows, columns, channels = (one.shape[0] - 10, one.shape[1] - 10, one.shape[2])
    found = np.zeros((rows, columns, channels))
    for row, column, channel in np.ndindex(rows, columns, channels):
        x, y = (each[row : row + 11, column : column + 11, channel] for each in (one, other))
        mx, my = (window * x).sum(), (window * y).sum()
        vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
        cov = (window * (x - mx) * (y - my)).sum()
        found[row, column, channel] = ((2 * mx * my + 1e-4) * (2 * cov + 9e-4)) / (
            (mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)
        )
    return found


def test_similarity_is_that_of_the_paper() -> None:
    one = RANDOM.random((17, 14, 3))
    other = np.clip(one + RANDOM.normal(0, 0.2, one.shape), 0, 1)
    found = similarity(one, other)
    assert found.shape == (7, 4, 3)
    np.testing.assert_allclose(found, plain_similarity(one, other), atol=1e-10)
    np.testing.assert_allclose(similarity(one, one), 1, atol=1e-12)


def test_equal_pictures_are_as_alike_as_eight_bits_can_tell() -> None:
    picture = truth()
    found = compare(picture, picture)
    assert found.psnr == found.object_psnr == pytest.approx(58.92, abs=0.01)
    assert found.ssim == pytest.approx(1)
    assert found.object_ssim == pytest.approx(1)
    assert math.isnan(found.clip)


def test_an_offset_over_the_object_counts_wholly_there_and_by_its_area_on_white() -> None:
    picture = truth()
    brighter = picture.copy()
    brighter[..., :3] += 51  # a fifth; what is transparent is white in both
    found = compare(picture, brighter)
    assert found.object_psnr == pytest.approx(-20 * math.log10(0.2))
    assert found.psnr == pytest.approx(-20 * math.log10(0.2) + 10 * math.log10(40**2 / 20**2))
    assert found.object_ssim < found.ssim < 1


def test_what_is_beside_the_object_counts_on_white_alone() -> None:
    picture = truth()
    spot = picture.copy()
    spot[:3, :3] = (0, 0, 0, 255)  # farther than a window from the object
    found = compare(picture, spot)
    assert found.object_psnr == pytest.approx(58.92, abs=0.01)
    assert found.object_ssim == pytest.approx(1)
    assert found.psnr == pytest.approx(-10 * math.log10(9 / 40**2))
    assert found.ssim < 1


def test_transparent_is_white_and_half_transparent_is_half_of_it() -> None:
    picture = np.array([[[255, 0, 0, 255], [9, 9, 9, 0], [0, 0, 255, 51]]], np.uint8)
    np.testing.assert_allclose(on_white(picture), [[[1, 0, 0], [1, 1, 1], [0.8, 0.8, 1]]], atol=1e-12)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.full((20, 20, 4), 255, np.uint8), "no transparency"),
        (np.zeros((20, 20, 4), np.uint8), "shows nothing"),
        (np.zeros((WINDOW - 1, 20, 4), np.uint8), "20 x 10 pixels is too small"),
    ],
)
def test_a_truth_that_does_not_tell_the_object_is_refused(picture: Picture, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        compare(picture, picture)


def test_a_mean_is_over_what_was_measured() -> None:
    found = mean([Likeness(10, 0.5, 1, math.nan), Likeness(20, 0.7, 3, 0.25)])
    assert found[:4] == pytest.approx((15, 0.6, 2, 0.25))
    assert math.isnan(found.clip)
    assert all(math.isnan(number) for number in mean([]))
