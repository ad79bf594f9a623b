# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upscaler looks at: the object in its own colours, pixel by pixel of the picture, and nothing behind it.

An outline against a background is the sharpest edge of most pictures, and no part of the surface. An upscaler that does
not see it draws no halo along it; and the outline itself stays that of the cut-out.
"""

import numpy as np

from ..arrays import Int64Array
from ..flow.products import Cutout, Picture
from ..raster.morphology import eroded

_AROUND = 8  # pixels about the square: what is near its border is enlarged with what lies beyond


def own_colours(picture: Picture, cutout: Cutout, side: int) -> tuple[Picture, tuple[int, int, int, int]]:
    """Return the object's colours, uint8 (h, w, 3), and the window of the picture that they show, in its pixels.

    picture: uint8 (H, W, 4), of which `cutout` is a part. side: that of the squares that pixel art consists of, else 1;
    a colour stands for so many pixels each way. Inside the object they are the picture's own; along its outline and
    outside they are those of the cut-out, from which the background's share is taken.
    """
    native = picture[::side, ::side, :3]
    crop = cutout.crop
    first_row, rows = _places(crop.top / side, crop.side / side, len(native), len(cutout.rgba))
    first_column, columns = _places(crop.left / side, crop.side / side, native.shape[1], len(cutout.rgba))
    cut = cutout.rgba[rows][:, columns]
    inside = eroded(cut[..., 3] == 255, 1)
    part = native[first_row : first_row + len(rows), first_column : first_column + len(columns)]
    colours = np.where(inside[..., None], part, cut[..., :3])
    return colours, (first_column * side, first_row * side, len(columns) * side, len(rows) * side)


def _places(start: float, extent: float, length: int, size: int) -> tuple[int, Int64Array]:
    """The first of the picture's pixels about a span along one axis, and where in the cut-out they have their middles.

    start, extent: of the cut-out's span, in pixels of a picture that has `length` of them. size: of the cut-out.
    """
    first = int(np.clip(np.floor(start) - _AROUND, 0, length - 1))
    last = int(np.clip(np.ceil(start + extent) + _AROUND, first + 1, length))
    middles = (np.arange(first, last) + 0.5 - start) * (size / extent) - 0.5
    return first, np.clip(np.rint(middles), 0, size - 1).astype(np.int64)
