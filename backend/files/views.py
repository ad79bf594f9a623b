# SPDX-License-Identifier: GPL-3.0-or-later
"""Views as a folder: a PNG file for each, and `cameras.json`, which docs/views.md describes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..flow.products import Camera, Picture, Views
from ..texture.camera import angles_of, sees
from ..wire.limits import MAX_PIXELS, MAX_VIEWS, VIEW_SHAPE
from .pictures import read_picture, write_picture

CAMERAS = "cameras.json"
VERSION = 1
_AS_WRITTEN = f"Give a folder as `generate` writes it: pictures, and {CAMERAS} as docs/views.md describes it."


def write_views(folder: Path, views: Views) -> None:
    """Write the pictures and their cameras into a folder. Raises `UserError` and OSError."""
    described: list[dict[str, Any]] = []
    for number, (picture, camera) in enumerate(zip(views.pictures, views.cameras, strict=True)):
        file = f"{number:03d}.png"
        write_picture(folder / file, picture)
        described.append({"file": file, **_described(camera), "size": [picture.shape[1], picture.shape[0]]})
    text = json.dumps({"version": VERSION, "cameras": described}, indent=1)
    (folder / CAMERAS).write_text(text, encoding="utf-8")


def read_views(folder: Path, read: Callable[[Path], Picture] = read_picture) -> Views:
    """The views of a folder, in the order of its `cameras.json`. Raises `UserError`, and what `read` raises.

    read: returns the pixels of a picture's file.
    """
    cameras, pictures = [], list[Picture]()
    entries = _entries(folder / CAMERAS)
    for number, entry in enumerate(entries):
        file, camera = _read_entry(entry, f"Camera {number + 1} of “{folder / CAMERAS}”")
        cameras.append(camera)
        pictures.append(read(folder / file))
        if number == 0:
            _check_size(folder, pictures[0].shape, len(entries))
        if pictures[-1].shape != pictures[0].shape:
            sentence = f"The pictures of “{folder}” are not all of one size: “{file}” is another one."
            raise UserError("bad-views", sentence, "Save them all in the size of the first.")
    return Views(np.stack(pictures), tuple(cameras))


def _described(camera: Camera) -> dict[str, Any]:
    """A camera as JSON has it: its numbers, and where it stands, for people."""
    azimuth, elevation = angles_of(camera.matrix[:3, 2])
    return {
        "name": f"azimuth {_whole(azimuth)}, elevation {_whole(elevation)}",
        "azimuth": round(azimuth, 4),
        "elevation": round(elevation, 4),
        "matrix": camera.matrix.tolist(),
        "fov": camera.fov,
        "width": camera.width,
    }


def _whole(degrees: float) -> str:
    """An angle of few digits, without a sign before zero."""
    return f"{round(degrees, 1) + 0.0:g}"


def _check_size(folder: Path, shape: tuple[int, ...], count: int) -> None:
    """Refuse, before the others are read, pictures that take too much memory, in squares. Raises `UserError`."""
    height, width = shape[:2]
    if count * height * width > MAX_PIXELS or max(height, width) > VIEW_SHAPE * min(height, width):
        sentence = f"The pictures of “{folder}” are too large, or too long: {count} of {width} x {height} pixels."
        advice = f"Use 67 megapixels in all, at most {VIEW_SHAPE} times as wide as high, or as high as wide."
        raise UserError("bad-views", sentence, advice)


def _entries(path: Path) -> list[Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin with a mark
    except OSError as error:
        sentence = f"“{path}” cannot be opened: {error.strerror or type(error).__name__}."
        raise UserError("bad-views", sentence, _AS_WRITTEN) from error
    except (ValueError, RecursionError) as error:
        raise UserError("bad-views", f"“{path}” is no JSON.", _AS_WRITTEN) from error
    entries = document.get("cameras") if isinstance(document, dict) else None
    if entries is not None and document.get("version", VERSION) != VERSION:
        sentence = f"“{path}” is of another version, and {VERSION} is the one that is known."
        raise UserError("bad-views", sentence, "Update Hi3DGen.")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_VIEWS:
        raise UserError("bad-views", f"“{path}” does not list 1 to {MAX_VIEWS} cameras.", _AS_WRITTEN)
    return entries


def _read_entry(entry: Any, which: str) -> tuple[str, Camera]:  # noqa: ANN401 - JSON
    """A camera and the name of its picture's file. Raises `UserError`, which says `which` entry is broken."""
    try:
        if not isinstance(entry, Mapping):
            raise TypeError("no object")  # noqa: TRY301 - said below
        file = str(entry["file"])
        matrix = np.array(entry["matrix"], np.float64).reshape(4, 4)
        camera = Camera(matrix, float(entry.get("fov", 0)), float(entry.get("width", 0)))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise UserError("bad-views", f"{which} lacks a file, or 16 numbers as its matrix.", _AS_WRITTEN) from error
    if Path(file).name != file or not sees(camera):
        raise UserError("bad-views", f"{which} is none: it is scaled or sheared, or sees nothing.", _AS_WRITTEN)
    return file, camera
