# SPDX-License-Identifier: GPL-3.0-or-later
"""The hi3dgen engine's cut-out: centred and left as it is, or exactly as upstream would have it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PIL", reason="Pillow is not installed here: the extra hi3dgen has it")

from backend.engines.hi3dgen.foreground import cut_out, cut_out_as_upstream, mask_by_birefnet, preprocess
from backend.errors import UserError
from backend.flow.products import Cutout, Report

Pixels = NDArray[np.uint8]
Way = Callable[[Pixels, int, Callable[[Pixels], Pixels], Report], Cutout]
COLOUR = (200, 120, 40)


def no_report(step: int, of: int) -> None:
    """Ignores the progress."""


def no_mask(colours: Pixels) -> Pixels:
    raise AssertionError("the picture has an alpha of its own")


def empty_mask(colours: Pixels) -> Pixels:
    return np.zeros(colours.shape[:2], np.uint8)


def box_in(height: int, width: int, rows: slice, columns: slice, alpha: int = 255) -> Pixels:
    picture = np.zeros((height, width, 4), np.uint8)
    picture[rows, columns] = (*COLOUR, alpha)
    return picture


def box_of(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_an_object_at_the_border_is_centred_and_keeps_its_colours() -> None:
    cutout = cut_out(box_in(100, 160, slice(0, 60), slice(100, 160)), 240, no_mask, no_report)
    left, top, right, bottom = box_of(cutout.rgba[..., 3] > 127)
    assert (left + right) / 2 == pytest.approx(120, abs=1)
    assert (top + bottom) / 2 == pytest.approx(120, abs=1)
    assert right - left == pytest.approx(240 / 1.2, abs=2)
    np.testing.assert_array_equal(cutout.rgba[120, 120], [*COLOUR, 255])


def test_half_covered_colours_stay_or_darken_twice_as_upstream() -> None:
    picture = box_in(90, 90, slice(20, 70), slice(20, 70))
    picture[20:70, 20:45, 3] = 215  # still sure enough for upstream's frame
    ours = cut_out(picture, 120, no_mask, no_report).rgba[60, 35]
    theirs = cut_out_as_upstream(picture, 120, no_mask, no_report).rgba[60, 35]
    np.testing.assert_allclose(ours, [*COLOUR, 215], atol=1)
    once = 215 / 255
    np.testing.assert_allclose(theirs, [*(channel * once**2 for channel in COLOUR), 215], atol=3)


def test_upstreams_crop_is_exact() -> None:
    """The object's box, mapped from the cut-out back to the picture, is the same."""
    box = (100, 15, 155, 75)
    picture = box_in(100, 160, slice(box[1], box[3]), slice(box[0], box[2]))
    for size in (64, 256):
        cutout = cut_out_as_upstream(picture, size, no_mask, no_report)
        found = np.array(box_of(cutout.rgba[..., 3] > 127)) * cutout.crop.side / size
        moved = found + np.array([cutout.crop.left, cutout.crop.top] * 2)
        np.testing.assert_allclose(moved, box, atol=2 * cutout.crop.side / size)
        assert (cutout.crop.picture_width, cutout.crop.picture_height) == (160, 100)


def test_an_opaque_picture_is_cut_by_its_mask() -> None:
    picture = np.full((80, 120, 4), 255, np.uint8)
    picture[..., :3] = COLOUR

    def mask_of(colours: Pixels) -> Pixels:
        assert colours.shape == (80, 120, 3)
        mask = np.zeros((80, 120), np.uint8)
        mask[20:60, 30:70] = 255
        return mask

    for way in (cut_out, cut_out_as_upstream):
        cutout = way(picture, 96, mask_of, no_report)
        assert cutout.crop.side == pytest.approx(48, abs=3)
        assert cutout.crop.left + cutout.crop.side / 2 == pytest.approx(50, abs=2)
        assert (cutout.rgba[..., 3] > 127).mean() == pytest.approx(1 / 1.2**2, abs=0.1)


@pytest.mark.parametrize("way", [cut_out, cut_out_as_upstream])
def test_a_picture_without_an_object_is_refused(way: Way) -> None:
    opaque = np.full((40, 40, 4), 255, np.uint8)
    with pytest.raises(UserError, match="No object"):
        way(opaque, 64, empty_mask, no_report)
    with pytest.raises(UserError):
        way(opaque * np.uint8([1, 1, 1, 0]), 64, no_mask, no_report)


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_a_speck_is_an_object_or_an_error(pixels: int) -> None:
    found = preprocess(box_in(30, 30, slice(5, 5 + pixels), slice(5, 5 + pixels)), 16, no_mask)
    assert (found.square is None) == (pixels < 3)


def test_a_picture_that_is_a_little_transparent_all_over_is_cut_by_its_mask() -> None:
    """As a layer at 99 % is: such an alpha says nothing of where the object is."""
    picture = np.random.default_rng(0).integers(0, 256, (80, 120, 4)).astype(np.uint8)
    picture[..., 3] = 252
    mask = box_in(80, 120, slice(20, 60), slice(40, 80))[..., 3]
    cutout = cut_out(picture, 96, lambda _: mask, no_report)
    assert (cutout.crop.left, cutout.crop.top, cutout.crop.side) == pytest.approx((36, 16, 48))


def test_an_object_may_fill_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 120, 4)).astype(np.uint8)
    picture[..., 3] = 255
    cutout = cut_out(picture, 96, lambda colours: np.full(colours.shape[:2], 255, np.uint8), no_report)
    assert cutout.crop.side == pytest.approx(1.2 * 120)
    assert (cutout.alpha > 0.5).mean() == pytest.approx(80 * 120 / cutout.crop.side**2, rel=0.05)


def test_the_network_sees_a_normalised_square_and_its_answer_returns_to_the_picture() -> None:
    colours = np.zeros((50, 200, 3), np.uint8)
    colours[:, 100:] = 255
    shapes: list[tuple[int, ...]] = []

    def bright(seen: NDArray[np.float32]) -> NDArray[np.float32]:
        shapes.append(seen.shape)
        return (seen[0].mean(0) * 20).astype(np.float32)

    mask = mask_by_birefnet(colours, bright)
    assert shapes == [(1, 3, 1024, 1024)]
    assert mask.shape == (50, 200)
    assert mask[:, :95].max() == 0
    assert mask[:, 105:].min() >= 254
