# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask of a cut-out in the picture's frame, and an artist's own mask in its place."""

import numpy as np
import pytest

from backend.errors import UserError
from backend.flow.products import Picture
from backend.foreground.cut_out import cut_out
from backend.foreground.mask import mask_of, with_mask
from tests.backend.vase import vase


def no_report(step: int, of: int) -> None:
    """Ignore the progress."""


def grey(mask: Picture, alpha: int = 255) -> Picture:
    """A mask, uint8 (H, W), as a picture."""
    return np.dstack([mask, mask, mask, np.full_like(mask, alpha)])


def square(side: int = 40) -> Picture:
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : side // 2, side // 4 : 3 * side // 4] = 255
    return mask


@pytest.mark.parametrize("size", [(90, 70), (70, 210)])
def test_the_mask_lies_where_the_object_lies_in_the_picture(size: tuple[int, int]) -> None:
    picture = vase(*size)
    mask = mask_of(cut_out(picture, 128, no_report))
    assert mask.shape == size
    assert ((mask > 127) != (picture[..., 3] > 127)).mean() < 0.01


def test_a_large_pictures_mask_is_smaller_and_has_its_shape() -> None:
    picture = vase(180, 90).repeat(16, axis=0).repeat(16, axis=1)
    mask = mask_of(cut_out(picture, 256, no_report))
    assert mask.shape == (1024, 512)
    assert abs((mask > 127).mean() - (picture[..., 3] > 127).mean()) < 0.01


def test_the_mask_of_a_small_object_in_a_large_picture_is_as_fine_as_its_cut_out() -> None:
    picture = np.zeros((1600, 2400, 4), np.uint8)
    picture[700:900, 1100:1300] = (200, 60, 40, 255)
    mask = mask_of(cut_out(picture, 200, no_report))
    assert mask.shape == (1333, 2000)
    assert abs((mask > 127).mean() - 200 * 200 / picture[..., 3].size) < 3e-4


@pytest.mark.parametrize("factor", [1, 3])
def test_the_mask_becomes_the_alpha_at_the_pictures_size(factor: int) -> None:
    picture = np.full((120, 120, 4), 90, np.uint8)
    result = with_mask(picture, grey(square(120 // factor)), no_report)
    np.testing.assert_array_equal(result[..., :3], picture[..., :3])
    inside = square(120) > 127
    assert ((result[..., 3] > 127) != inside).mean() < 0.02
    assert result[60 - 8, 60, 3] == 255
    assert result[100, 60, 3] == 0


def test_what_is_transparent_in_the_mask_is_not_the_object() -> None:
    mask = grey(square())
    mask[:, 20:, 3] = 0
    result = with_mask(np.full((40, 40, 4), 90, np.uint8), mask, no_report)
    assert result[15, 12, 3] == 255
    assert result[15, 28, 3] == 0


@pytest.mark.parametrize(
    ("mask", "word"),
    [
        (grey(np.zeros((40, 40), np.uint8)), "black all over"),
        (grey(np.full((40, 40), 255, np.uint8)), "white all over"),
        (grey(square(), alpha=0), "black all over"),
        (grey(square())[:30], "40 x 30"),
    ],
)
def test_a_mask_that_cuts_nothing_out_is_refused(mask: Picture, word: str) -> None:
    with pytest.raises(UserError, match=word) as caught:
        with_mask(np.full((40, 40, 4), 90, np.uint8), mask, no_report)
    assert caught.value.code == "bad-cutout"
