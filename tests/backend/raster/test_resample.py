# SPDX-License-Identifier: GPL-3.0-or-later
"""Resampling is exact for whole shifts, right at every scale, and defined beyond the border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import Float32Array, UInt8Array
from backend.flow.products import Crop, NormalMap
from backend.raster import resample

sizes = st.integers(1, 40)
windows = st.tuples(st.floats(-60, 60), st.floats(-60, 60), st.floats(0.3, 90), st.integers(1, 50))


def ramp(height: int, width: int) -> Float32Array:
    """Return an image of x + 100 y at the pixels' centres."""
    y, x = np.mgrid[:height, :width] + 0.5
    return (x + 100 * y).astype(np.float32)


@given(hnp.arrays(np.uint8, st.tuples(sizes, st.sampled_from([1, 2, 3]))))
def test_the_whole_image_at_its_own_size_is_itself(line: UInt8Array) -> None:
    square = np.repeat(line[None], len(line), axis=0)
    np.testing.assert_array_equal(resample.crop_resize(square, 0, 0, len(line), len(line)), square)


@given(hnp.arrays(np.uint8, (13, 13, 4)), st.integers(-20, 20), st.integers(-20, 20))
def test_whole_shifts_move_pixels_and_fill_the_rest(pixels: UInt8Array, left: int, top: int) -> None:
    pixels[..., 3] = 255
    moved = resample.crop_resize(pixels, left, top, 13, 13, fill=0)
    around = np.pad(pixels, ((20, 20), (20, 20), (0, 0)))
    expected = around[20 + top : 33 + top, 20 + left : 33 + left]
    np.testing.assert_array_equal(moved, expected)


@given(sizes, sizes, windows, st.integers(0, 255))
def test_a_flat_image_stays_flat(height: int, width: int, window: tuple[float, float, float, int], tone: int) -> None:
    left, top, side, size = window
    flat = np.full((height, width, 3), tone, np.uint8)
    assert np.all(resample.crop_resize(flat, left, top, side, size) == tone)
    assert np.all(resample.crop_resize(flat, left, top, side, size, fill=tone) == tone)


@given(st.floats(8, 20), st.floats(8, 20), st.floats(2, 20), st.integers(2, 40))
def test_a_ramp_is_kept_at_every_scale(left: float, top: float, side: float, size: int) -> None:
    """Away from the border the kernel reproduces straight lines, without a shift by half a pixel."""
    margin = 2 * max(side / size, 1)
    y, x = (np.mgrid[:size, :size] + 0.5) * side / size
    expected = (left + x) + 100 * (top + y)
    inside = (left + x > margin) & (left + x < 48 - margin) & (top + y > margin) & (top + y < 48 - margin)
    shown = resample.crop_resize(ramp(48, 48), left, top, side, size)
    np.testing.assert_allclose(shown[inside], expected[inside], rtol=2e-4, atol=side / size * 2)


def test_every_pixel_counts_if_the_image_shrinks() -> None:
    """A checkerboard of single pixels, five times smaller, is an even grey."""
    y, x = np.mgrid[:200, :200]
    board = ((x + y) % 2 * 255).astype(np.uint8)
    shown = resample.crop_resize(board, 0, 0, 200, 40)[2:-2, 2:-2]
    assert abs(int(shown.min()) - 127) <= 2
    assert abs(int(shown.max()) - 127) <= 2


def test_beyond_the_border_lies_the_edge_or_the_fill() -> None:
    image = np.full((10, 10), 200, np.uint8)
    assert np.all(resample.crop_resize(image, 30, -50, 12, 7) == 200)
    assert np.all(resample.crop_resize(image, 30, -50, 12, 7, fill=9) == 9)


@given(windows, hnp.arrays(np.uint8, (9, 11)))
def test_hidden_colours_do_not_bleed(window: tuple[float, float, float, int], alpha: UInt8Array) -> None:
    """Transparent pixels hide green, and every visible pixel of the result is red."""
    left, top, side, size = window
    picture = np.zeros((9, 11, 4), np.uint8)
    picture[..., 3] = np.where(alpha > 127, alpha, 0)
    picture[..., 0] = np.where(alpha > 127, 255, 0)
    picture[..., 1] = np.where(alpha > 127, 0, 255)
    shown = resample.crop_resize(picture, left, top, side, size, fill=0)
    assert np.all(shown[..., 1] == 0)
    assert np.all(shown[..., 0] == np.where(shown[..., 3] > 0, 255, 0))


@pytest.mark.parametrize("pixels", [np.zeros((0, 3), np.uint8), np.zeros((3, 0, 4), np.uint8)])
def test_an_empty_image_is_refused(pixels: UInt8Array) -> None:
    with pytest.raises(ValueError, match="cannot resample"):
        resample.crop_resize(pixels, 0, 0, 3, 3)


@pytest.mark.parametrize("side", [0.0, -1.0, float("nan"), float("inf")])
def test_a_window_without_area_is_refused(side: float) -> None:
    with pytest.raises(ValueError, match="cannot resample"):
        resample.crop_resize(np.zeros((3, 3), np.uint8), 0, 0, side, 3)


@given(sizes, sizes, st.integers(1, 16), st.integers(0, 2**32 - 1))
def test_shrink_is_the_mean_of_blocks(height: int, width: int, factor: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    picture[..., 3] = 255
    shown = resample.shrink(picture, factor)
    down, across = -(-height // factor), -(-width // factor)
    padded = np.pad(picture, ((0, down * factor - height), (0, across * factor - width), (0, 0)), mode="edge")
    means = padded.reshape(down, factor, across, factor, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(shown, means, atol=0.501)


@given(hnp.arrays(np.uint8, (12, 12, 4)), st.sampled_from([2, 3, 4]))
def test_shrink_weighs_colours_with_coverage(picture: UInt8Array, factor: int) -> None:
    blocks = picture.reshape(12 // factor, factor, 12 // factor, factor, 4).swapaxes(1, 2).astype(float)
    alpha = blocks[..., 3].sum(axis=(2, 3))
    colours = (blocks[..., :3] * blocks[..., 3:]).sum(axis=(2, 3)) / np.maximum(alpha, 1)[..., None]
    shown = resample.shrink(picture, factor)
    covered = alpha > 255
    np.testing.assert_allclose(shown[..., 3], alpha / factor**2, atol=0.501)
    # The weighted colours were bytes once: half a byte counts more where little is covered.
    slack = 1 + 0.75 * 255 * factor**2 / alpha[covered][:, None]
    assert np.all(np.abs(shown[covered][:, :3] - colours[covered]) <= slack)


def dome(size: int, radius: float) -> NormalMap:
    y, x = (np.mgrid[:size, :size] + 0.5 - size / 2) / radius
    inside = x * x + y * y < 0.98
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.02))
    normals = np.where(inside[..., None], np.stack([x, -y, z], axis=-1), [0, 0, 1])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return NormalMap(normals.astype(np.float32), inside.astype(np.float32))


def test_pasted_normals_can_be_cropped_again_and_stay_unit_length() -> None:
    square = dome(96, 40)
    crop = Crop(left=-10.5, top=20.25, side=120.0, picture_width=100, picture_height=180)
    there = resample.paste_back_normals(square, crop)
    assert there.normals.shape == (180, 100, 3)
    assert there.alpha.shape == (180, 100)
    back = resample.crop_normals(there, crop, 96)
    for normal_map in (there, back):
        np.testing.assert_allclose(np.linalg.norm(normal_map.normals, axis=-1), 1, atol=1e-5)
    in_picture = resample.crop_resize(np.ones((180, 100), np.float32), crop.left, crop.top, crop.side, 96, fill=0)
    sure = (back.alpha > 0.99) & (square.alpha > 0.99) & (in_picture > 0.99)
    assert sure.mean() > 0.3
    cosines = np.sum(back.normals * square.normals, axis=-1)[sure]
    assert np.quantile(cosines, 0.01) > 0.995


def test_pasting_back_undoes_the_crop() -> None:
    y, x = np.mgrid[:60, :80]
    picture = np.stack([x * 3, y * 4, x + y, np.full_like(x, 255)], axis=-1).astype(np.uint8)
    crop = Crop(left=-9.0, top=-19.0, side=98.0, picture_width=80, picture_height=60)
    square = resample.crop_resize(picture, crop.left, crop.top, crop.side, 196, fill=0)
    back = resample.paste_back(square, crop)
    assert back.shape == picture.shape
    np.testing.assert_allclose(back[4:-4, 4:-4].astype(int), picture[4:-4, 4:-4], atol=2)
