# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture's file says of the lens that took it."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..raster.lens import degrees_across
from ..wire.limits import Scalar
from .outputs import library

SETTING = "fov"
"""Of engines that give panoramas: the degrees across the picture, 0 if nobody has said."""
_EXIF, _FOCAL_LENGTH = 0x8769, 0xA405  # the directory of the camera, and FocalLengthIn35mmFilm in it


def with_lens(settings: Mapping[str, Scalar], path: Path) -> dict[str, Scalar]:
    """Settings of an engine that gives panoramas, with the lens of the picture's file if they name none."""
    return {**settings} if settings.get(SETTING) else {**settings, SETTING: lens_of(path)}


def lens_of(path: Path) -> float:
    """The angle across a picture's width, in degrees, upright; 0 if its file does not say. Never raises for a file.

    Raises `UserError` if Pillow is not installed.
    """
    image_module = library("PIL.Image", "Pillow", "read pictures")
    with contextlib.suppress(Exception), image_module.open(path) as image:  # damaged data make it raise anything
        exif: Any = image.getexif()
        focal = float(exif.get_ifd(_EXIF).get(_FOCAL_LENGTH, 0))
        width, height = image.size
        turned = exif.get(0x0112, 1) in (5, 6, 7, 8)
        return degrees_across(focal, *((height, width) if turned else (width, height)))
    return 0.0
