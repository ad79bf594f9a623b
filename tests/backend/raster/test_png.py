# SPDX-License-Identifier: GPL-3.0-or-later
"""Another decoder reads the encoded pixels back unchanged."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import UInt8Array
from backend.raster import png

Image = pytest.importorskip("PIL.Image", reason="Pillow is the decoder that checks the files: pip install pillow")

shapes = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]))


def decoded(data: bytes) -> UInt8Array:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        image.load()
        return np.asarray(image)


@given(hnp.arrays(np.uint8, shapes))
def test_any_picture_reads_back(pixels: UInt8Array) -> None:
    np.testing.assert_array_equal(decoded(png.encode(pixels)), pixels)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_of_several_bands_reads_back(channels: int) -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (1500, 701, channels), np.uint8)
    np.testing.assert_array_equal(decoded(png.encode(pixels)), pixels)


def test_views_with_strides_read_back() -> None:
    pixels = np.arange(24 * 30 * 4, dtype=np.uint32).astype(np.uint8).reshape(24, 30, 4)
    flipped = pixels[::-1, ::2, :3]
    np.testing.assert_array_equal(decoded(png.encode(flipped)), flipped)


def test_a_smooth_picture_gives_a_small_file() -> None:
    y, x = np.mgrid[:256, :256]
    pixels = np.stack([x, y, (x + y) // 2, np.full_like(x, 255)], axis=-1).astype(np.uint8)
    assert len(png.encode(pixels)) < pixels.nbytes / 50


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))],
)
def test_other_shapes_and_dtypes_are_refused(pixels: UInt8Array) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        png.encode(pixels)
