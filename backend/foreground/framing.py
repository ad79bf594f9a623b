# SPDX-License-Identifier: GPL-3.0-or-later
"""The square about an object, and windows of pictures of any size, resampled in parts between which is reported."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from ..arrays import BoolArray
from ..flow.products import Crop, Picture
from ..raster.resample import Pixels, Window, resample, shrink
from ..raster.ticks import Poll

MARGIN = 1.2
"""The crop's side over the object's longer side.

Hi3DGen's networks were trained on objects framed like this. Both engines use it, so that a normal map fits either; and
inflation needs some room around the outline.
"""

_STRIP = 1 << 24  # bytes of the picture that are read between two reports
_BAND = 128  # rows of a result that are made between two reports


def square_around(body: BoolArray, picture: Picture) -> Crop:
    """Return the square around the body, bool (h, w), which shows the whole picture at any size."""
    height, width = picture.shape[:2]
    across, down = np.flatnonzero(body.any(axis=0)), np.flatnonzero(body.any(axis=1))
    scale_x, scale_y = width / body.shape[1], height / body.shape[0]
    left, right = across[0] * scale_x, (across[-1] + 1) * scale_x
    top, bottom = down[0] * scale_y, (down[-1] + 1) * scale_y
    side = MARGIN * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side, width, height)


def window(crop: Crop) -> Window:
    """Return the window of a picture that a crop shows."""
    return crop.left, crop.top, crop.side, crop.side


def whole(shape: tuple[int, ...]) -> Window:
    """Return the window of an image of this shape, rows and columns first, that shows all of it."""
    return 0, 0, shape[1], shape[0]


def resampled_large(
    picture: Picture, window: Window, shape: tuple[int, int], poll: Poll, *, fill: float | None
) -> Picture:
    """Do as `resample` for a picture of any size: a large one is averaged over blocks first."""
    left, top, width, height = window
    factor = int(min(width / shape[1], height / shape[0], 2 * 16) / 2)
    if factor < 2:
        return resampled(picture, window, shape, poll, fill=fill)
    # The kernel reaches so many pixels past the window.
    reach = 3 * max(width / shape[1], height / shape[0])
    first_x, first_y = (int(np.clip(start - reach, 0, None)) for start in (left, top))
    part = picture[first_y : int(np.ceil(top + height + reach)), first_x : int(np.ceil(left + width + reach))]
    small: list[Picture] = []
    for rows in strips(part, factor):
        small.append(shrink(part[rows], factor))
        poll()
    at = ((left - first_x) / factor, (top - first_y) / factor, width / factor, height / factor)
    return resampled(np.concatenate(small), at, shape, poll, fill=fill)


def resampled(pixels: Pixels, window: Window, shape: tuple[int, int], poll: Poll, *, fill: float | None) -> Pixels:
    """Do as `resample`, in bands of rows, and call `poll` after each."""
    left, top, width, height = window
    bands: list[Pixels] = []
    for first in range(0, shape[0], _BAND):
        rows = min(_BAND, shape[0] - first)
        band = (left, top + height * (first / shape[0]), width, height * (rows / shape[0]))
        bands.append(resample(pixels, band, (rows, shape[1]), fill=fill))
        poll()
    return cast("Pixels", np.concatenate(bands))


def strips(picture: Picture, multiple: int = 1) -> Iterator[slice]:
    """Yield the picture's rows in strips of about `_STRIP` bytes, each a multiple of `multiple` rows."""
    rows = max(1, _STRIP // max(1, picture.shape[1] * 4 * multiple)) * multiple
    return (slice(first, first + rows) for first in range(0, len(picture), rows))
