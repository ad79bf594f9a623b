# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures from around an object: a folder with a PNG file for each, and `cameras.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.views import write_views
from ..flow.products import Picture, Views
from ..raster import png
from ..wire import products as wire
from ..wire.limits import MAX_PREVIEW_SIDE
from .adapter import Adapter, thumbnail
from .folder import check_folder_path, folder_in_place

_TILE = 512  # pixels a side of a picture on a contact sheet, at most


def _tiled(views: Views, side: int) -> Picture:
    """The pictures row by row, as square as it goes, each at most `side` pixels wide and high."""
    small = np.stack([thumbnail(picture, side) for picture in views.pictures])
    count, height, width, _ = small.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, 4), np.uint8)
    sheet[:count] = small
    return sheet.reshape(rows, columns, height, width, 4).swapaxes(1, 2).reshape(rows * height, columns * width, 4)


def _preview(views: Views) -> Picture:
    return _tiled(views, MAX_PREVIEW_SIDE)  # large ones would take gigabytes beside each other


def _sheet(views: Views) -> Picture:
    return _tiled(views, _TILE)


def _to_wire(views: Views) -> wire.Views:
    encoded = [png.encode(picture) for picture in views.pictures]
    return wire.Views(
        lengths=tuple(len(data) for data in encoded),
        fovs=tuple(float(camera.fov) for camera in views.cameras),
        widths=tuple(float(camera.width) for camera in views.cameras),
        png=np.frombuffer(b"".join(encoded), np.uint8),
        matrices=np.stack([camera.matrix for camera in views.cameras]).astype(np.float32),
    )


def _write(path: Path, views: Views, _picture: Picture) -> None:
    with folder_in_place(path) as folder:
        write_views(folder, views)


def _about(views: Views) -> Mapping[str, Any]:
    return {"pictures": len(views.pictures)}


ADAPTER = Adapter(
    "views", Views, _preview, _to_wire, check_folder_path, _write, "", _about, files=lambda _: (), sheet=_sheet
)
