# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files of this program and of others are read, and what is none is a reason."""

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from backend.raster.png import encode
from backend.raster.png_reader import check, decode

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


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def file_of(rows: int, packed: bytes, end: bytes = chunk(b"IEND", b"")) -> bytes:
    """A picture of 4 columns, 8 bits of grey; packed: its rows' bytes."""
    header = struct.pack(">IIBBBBB", 4, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(packed)) + end


ROW = b"\0\1\2\3\4"


@pytest.mark.parametrize("look", [check, decode])
def test_rows_that_are_missing_and_wrong_checksums_are_a_reason(look: Any) -> None:
    for end in (b"", chunk(b"IEND", b"")[:-3], chunk(b"IEND", b"") + b"and more"):
        look(file_of(9, 9 * ROW, end))  # its pixels are all there
    look(file_of(9, 12 * ROW))
    for early in (file_of(9, 8 * ROW), file_of(9, 9 * ROW)[:-30]):
        with pytest.raises(ValueError, match="ends in the middle"):
            look(early)
    whole = file_of(9, 9 * ROW)
    at = whole.index(b"IDAT") + 10
    with pytest.raises(ValueError, match="damaged"):
        look(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (61, 40)])
def test_other_programs_files_are_whole(mode: str, size: tuple[int, int]) -> None:
    module = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it")
    file = io.BytesIO()
    module.new(mode, size).save(file, "PNG")
    check(file.getvalue())


def test_an_interlaced_file_is_whole_if_all_of_its_passes_are_there() -> None:
    passes = [(1, 1), (1, 1), (2, 1), (1, 2), (3, 1), (2, 3), (5, 2)]  # columns and rows of each, of 5 x 5 pixels
    rows = b"".join(high * (b"\0" + wide * b"\7") for wide, high in passes)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 5, 8, 0, 0, 0, 1))
    check(start + chunk(b"IDAT", zlib.compress(rows)))
    with pytest.raises(ValueError, match="ends in the middle"):
        check(start + chunk(b"IDAT", zlib.compress(rows[:-1])))
