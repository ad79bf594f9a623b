# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: pictures beside each other, row by row, as one image of this file."""

from collections.abc import Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

from .landing import PRODUCT
from .pictures import pixels_of

SIDE = 640
"""Pixels of a picture's longer side on a sheet, at most."""
SHEET = "contact_sheet"  # its product


def make(name: str, pictures: Sequence[bpy.types.Image]) -> bpy.types.Image:
    """The pictures, at least one, as a new packed image, which is saved though nothing shows it.

    Raises `AddonError` if one has no pixels.
    """
    sheet = tiled([pixels_of(picture, SIDE) for picture in pictures])
    height, width, _ = sheet.shape
    image = bpy.data.images.new(name, width, height, alpha=True)
    image.pixels.foreach_set((sheet[::-1] / np.float32(255.0)).astype(np.float32).reshape(-1))
    image.pack()
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
