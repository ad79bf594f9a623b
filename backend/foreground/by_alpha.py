# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out of a picture whose alpha says what the object is."""

import numpy as np

from ..arrays import BoolArray
from ..errors import UserError
from ..flow.products import Cutout, Picture
from ..raster.components import without_specks
from ..raster.ticks import Poll
from . import pixel_art, transparency
from .framing import resampled_large, square_around

_STRAY = 1e-3  # of the largest part's area: a speck that does not set the frame
_STRAY_SIDE = 1024  # pixels of the longer side of the version that specks are found on


def by_alpha(picture: Picture, solid: BoolArray, size: int, poll: Poll) -> Cutout:
    """Return the cut-out, size x size, of a picture, uint8 (H, W, 4), by its alpha. solid: where that is over one half.

    Raises UserError if the picture is empty or faint.
    """
    if not picture[..., 3].any():
        raise UserError(
            "picture-empty",
            "The picture is transparent all over, or its file could not be read.",
            "Choose a picture in which the object is opaque. If it is, save the picture again as PNG.",
        )
    if not solid.any():
        raise UserError(
            "picture-faint",
            "No part of the picture is more than half opaque, so no object can be found in it.",
            "Make the object opaque, or choose another picture.",
        )
    crop = square_around(_without_strays(solid), picture)
    picture = transparency.straight(picture, poll)
    side = pixel_art.pixel_side(picture, poll)
    window = (crop.left / side, crop.top / side, crop.side / side, crop.side / side)
    rgba = resampled_large(picture[::side, ::side], window, (size, size), poll, fill=0.0)
    return Cutout(transparency.object_alone(rgba, size * side / crop.side), crop)


def _without_strays(solid: BoolArray) -> BoolArray:
    """Return the solid pixels, bool (h, w), without specks, at a size at which their parts are found quickly."""
    step = -(-max(solid.shape) // _STRAY_SIDE)
    if step > 1:
        height, width = (-(-side // step) * step for side in solid.shape)
        padded = np.pad(solid, ((0, height - solid.shape[0]), (0, width - solid.shape[1])))
        blocks = padded.reshape(height // step, step, width // step, step).any(axis=(1, 3))
    else:
        blocks = solid
    kept = without_specks(blocks, _STRAY)
    if kept.sum() == blocks.sum():
        return solid
    return solid & np.repeat(np.repeat(kept, step, axis=0), step, axis=1)[: solid.shape[0], : solid.shape[1]]
