# SPDX-License-Identifier: GPL-3.0-or-later
"""By which lens a picture was taken, as its file says: engines that want to know it get pixels alone."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import bpy

from ...backend.raster.lens import degrees_across
from ...backend.wire.limits import Scalar
from ...backend.wire.messages import EngineInfo
from .picture_files import focal_length, orientation
from .pictures import path_of

SETTING = "fov"
"""Of engines that give panoramas: the degrees across the picture, 0 if nobody has said."""
_MOST = 8 << 20  # bytes of a file that are looked at: a camera writes this in front of the picture


def with_lens(
    settings: Mapping[str, Scalar], engine: EngineInfo | None, picture: bpy.types.Image | Path
) -> Mapping[str, Scalar]:
    """Settings, with the lens of the picture's file if the engine wants it and nobody has said another one."""
    if engine is None or "panorama" not in engine.products.values() or settings.get(SETTING) != 0:
        return settings
    return {**settings, SETTING: lens_of(picture)}


def lens_of(picture: bpy.types.Image | Path) -> float:
    """The angle across a picture's width, in degrees, upright; 0 if its file does not say."""
    file = _start_of(picture)
    focal = focal_length(file)
    if not focal:
        return 0.0
    width, height = _size_of(picture)
    if orientation(file) > 4:
        width, height = height, width
    return degrees_across(focal, width, height) if width and height else 0.0


def _start_of(picture: bpy.types.Image | Path) -> bytes:
    """The first bytes of a picture's file; none if it has none."""
    if isinstance(picture, bpy.types.Image):
        if picture.packed_file:
            return picture.packed_file.data[:_MOST]
        if picture.source != "FILE":
            return b""
        picture = Path(path_of(picture))
    if not picture.is_file():  # a pipe would be waited for
        return b""
    with suppress(OSError), picture.open("rb") as file:
        return file.read(_MOST)
    return b""


def _size_of(picture: bpy.types.Image | Path) -> tuple[int, int]:
    """Its width and height as it lies in its file."""
    if isinstance(picture, bpy.types.Image):
        return picture.size[0], picture.size[1]
    try:
        image = bpy.data.images.load(str(picture))
    except RuntimeError:
        return 0, 0  # who reads it says why
    size = (image.size[0], image.size[1])
    bpy.data.images.remove(image)
    return size
