# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture's file says and Blender's loader ignores: which way is up, by which lens, and that the end is missing.

JPEG (ITU-T T.81), PNG, WebP and TIFF 6.0, whose directory is also what Exif keeps the orientation in. Files of other
kinds, and damaged ones, say nothing.
"""

import contextlib
import re
import struct
from collections.abc import Iterator
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

_JPEG, _PNG, _TIFF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", (b"II*\0", b"MM\0*")
_BMP = b"BM"
_EXIF = b"Exif\0\0"
_BEHIND_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # within a scan there are those markers alone
_PIECE = 1 << 16
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_ORIENTATION, _EXIF_DIRECTORY, _FOCAL_LENGTH = 274, 34665, 41989
_PARTS = ((273, 279), (324, 325))  # where strips and tiles begin, and how long they are
_KINDS = {3: "H", 4: "I"}


def orientation(data: bytes) -> int:
    """How a file's pixels lie, 1 to 8 as Exif has it; 1, upright, if it does not say."""
    found = 1
    with contextlib.suppress(struct.error, IndexError):
        found = _tags(_directory(data)).get(_ORIENTATION, (1,))[0]
    return found if 1 <= found <= 8 else 1


def focal_length(data: bytes) -> int:
    """The lens that a file names, in millimetres before film of 35 mm; 0 if it does not say."""
    with contextlib.suppress(struct.error, IndexError, KeyError):
        directory = _directory(data)
        at = _tags(directory)[_EXIF_DIRECTORY][0]
        return _tags(directory, at)[_FOCAL_LENGTH][0]
    return 0


def is_bmp(data: bytes) -> bool:
    """Whether a file is a BMP."""
    return data.startswith(_BMP)


def is_cut_off(data: bytes) -> bool:
    """Whether a file ends before its picture, as after a broken download, and Blender would show what there is.

    It shows nothing of a PNG that is cut off.
    """
    if data.startswith(_JPEG):
        return all(marker != _END_OF_IMAGE for marker, _ in _segments(data))
    if _is_webp(data):
        return len(data) < 8 + struct.unpack_from("<I", data, 4)[0]
    with contextlib.suppress(struct.error):
        tags = _tags(data if data.startswith(_TIFF) else b"")
        parts = [zip(tags.get(begins, ()), tags.get(long, ()), strict=False) for begins, long in _PARTS]
        return any(begin + length > len(data) for part in parts for begin, length in part)
    return False


def turned_upright(pixels: NDArray[np.uint8], lies: int) -> NDArray[np.uint8]:
    """Pixels (H, W) or (H, W, C), row 0 on top, of a file with this orientation as they are meant.

    Above 4 the height becomes the width.
    """
    if lies in {3, 4, 6, 7}:
        pixels = pixels[::-1]
    if lies in {2, 3, 7, 8}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels.swapaxes(0, 1) if lies > 4 else pixels)


def turned_back(pixels: NDArray[np.uint8], lies: int) -> NDArray[np.uint8]:
    """Upright pixels, (H, W) or (H, W, C), row 0 on top, as they lie in a file with this orientation."""
    return turned_upright(pixels, {6: 8, 8: 6}.get(lies, lies))  # each other turn undoes itself


def _directory(data: bytes) -> bytes:
    """What begins with the TIFF directory that has the orientation; empty if there is none."""
    if data.startswith(_TIFF):
        return data
    if data.startswith(_JPEG):
        before_scan = takewhile(lambda segment: segment[0] != _START_OF_SCAN, _segments(data))
        found = (part for marker, part in before_scan if marker == _APP1 and part.startswith(_EXIF))
    elif data.startswith(_PNG):
        found = (part for kind, part in _png_chunks(data) if kind == b"eXIf")
    elif _is_webp(data):
        found = (part for kind, part in _webp_chunks(data) if kind == b"EXIF")
    else:
        return b""
    return next(found, b"").removeprefix(_EXIF)


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:16].startswith(b"WEBPVP8")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The markers of a JPEG with what belongs to each, but for the scans' entropy-coded data."""
    at = 2
    while at := _behind_marker(data, at):
        marker = data[at - 1]
        if marker == _END_OF_IMAGE:
            yield marker, b""
            return
        length = int.from_bytes(data[at : at + 2], "big")
        yield marker, data[at + 2 : at + length]
        at += max(length, 2)


def _behind_marker(data: bytes, at: int) -> int:
    """Where the next marker of a JPEG ends; 0 if there is none. In pieces: a search lets no other thread work."""
    for start in range(at, len(data), _PIECE):
        if found := _BEHIND_SCAN.search(data, start, start + _PIECE + 1):
            return found.end()
    return 0


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length  # with the checksum


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _tags(directory: bytes, at: int = 0) -> dict[int, tuple[int, ...]]:
    """The whole numbers of a TIFF's directory, by tag: of the first, or of the one that begins at that byte.

    Raises `struct.error` if it is damaged.
    """
    if not directory.startswith(_TIFF):
        return {}
    order = "<" if directory.startswith(b"II") else ">"
    at = at or struct.unpack_from(f"{order}I", directory, 4)[0]
    (count,) = struct.unpack_from(f"{order}H", directory, at)
    tags: dict[int, tuple[int, ...]] = {}
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", directory, place)
        if kind in _KINDS:
            values = f"{order}{length}{_KINDS[kind]}"
            inline = struct.calcsize(values) <= 4
            (where,) = (place + 8,) if inline else struct.unpack_from(f"{order}I", directory, place + 8)
            tags[tag] = struct.unpack_from(values, directory, where)
    return tags
