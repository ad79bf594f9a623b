# SPDX-License-Identifier: GPL-3.0-or-later
"""Radiance HDR files, read back by a reader that is written from the format's description."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import Float32Array
from backend.raster import radiance


def read(data: bytes) -> Float32Array:
    """The light in an uncompressed file, float32 (H, W, 3), as Blender reads it: without half a byte on top."""
    head, _, rest = data.partition(b"\n\n")
    assert head.splitlines() == [b"#?RADIANCE", b"FORMAT=32-bit_rle_rgbe"]
    size, _, body = rest.partition(b"\n")
    _, height, _, width = size.split()
    rgbe = np.frombuffer(body, np.uint8).reshape(int(height), int(width), 4).astype(np.int32)
    light = np.ldexp(rgbe[..., :3].astype(np.float64), rgbe[..., 3:] - 136)
    return np.where(rgbe[..., 3:] > 0, light, 0).astype(np.float32)


pictures = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 12), st.just(3)),
    elements=st.floats(0, 2.0**100, width=32),
)


@given(pictures)
def test_any_light_reads_back_to_the_precision_of_a_byte(light: Float32Array) -> None:
    largest = light.max(axis=-1, keepdims=True)
    assert (np.abs(read(radiance.encode(light)) - light) <= largest / 256 + 2.0**-128).all()


@given(pictures)
def test_no_row_looks_like_a_compressed_one(light: Float32Array) -> None:
    rgbe = radiance.to_rgbe(light)
    assert ((rgbe[..., :3].max(axis=-1) >= 128) | ~rgbe.any(axis=-1)).all()


def test_what_is_not_light_is_black_and_what_is_too_bright_the_brightest() -> None:
    light = np.array([[[-1, -0.5, -2], [1e38, 0, 3e38]]], np.float32)
    assert not read(radiance.encode(light))[0, 0].any()
    assert read(radiance.encode(light))[0, 1, 2] > 1.6e38


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        radiance.encode(np.zeros(shape, np.float32))
