# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask of a cut-out as a picture in the frame of the whole picture: white in the object, black outside.

Artists see it, paint on it and give it back, as the input `OWN_CUTOUT`.
"""

import numpy as np

from ..arrays import UInt8Array
from ..errors import UserError
from ..flow.products import Cutout, Picture, Report
from ..raster.frame import same_frame
from ..raster.resample import paste_back, resample
from .cut_out import is_opaque

OWN_CUTOUT = "own_cutout"
"""The input that brings the artist's own mask."""

STROKES = "strokes"
"""The input that brings strokes over the picture, which correct what would be found without them."""

_SIDE = 1024  # pixels of the mask's longer side, at most
_BAND = 128  # rows that are made between two reports


def mask_of(cutout: Cutout, side: int = _SIDE) -> UInt8Array:
    """Return the cut-out's alpha in the whole picture's frame, uint8 (h, w), at most `side` pixels a side."""
    crop = cutout.crop
    scale = min(1.0, side / max(crop.picture_width, crop.picture_height))
    shape = (max(1, round(crop.picture_height * scale)), max(1, round(crop.picture_width * scale)))
    return paste_back(cutout.rgba[..., 3], crop, shape)


def with_mask(picture: Picture, pixels: Picture, report: Report) -> Picture:
    """Return the picture with the artist's own mask as its alpha.

    pixels: the mask, uint8 (h, w, 4), at any resolution; what is transparent counts as black.
    Raises UserError "bad-cutout" if its aspect ratio differs from the picture's, or if it keeps all or nothing.
    """
    (height, width), (rows, columns) = picture.shape[:2], pixels.shape[:2]
    if not same_frame((rows, columns), (height, width)):
        sentence = f"The cut-out mask ({columns} x {rows}) does not have the shape of the picture ({width} x {height})."
        raise UserError("bad-cutout", sentence, "Give a mask of the same view, at any resolution.")
    mask = np.rint(pixels[..., :3].mean(axis=2, dtype=np.float32) * (pixels[..., 3] / np.float32(255))).astype(np.uint8)
    result = picture.copy()
    scale = rows / height
    for first in range(0, height, _BAND):
        report(first, height)
        band = min(_BAND, height - first)
        window = (0.0, first * scale, float(columns), band * scale)
        result[first : first + band, :, 3] = resample(mask, window, (band, width))
    if not (result[..., 3] > 127).any():
        sentence = "The cut-out mask is black all over, so that nothing of the picture is kept."
        raise UserError("bad-cutout", sentence, "Paint the object white in it, or generate without it.")
    if is_opaque(result):
        sentence = "The cut-out mask is white all over, so that it tells no object from its background."
        raise UserError("bad-cutout", sentence, "Paint black what is not the object, or generate without it.")
    return result
