# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: pictures beside each other, row by row, as one image of this file."""

from collections.abc import Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.raster import png
from .landing import PRODUCT
from .pictures import image_from_png
from .reading import Steps, beside, read_in_turn

SIDE = 640
"""Pixels of a picture's longer side on a sheet, at most."""
SHEET = "contact_sheet"  # its product


def make(name: str, pictures: Sequence[bpy.types.Image]) -> Steps[bpy.types.Image]:
    """The pictures, at least one, as a new packed image, which is saved though nothing shows it.

    Done in steps, as Blender would take seconds to pack the image. Raises `AddonError` if one has no pixels.
    """
    read = yield from read_in_turn(pictures, SIDE)
    content = yield from beside(lambda: png.encode(tiled(read)))
    image = image_from_png(name, content, data=False)
    image[PRODUCT] = SHEET
    image.use_fake_user = True
    return image


def tiled(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures, uint8 (H, W, 4), in a grid as square as it goes; what is smaller than the largest lies in its middle.

    Uint8 (rows * H, columns * W, 4), transparent where no picture is.
    """
    high, wide = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    columns = int(np.ceil(np.sqrt(len(pictures))))
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * high, columns * wide, 4), np.uint8)
    for number, picture in enumerate(pictures):
        height, width, _ = picture.shape
        top = number // columns * high + (high - height) // 2
        left = number % columns * wide + (wide - width) // 2
        sheet[top : top + height, left : left + width] = picture
    return sheet
