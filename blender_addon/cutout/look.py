# SPDX-License-Identifier: GPL-3.0-or-later
"""The last look at a picture as an engine sees it: a thumbnail and notes, which the panel shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ...backend.wire.limits import Scalar
from ...backend.wire.messages import Preview, Result
from ..link.session import Job
from ..scene import masks
from ..scene.pictures import pixels_of
from .request import ask

_SQUARE = 16  # pixels of the checkerboard's squares
_GREYS = (70, 95)


@dataclass(eq=False)
class Look:
    """A look at a picture with a mask, both by name: pictures come and go by undo."""

    picture: str
    mask: str
    job: Job | None = None
    thumbnail: Preview | None = None
    notes: tuple[str, ...] = ()


_last: Look | None = None


def last(picture: bpy.types.Image) -> Look | None:
    """The last look, if it was at this picture with the mask that it has now."""
    return _last if _last and (_last.picture, _last.mask) == _names(picture) else None


def look(picture: bpy.types.Image, engine: str, settings: Mapping[str, Scalar]) -> Job:
    """Look at a picture as `engine` sees it. Raises `AddonError`."""
    global _last  # noqa: PLW0603 - the panel's draw has to find it
    mask = masks.mask_of(picture)
    inputs = {"picture": pixels_of(picture)} | ({masks.INPUT: pixels_of(mask)} if mask else {})
    names = _names(picture)
    before = _last.thumbnail if _last and _last.picture == picture.name else None
    looked = Look(*names, thumbnail=before)  # until the new one is there: the panel does not jump

    def heard(result: Result) -> None:
        preview = looked.job.preview if looked.job else None
        looked.thumbnail = preview and replace(preview, pixels=over_checkerboard(preview.pixels))
        looked.notes = result.notes

    looked.job = ask(picture.name, engine, settings, inputs, heard)
    _last = looked
    return looked.job


def kept() -> set[str]:
    """The names of the jobs whose thumbnails are still looked at."""
    return {_last.thumbnail.job} if _last and _last.thumbnail else set()


def over_checkerboard(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture, uint8 (H, W, 4), over grey squares."""
    rows, columns = (np.arange(side) // _SQUARE for side in pixels.shape[:2])
    squares = np.array(_GREYS, np.float32)[(rows[:, None] + columns[None, :]) % 2, None]
    alpha = pixels[..., 3:] / np.float32(255.0)
    result = np.full_like(pixels, 255)
    result[..., :3] = np.rint(squares + (pixels[..., :3] - squares) * alpha)
    return result


def _names(picture: bpy.types.Image) -> tuple[str, str]:
    mask = masks.mask_of(picture)
    return picture.name, mask.name if mask else ""


def register() -> None:
    """Forget what was seen when another file is opened."""
    bpy.app.handlers.load_pre.append(_forget)


def unregister() -> None:
    """Forget all."""
    bpy.app.handlers.load_pre.remove(_forget)
    _forget()


@persistent
def _forget(*_: object) -> None:
    global _last  # noqa: PLW0603
    _last = None
