# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture's part of the contact sheet: the picture and what was made of it, side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..files.outputs import library
from ..flow.products import Picture
from ..raster.resample import resample
from ..safe_files import replacing

SIDE = 160
GREY = 237
QUALITY = 85  # of JPEG: ten thousand tiles shall not fill a disk
RED = (196, 60, 50)


def write_tile(path: Path, pictures: Sequence[Picture], *, failed: bool) -> None:
    """Write pictures, uint8 (H, W, 4), as squares beside each other, as JPEG; framed in red if it failed.

    Raises `UserError` and OSError.
    """
    squares = [square(picture) for picture in pictures] or [np.full((SIDE, SIDE, 3), GREY, np.uint8)]
    tile = np.concatenate(squares, axis=1)
    if failed:
        tile[:3], tile[-3:], tile[:, :3], tile[:, -3:] = (np.array(RED, np.uint8),) * 4
    with replacing(path) as file:
        library("PIL.Image", "Pillow", "draw the contact sheet").fromarray(tile).save(file, "JPEG", quality=QUALITY)


def square(picture: Picture) -> Picture:
    """A picture in the middle of a grey square, uint8 (SIDE, SIDE, 3)."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    small = resample(picture, (0, 0, width, height), (rows, columns)).astype(np.float32)
    alpha = small[..., 3:] / 255.0
    top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
    whole = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    whole[top : top + rows, left : left + columns] = np.rint(small[..., :3] * alpha + GREY * (1.0 - alpha))
    return whole
