# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of a surface, alone: a folder with a picture for each."""

import dataclasses
from pathlib import Path

import numpy as np

from ..files.pictures import write_picture
from ..flow.products import Picture, Texture
from ..raster import png
from ..wire import products as wire
from .adapter import Adapter, with_three_channels
from .folder import check_folder_path, folder_in_place


def images_of(texture: Texture | None) -> dict[str, Picture]:
    """The images that are there, by name, each uint8 (H, W, 3 or 4)."""
    if texture is None:
        return {}
    images = {item.name: getattr(texture, item.name) for item in dataclasses.fields(texture)}
    return {name: with_three_channels(image) for name, image in images.items() if image is not None}


def encoded(texture: Texture | None) -> dict[str, wire.Bytes]:
    """The images that are there, by name, as PNG files' bytes."""
    return {name: np.frombuffer(png.encode(image), np.uint8) for name, image in images_of(texture).items()}


def _to_wire(texture: Texture) -> wire.Texture:
    return wire.Texture(**encoded(texture))


def _write(path: Path, texture: Texture, _picture: Picture) -> None:
    with folder_in_place(path) as folder:
        for name, image in images_of(texture).items():
            write_picture(folder / f"{name}.png", image)


ADAPTER = Adapter("texture", Texture, None, _to_wire, check_folder_path, _write)
