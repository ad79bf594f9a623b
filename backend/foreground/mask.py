# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask of a cut-out as a picture in the frame of the whole picture: white in the object, black outside.

Artists see it, paint on it and give it back, as the input `OWN_CUTOUT`.
"""

from functools import partial

import numpy as np

from ..arrays import UInt8Array
from ..errors import UserError
from ..flow.products import Cutout, Picture, Report
from ..raster.frame import same_frame
from ..raster.resample import paste_back
from .cut_out import cut_out, is_opaque
from .framing import resampled, strips, whole

OWN_CUTOUT = "own_cutout"
"""The input that brings the artist's own mask."""

STROKES = "strokes"
"""The input that brings strokes over the picture, which correct what would be found without them."""

_FOUND = 512  # pixels of the cut-out that strokes correct
_SIDE, _MOST = 1024, 4096  # pixels of a mask's longer side: as many are always enough, and the most


def mask_of(cutout: Cutout, side: int = 0) -> UInt8Array:
    """Return the cut-out's alpha in the whole picture's frame, uint8 (h, w).

    side: the most pixels of its longer side. By default the mask is as fine as the cut-out, also of a small object in a
    large picture, if that takes more than 1024 pixels and not more than 4096; it is never finer than the picture.
    """
    crop = cutout.crop
    longer = max(crop.picture_width, crop.picture_height)
    side = side or min(max(_SIDE, round(longer * len(cutout.rgba) / crop.side)), _MOST)
    scale = min(1.0, side / longer)
    shape = (max(1, round(crop.picture_height * scale)), max(1, round(crop.picture_width * scale)))
    return paste_back(cutout.rgba[..., 3], crop, shape)


def with_found(picture: Picture, report: Report) -> Picture:
    """Return a picture, uint8 (H, W, 4), with what is cut out of it without strokes as its alpha.

    A picture whose alpha says what the object is, or in which none is found, stays as it is. So stroke after stroke
    corrects what was found once.
    """
    if not is_opaque(picture):
        return picture
    try:
        cutout = cut_out(picture, _FOUND, report)
    except UserError:
        return picture
    return np.dstack([picture[..., :3], mask_of(cutout, max(picture.shape[:2]))])


def with_mask(picture: Picture, pixels: Picture, report: Report) -> Picture:
    """Return the picture with the artist's own mask as its alpha.

    pixels: the mask, uint8 (h, w, 4), at any resolution; what is transparent counts as black.
    Raises UserError "bad-cutout" if its aspect ratio differs from the picture's, or if it keeps all or nothing.
    """
    (height, width), (rows, columns) = picture.shape[:2], pixels.shape[:2]
    if not same_frame((rows, columns), (height, width)):
        sentence = f"The cut-out mask ({columns} x {rows}) does not have the shape of the picture ({width} x {height})."
        raise UserError("bad-cutout", sentence, "Give a mask of the same view, at any resolution.")
    mask = np.empty((rows, columns), np.uint8)
    for strip in strips(pixels):
        report(0, 2)
        grey = pixels[strip, :, :3].mean(axis=2, dtype=np.float32)
        mask[strip] = np.rint(grey * (pixels[strip, :, 3] / np.float32(255)))
    result = picture.copy()
    result[..., 3] = resampled(mask, whole(mask.shape), (height, width), partial(report, 1, 2), fill=None)
    if not (result[..., 3] > 127).any():
        sentence = "The cut-out mask is black all over, so that nothing of the picture is kept."
        raise UserError("bad-cutout", sentence, "Paint the object white in it, or generate without it.")
    if is_opaque(result):
        sentence = (
            "The cut-out mask is white all over, or nothing but specks, so that it tells no object from its background."
        )
        raise UserError("bad-cutout", sentence, "Paint black what is not the object, or generate without it.")
    return result
