# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as the bytes of their files: PNG with numpy alone, whatever else with Pillow, if that is there."""

import io

import numpy as np

from ..errors import UserError
from ..flow.products import Picture
from ..raster import png_reader
from ..wire.limits import MAX_PIXELS, MAX_SIDE
from .outputs import library


def picture_of(data: bytes) -> Picture:
    """The pixels of a file, uint8 (H, W, 4), sRGB, straight alpha. Raises ValueError with the reason."""
    try:
        return png_reader.decode(data, MAX_SIDE, MAX_PIXELS)
    except ValueError as error:
        reason = error
    try:
        module = library("PIL.Image", "Pillow", "read pictures")
    except UserError as error:
        if data.startswith(png_reader.SIGNATURE):
            raise reason from error
        raise ValueError("it is no PNG file, and Pillow is not installed here") from error
    if data.startswith(png_reader.SIGNATURE):
        png_reader.check(data)
    try:
        with module.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                raise ValueError(f"it is {image.width} x {image.height} pixels large")  # noqa: TRY301 - passed on below
            return np.array(image.convert("RGBA"))
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise ValueError(str(error) if type(error) is ValueError else "it is damaged") from error
