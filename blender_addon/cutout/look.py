# SPDX-License-Identifier: GPL-3.0-or-later
"""The last look at a picture as an engine sees it: a thumbnail and notes, which the panel shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ...backend.wire.limits import Scalar
from ...backend.wire.messages import EngineInfo, Preview, Result
from ..link import runtime
from ..link.job import Job, Reading
from ..scene import masks
from ..scene.reading import read, read_all
from .request import PRODUCT, ask

_SQUARE = 16  # pixels of the checkerboard's squares
_GREYS = (70, 95)


@dataclass(eq=False)
class Look:
    """A look at what an engine makes of a picture.

    picture: its session UID, since pictures come and go by undo. of: what else decides what is seen.
    """

    picture: int
    of: tuple[object, ...]
    job: Job | None = None
    thumbnail: Preview | None = None
    notes: tuple[str, ...] = ()


_last: Look | None = None


def last(picture: bpy.types.Image, engine: EngineInfo, settings: Mapping[str, Scalar], frame: int = 0) -> Look | None:
    """The last look, if it was at this picture as it is, with the mask that it has now, by this engine so set."""
    now = start(picture, engine, settings, frame)
    return _last if _last and (_last.picture, _last.of) == (now.picture, now.of) else None


def look(picture: bpy.types.Image, engine: EngineInfo, settings: Mapping[str, Scalar], frame: int = 0) -> Job:
    """Look at a picture as `engine` sees it; the look before it is given up. Raises `AddonError`.

    frame: which one of a movie or sequence.
    """
    global _last  # noqa: PLW0603 - the panel's draw has to find it
    mask = _mask(picture, engine)
    before = _last.thumbnail if _last and _last.picture == picture.session_uid else None
    looked = start(picture, engine, settings, frame)
    looked.thumbnail = before  # until the new one is there: the panel does not jump

    def heard(result: Result) -> None:
        looked.thumbnail = _thumbnail(looked.job)
        looked.notes = result.notes

    looked.job = ask(picture.name, engine.name, settings, {}, heard, _inputs(picture, frame, mask))
    if _last and _last.job:
        runtime.session().cancel(_last.job)
    _last = looked
    return looked.job


def _inputs(picture: bpy.types.Image, frame: int, mask: bpy.types.Image | None) -> Reading:
    readings = {"picture": read(picture, frame)} | ({masks.INPUT: read(mask)} if mask else {})
    return {name: one.pixels for name, one in (yield from read_all(readings)).items()}


def start(picture: bpy.types.Image, engine: EngineInfo, settings: Mapping[str, Scalar], frame: int = 0) -> Look:
    """A look at a picture as it is now, with nothing in it yet."""
    return Look(picture.session_uid, (frame, *_of(picture, engine, settings)))


def fill(looked: Look, job: Job) -> None:
    """Fill a look with the cut-out that a job for a mesh made on its way: the picture may have other pixels by now."""
    global _last  # noqa: PLW0603
    if thumbnail := _thumbnail(job):
        looked.thumbnail = thumbnail
        _last = looked


def _thumbnail(job: Job | None) -> Preview | None:
    preview = job.previews.get(PRODUCT) if job else None
    return preview and replace(preview, pixels=over_checkerboard(preview.pixels))


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


def _mask(picture: bpy.types.Image, engine: EngineInfo) -> bpy.types.Image | None:
    return masks.mask_of(picture) if masks.INPUT in engine.inputs else None


def _of(picture: bpy.types.Image, engine: EngineInfo, settings: Mapping[str, Scalar]) -> tuple[object, ...]:
    """What decides what is seen of a picture. An image that is painted on becomes dirty."""
    mask = _mask(picture, engine)
    return engine.name, dict(settings), picture.is_dirty, mask and (mask.session_uid, mask.is_dirty)


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
