# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal maps: in the picture's frame, over white, as a PNG file."""

from pathlib import Path

import numpy as np

from ..files.pictures import check_picture_path, write_picture
from ..flow.products import NormalMap, Picture
from ..normals.image import to_picture
from ..raster import png
from ..wire import products as wire
from .adapter import Adapter


def _preview(normal_map: NormalMap) -> Picture:
    rgba = np.concatenate([normal_map.normals * 0.5 + 0.5, normal_map.alpha[..., None]], axis=-1)
    return np.rint(rgba * 255.0).astype(np.uint8)


def _to_wire(normal_map: NormalMap) -> wire.NormalMap:
    return wire.NormalMap(np.frombuffer(png.encode(to_picture(normal_map)), np.uint8))


def _write(path: Path, normal_map: NormalMap, _picture: Picture) -> None:
    write_picture(path, to_picture(normal_map))


ADAPTER = Adapter("normal_map", NormalMap, _preview, _to_wire, check_picture_path, _write, ".png")
