# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures from around an object: a folder with a PNG file for each, and `cameras.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.pictures import write_picture
from ..flow.products import Picture, Views
from ..raster import png
from ..wire import products as wire
from .adapter import Adapter, thumbnail
from .folder import check_folder_path, folder_in_place

CAMERAS = "cameras.json"


def _preview(views: Views) -> Picture:
    """A contact sheet, as square as it goes, of small pictures: large ones would take gigabytes beside each other."""
    small = np.stack([thumbnail(picture) for picture in views.pictures])
    count, height, width, _ = small.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, 4), np.uint8)
    sheet[:count] = small
    return sheet.reshape(rows, columns, height, width, 4).swapaxes(1, 2).reshape(rows * height, columns * width, 4)


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
        described: list[dict[str, Any]] = []
        for number, (picture, camera) in enumerate(zip(views.pictures, views.cameras, strict=True)):
            name = f"{number:03d}.png"
            write_picture(folder / name, picture)
            described.append({"file": name, "matrix": camera.matrix.tolist(), "fov": camera.fov, "width": camera.width})
        (folder / CAMERAS).write_text(json.dumps(described, indent=1), encoding="utf-8")


def _about(views: Views) -> Mapping[str, Any]:
    return {"pictures": len(views.pictures)}


ADAPTER = Adapter("views", Views, _preview, _to_wire, check_folder_path, _write, "", _about, files=lambda _: ())
