# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files of this program and of others are read, and what is none is a reason."""

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from backend.raster.png import encode
from backend.raster.png_reader import decode

PICTURES = st.sampled_from((3, 4)).flatmap(
    lambda channels: arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(channels)), elements=st.integers(0, 255)
    )
)
SIGNED = encode(np.zeros((3, 5, 3), np.uint8))


@settings(max_examples=50)
@given(PICTURES)
def test_what_is_written_is_read(pixels: Any) -> None:
    read = decode(encode(pixels))
    assert np.array_equal(read[..., : pixels.shape[2]], pixels)
    assert pixels.shape[2] == 4 or (read[..., 3] == 255).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
def test_other_programs_files_are_read_with_whatever_filters_they_have(mode: str) -> None:
    module = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it")
    y, x = np.mgrid[:40, :60]
    pixels = np.stack([x * 4, y * 6, (x * y) % 251, 255 - x], axis=-1).astype(
        np.uint8
    )  # smooth, so that all filters are used
    image = (
        module.fromarray(pixels).convert("RGB").convert(mode) if mode == "P" else module.fromarray(pixels).convert(mode)
    )
    file = io.BytesIO()
    image.save(file, "PNG")
    assert np.array_equal(decode(file.getvalue()), np.array(image.convert("RGBA")))


def test_of_sixteen_bits_the_upper_eight_are_kept() -> None:
    module = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it")
    file = io.BytesIO()
    module.fromarray(np.array([[0x1234, 0xFF00]], np.uint16)).save(file, "PNG")
    assert decode(file.getvalue())[0].tolist() == [[0x12, 0x12, 0x12, 255], [255, 255, 255, 255]]


@settings(max_examples=100)
@given(st.integers(0, len(SIGNED)), st.binary(max_size=6))
def test_a_damaged_file_is_a_reason(place: int, damage: bytes) -> None:
    data = SIGNED[:place] + damage + SIGNED[place + len(damage) :]
    with contextlib.suppress(ValueError):
        assert decode(data).shape[2] == 4
