# SPDX-License-Identifier: GPL-3.0-or-later
"""Light to the bytes of a Radiance HDR file (RGBE: G. Ward, "Real Pixels", Graphics Gems II, 1991).

A pixel is three bytes and one exponent e that they share. A byte b is read as b * 2^(e - 136) by Blender and most
others; the paper adds 0.5 to b, which makes it brighter by at most 1/256. Rows are not compressed, as every reader
allows: no pixel can be taken for the mark of a compressed row, since the largest of its three bytes is at least 128,
or all four are 0.
"""

import numpy as np

from ..arrays import Float32Array, UInt8Array

_BIAS = 128
_LARGEST = np.float32(255 / 256 * 2.0 ** (255 - _BIAS))
_LEAST = np.float32(2.0**-_BIAS)  # what the exponent 1 can still hold; what is darker is black
_ROWS = 64  # that are worked out at once


def encode(light: Float32Array) -> bytes:
    """Encode linear light as a Radiance HDR file and return its bytes.

    light: float32 (H, W, 3), finite; what is below 0 is written as 0. What is read differs from it by at most 1/256 of
    the pixel's largest channel. Raises ValueError for any other shape.
    """
    if light.ndim != 3 or light.shape[2] != 3 or not light.size:
        raise ValueError(f"expected (H, W, 3), got {light.shape}")
    height, width, _ = light.shape
    header = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode()
    bands = (to_rgbe(light[top : top + _ROWS]).tobytes() for top in range(0, height, _ROWS))
    return b"".join([header, *bands])


def to_rgbe(light: Float32Array) -> UInt8Array:
    """Linear light, float32 (..., 3), as bytes and their exponent, uint8 (..., 4)."""
    kept = np.clip(light, np.float32(0), _LARGEST)
    largest = kept.max(axis=-1, keepdims=True)
    _, exponent = np.frexp(largest)
    exponent += np.rint(np.ldexp(largest, 8 - exponent)) > 255  # there is no byte 256
    rgbe = np.concatenate([np.rint(np.ldexp(kept, 8 - exponent)), exponent + _BIAS], axis=-1)
    return np.where(largest >= _LEAST, rgbe, 0).astype(np.uint8)
