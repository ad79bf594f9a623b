# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG bytes to pixels (PNG specification, third edition, W3C 2025), with zlib alone, where no Pillow is.

It reads what programs write: 8 and 16 bits a channel, palettes of 8 bits, transparency of palettes. Interlaced files
and palettes of fewer bits are refused. Of any PNG file it tells whether all of its pixels are there and undamaged.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays import Int16Array, UInt8Array

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of colour types: grey, colour, palette, each of the first two with alpha
_PALETTE = 3
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
_WHOLE = ((0, 1, 0, 1),)
_ADAM7 = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))
"""The passes of interlaced pictures: the first column and each which one, and the same of rows (specification, 8.2)."""
_PIECE = 1 << 20  # bytes that are inflated at once
ENDS_EARLY = "it ends in the middle"
"""The reason if pixels are missing at the end."""


def check(data: bytes) -> None:
    """Raise ValueError, with the reason, if a PNG file of any kind lacks pixels or if their checksums are wrong.

    Pillow does not tell: what is missing is black then. A file whose last chunk is missing is whole, as its pixels are.
    """
    chunks = _chunks(data)
    width, height, depth, colour, interlaced = _header(chunks)
    bits = _CHANNELS.get(colour, 0) * depth
    if not bits or interlaced > 1:
        raise ValueError("it is a PNG file of a rare kind")
    left = sum(
        rows * (1 + -(-columns * bits // 8))
        for first, each, top, every in (_ADAM7 if interlaced else _WHOLE)
        if (columns := len(range(first, width, each))) and (rows := len(range(top, height, every)))
    )
    unpacker = zlib.decompressobj()
    for body in (body for kind, body in chunks if kind == b"IDAT"):
        packed = body
        while left > 0 and (made := _unpacked(unpacker, packed, min(_PIECE, left))):
            left, packed = left - len(made), unpacker.unconsumed_tail
    if left > 0:
        raise ValueError(ENDS_EARLY)


def decode(data: bytes, max_side: int = 1 << 14, max_pixels: int = 1 << 26) -> UInt8Array:
    """Decode a PNG file of at most so many pixels a side and in all; of 16 bits a channel the upper eight are kept.

    Returns uint8 (H, W, 4), row 0 on top, straight alpha. Raises ValueError for anything else, with the reason.
    """
    chunks = _chunks(data)
    width, height, depth, colour, interlaced = _header(chunks)
    channels = _CHANNELS.get(colour, 0)
    if not channels or depth not in ((8,) if colour == _PALETTE else (8, 16)) or interlaced:
        raise ValueError("it is a PNG file of a rare kind")
    if not (0 < width <= max_side and 0 < height <= max_side and width * height <= max_pixels):
        raise ValueError(f"it is {width} x {height} pixels large")
    packed, palette, transparent = bytearray(), b"", b""
    for kind, body in chunks:
        if kind == b"IDAT":
            packed += body
        elif kind == b"PLTE":
            palette = body
        elif kind == b"tRNS":
            transparent = body
    size = channels * depth // 8  # bytes of a pixel
    rows = _inflated(bytes(packed), height * (1 + width * size)).reshape(height, 1 + width * size)
    pixels = _unfiltered(rows[:, 0], rows[:, 1:].reshape(height, width, size))[..., :: depth // 8]
    return _by_palette(pixels[..., 0], palette, transparent) if colour == _PALETTE else _rgba(pixels)


def _header(chunks: Iterator[tuple[bytes, bytes]]) -> tuple[int, int, int, int, int]:
    """Width, height, bits of a channel, the colour's type, and how it is interlaced. Raises ValueError."""
    kind, header = next(chunks, (b"", b""))
    if kind != b"IHDR" or len(header) != 13:
        raise ValueError("it is no PNG file")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    return width, height, depth, colour, interlaced


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The types and bodies of whole chunks, up to IEND. Raises ValueError if one that counts is damaged."""
    if data[:8] != SIGNATURE:
        raise ValueError("it is no PNG file")
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if kind == b"IEND" or end + 4 > len(data):
            return
        if kind in _CRITICAL and zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError("its pixels are damaged")
        yield kind, data[at + 8 : end]
        at = end + 4


def _inflated(packed: bytes, size: int) -> UInt8Array:
    data = _unpacked(zlib.decompressobj(), packed, size)
    if len(data) < size:
        raise ValueError(ENDS_EARLY)
    return np.frombuffer(data, np.uint8)


def _unpacked(unpacker: Any, packed: bytes, most: int) -> bytes:  # noqa: ANN401 - zlib's, which has no public name
    try:
        return unpacker.decompress(packed, most)
    except zlib.error as error:
        raise ValueError("its pixels are damaged") from error


def _unfiltered(filters: UInt8Array, residuals: UInt8Array) -> UInt8Array:
    """The bytes of pixels, uint8 (H, W, B), from what the filters of the rows, uint8 (H,), have left of them.

    A byte is predicted by those to its left, above and between (PNG specification, 9.2). So all pixels on one diagonal
    depend on the two diagonals before alone, and are found at once.
    """
    if filters.max() > _PAETH:
        raise ValueError("its pixels are damaged")
    height, width, size = residuals.shape
    framed = np.zeros((height + 1, width + 1, size), np.uint8)  # filters see zeros left of a picture and above it
    framed[1:, 1:] = residuals
    flat, line = framed.reshape(-1, size), width + 1
    for diagonal in range(height + width - 1):
        first, last = max(0, diagonal - width + 1), min(height - 1, diagonal)
        start, stop = ((row + 1) * line + diagonal - row + 1 for row in (first, last))
        here, left, above, corner = (slice(start - back, stop - back + 1, line - 1) for back in (0, 1, line, line + 1))
        flat[here] += _predicted(filters[first : last + 1, None], *(flat[each] for each in (left, above, corner)))
    return framed[1:, 1:]


def _predicted(filters: UInt8Array, left: UInt8Array, above: UInt8Array, corner: UInt8Array) -> UInt8Array:
    """What filters, uint8 (N, 1), predict of the bytes of N pixels, uint8 (N, B)."""
    a, b, c = (part.astype(np.int16) for part in (left, above, corner))
    nothing = np.zeros_like(a)
    choices = (nothing, a, b, (a + b) // 2, _paeth(a, b, c))
    return np.choose(filters, choices).astype(np.uint8)


def _paeth(a: Int16Array, b: Int16Array, c: Int16Array) -> Int16Array:
    """Whichever of left, above and corner is nearest to left + above - corner (PNG specification, 9.4)."""
    to_left, to_above, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    return np.where((to_left <= to_above) & (to_left <= to_corner), a, np.where(to_above <= to_corner, b, c))


def _by_palette(numbers: UInt8Array, palette: bytes, transparent: bytes) -> UInt8Array:
    colours = np.frombuffer(palette, np.uint8)
    if not len(colours) or len(colours) % 3 or int(numbers.max()) * 3 >= len(colours):
        raise ValueError("its palette is damaged")
    table = np.full((len(colours) // 3, 4), 255, np.uint8)
    table[:, :3] = colours.reshape(-1, 3)
    alpha = np.frombuffer(transparent, np.uint8)[: len(table)]
    table[: len(alpha), 3] = alpha
    return table[numbers]


def _rgba(pixels: UInt8Array) -> UInt8Array:
    """Pixels of 1 to 4 channels, uint8 (H, W, C), with four: grey becomes three that are equal."""
    channels = pixels.shape[2]
    rgba = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    rgba[..., :3] = pixels[..., :3] if channels >= 3 else pixels[..., :1]
    if channels in (2, 4):
        rgba[..., 3] = pixels[..., -1]
    return rgba
