# SPDX-License-Identifier: GPL-3.0-or-later
"""Light from all around: a Radiance HDR file, which keeps what is brighter than white, or a PNG file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.outputs import check_not_read, check_output, writing
from ..flow.products import Panorama, Picture
from ..raster import png, radiance
from ..raster.colour import linear_to_srgb
from ..wire import products as wire
from ..wire.limits import MAX_PREVIEW_SIDE
from .adapter import Adapter

_HDR, _PNG = ".hdr", ".png"
_ROWS = 128  # that are worked out at once
_PREVIEWED = 2 * MAX_PREVIEW_SIDE  # pixels across


def _drawn(panorama: Panorama) -> Picture:
    """As a screen shows it, uint8 (H, 2 H, 4): all that is brighter than white is white."""
    light = panorama.light
    pixels = np.full((*light.shape[:2], 4), 255, np.uint8)
    for top in range(0, len(light), _ROWS):
        rows = slice(top, top + _ROWS)
        pixels[rows, :, :3] = np.rint(255 * linear_to_srgb(light[rows].clip(0, 1)))
    return pixels


def _preview(panorama: Panorama) -> Picture:
    """The same of every n-th pixel: a preview is made after each stage."""
    step = max(1, panorama.light.shape[1] // _PREVIEWED)
    return _drawn(Panorama(panorama.light[::step, ::step]))


def _to_wire(panorama: Panorama) -> wire.Panorama:
    return wire.Panorama(np.frombuffer(radiance.encode(panorama.light), np.uint8))


def _check_path(path: Path, *kept: Path) -> None:
    check_output(path, (_HDR, _PNG), "panorama")
    check_not_read(path, kept)


def _write(path: Path, panorama: Panorama, _picture: Picture) -> None:
    is_png = path.suffix.lower() == _PNG
    with writing(path) as file:
        file.write(png.encode(_drawn(panorama)[..., :3]) if is_png else radiance.encode(panorama.light))


def _about(panorama: Panorama) -> Mapping[str, Any]:
    height, width, _ = panorama.light.shape
    return {"width": width, "height": height}


ADAPTER = Adapter("panorama", Panorama, _preview, _to_wire, _check_path, _write, _HDR, _about)
