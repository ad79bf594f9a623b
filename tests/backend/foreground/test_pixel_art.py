# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixel art gives one body, however it was scaled up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.engines.draft.geometry import build
from backend.engines.draft.normals import estimate
from backend.flow.products import Mesh, Picture
from backend.foreground.cut_out import cut_out
from backend.foreground.pixel_art import pixel_side


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def never() -> None:
    """Go on."""


def sprite(side: int = 10) -> Picture:
    """Return a face in pixels, with a dark outline."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(x, y) / (side / 2)
    picture = np.zeros((side, side, 4), np.uint8)
    picture[radius < 1.05] = (30, 25, 40, 255)
    picture[radius < 0.8] = (240, 200, 60, 255)
    picture[side // 3, [side // 3, side - 1 - side // 3]] = (20, 20, 20, 255)
    picture[-side // 3, side // 3 : side - side // 3] = (200, 60, 60, 255)
    return picture


def scaled(picture: Picture, times: int) -> Picture:
    return picture.repeat(times, axis=0).repeat(times, axis=1)


@pytest.mark.parametrize("times", [2, 4, 13])
def test_a_sprite_has_one_body_at_any_scale(times: int) -> None:
    def body(picture: Picture) -> Mesh:
        mesh = build(estimate(cut_out(picture, 128, ignore), ignore), 0, ignore)
        assert isinstance(mesh, Mesh)
        return mesh

    small, large = body(sprite()), body(scaled(sprite(), times))
    np.testing.assert_allclose(np.ptp(large.vertices, axis=0), np.ptp(small.vertices, axis=0), rtol=1e-3)


def test_the_frame_is_in_the_pixels_of_the_picture() -> None:
    small, large = (cut_out(picture, 64, ignore).crop for picture in (sprite(), scaled(sprite(), 6)))
    assert (large.picture_width, large.picture_height) == (60, 60)
    assert large.side == pytest.approx(6 * small.side)
    assert (large.left, large.top) == pytest.approx((6 * small.left, 6 * small.top))


@settings(max_examples=50, deadline=None)
@given(st.integers(8, 20), st.integers(8, 20), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_squares_are_found_and_one_odd_pixel_ends_them(height: int, width: int, times: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height, width, 4), np.uint8)
    picture = scaled(small, times)
    assert pixel_side(picture, never) == times
    row, column = int(rng.integers(1, height * times)), int(rng.integers(1, width * times))
    if times > 1 and (row % times or column % times):
        picture[row, column, 1] ^= 1
        assert pixel_side(picture, never) == 1


@pytest.mark.parametrize(
    ("top", "left", "bottom", "right"), [(128, 128, 384, 384), (64, 192, 448, 320), (0, 0, 512, 512)]
)
def test_a_drawn_box_is_no_pixel_art(top: int, left: int, bottom: int, right: int) -> None:
    picture = np.zeros((512, 512, 4), np.uint8)
    picture[top:bottom, left:right] = (200, 90, 40, 255)
    picture[192:320, 64:448] = (200, 90, 40, 255)
    assert pixel_side(picture, never) == 1
