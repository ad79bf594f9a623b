# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a picture while Blender goes on: a large one takes seconds, of which only the copy of its pixels needs Blender.

Blender gives pixels in one piece alone. So threads do the rest: they get the memory, which the system gives slowly the
first time it is written to, and make of the copy what the wire wants. In the steps between them nothing is awaited.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from . import lasting
from .held import held
from .pictures import Copied, copied, count_of, is_plain, unreadable, upright_of

AT_ONCE = 4 << 20  # numbers, of a million pixels: read in some milliseconds
HIDDEN = ".Hi3DGen"  # Blender's lists leave out what begins with a dot
_PAUSE_SECONDS = 0.001  # between steps that are all done now: asking without one takes Python from the threads

T = TypeVar("T")
Steps = Generator[None, None, T]


@dataclass(frozen=True)
class Picture:
    """What was read of an image: its pixels, uint8 (H, W, 4), upright, how Blender shows it, and their hash."""

    pixels: NDArray[np.uint8]
    lies: int
    content: str


def read(image: bpy.types.Image, frame: int = 0, *, shown: bool = False) -> Steps[Picture]:
    """Read a picture as `pictures.upright` does; yields while it is not done.

    A small one is read in the first step, and so is what is painted and not saved: it may be painted on between two
    steps. Else the image has the pixels of its file, and the step that copies them may come a moment later; if it was
    changed by then, they are those that it has then, all of one moment. shown: whether a material may show it from its
    file, which is compared with it now if it must be: `lasting.shows` would do that in one step. Raises `AddonError`.
    """
    uid = image.session_uid
    before = None if image.packed_file else lasting.source_of(image)  # before Blender loads it, perhaps
    copy = yield from _copied(image, frame)
    source = lasting.source_of(still(uid))
    is_proven = source and (source.is_proven or (before == source and before.is_proven))
    picture = yield from _made(copy)
    if source and is_proven:
        lasting.know(source, picture.content, has=True)
    elif source and shown and len(copy.values) > AT_ONCE and lasting.known(source, picture.content) is None:
        has = yield from _is_in_file(source, picture, copy.values)
        lasting.know(source, picture.content, has=has)
    return picture


def read_shrunk(image: bpy.types.Image, max_side: int) -> Steps[tuple[NDArray[np.uint8], int]]:
    """Read a picture as `read` does, but with at most `max_side` pixels a side: what `pictures.upright` gives."""
    copy = yield from _copied(image)
    made = partial(upright_of, copy, max_side)
    return made() if len(copy.values) <= AT_ONCE else (yield from beside(made))


def read_file(path: Path) -> Steps[Picture]:
    """The same of a picture's file, of a movie its first frame, without a trace in the scene until there is a mesh.

    Blender loads it in the first step. Raises `AddonError`.
    """
    if path.is_dir():
        raise AddonError(f"“{path}” is a folder.", "Give the path of a picture, or use Generate from Folder.")
    if not path.is_file():
        raise AddonError(f"There is no file “{path}”.", "Check the path.")
    status = path.stat()
    image, memory = _loaded(path), None
    uid = image.session_uid
    try:
        count = count_of(image)
        if not count:
            raise unreadable(path)
        if count > AT_ONCE:
            memory = yield from beside(partial(_touched, count))
            image = held(bpy.data.images, uid) or _loaded(path)  # an undo removes what was loaded since
            uid = image.session_uid
        copy = copied(image, 1, memory)
        source = lasting.source_of(image)
    finally:
        if image := held(bpy.data.images, uid):
            bpy.data.images.remove(image)
    picture = yield from _made(copy)
    if source and source.state == (status.st_mtime_ns, status.st_size):
        lasting.know(source, picture.content, has=True)
    return picture


def read_in_turn(images: Sequence[bpy.types.Image], max_side: int) -> Steps[list[NDArray[np.uint8]]]:
    """Read pictures one a step, such as views, so that Blender does not stand still for all of them together.

    Each uint8 (H, W, 4), shrunk to at most `max_side` pixels a side. Raises `AddonError` if one is gone or has no
    pixels.
    """
    found: list[NDArray[np.uint8]] = []
    for uid in [image.session_uid for image in images]:
        if found:
            yield
        picture, _ = yield from read_shrunk(still(uid), max_side)
        found.append(picture)
    return found


def _is_in_file(source: lasting.Source, picture: Picture, memory: NDArray[np.float32]) -> Steps[bool]:
    """Whether a file has the pixels of a picture, read into memory that is there. Blender loads it in one step."""
    with suppress(AddonError):
        with lasting.read_again(source) as image:
            copy = copied(image, into=memory)
        return (yield from beside(lambda: np.array_equal(upright_of(copy)[0], picture.pixels)))
    return False


def finished(steps: Steps[T]) -> T:
    """Do all steps now, and return what they give."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        time.sleep(_PAUSE_SECONDS)


def read_all(readings: Mapping[str, Steps[T]]) -> Steps[dict[str, T]]:
    """Read several side by side: the first step of this is the first step of each."""
    going, done = dict(readings), dict[str, T]()
    while going:
        for name, steps in [*going.items()]:
            try:
                next(steps)
            except StopIteration as end:
                done[name] = end.value
                del going[name]
        if going:
            yield
    return {name: done[name] for name in readings}


def _copied(image: bpy.types.Image, frame: int = 0) -> Steps[Copied]:
    """Copy an image's pixels, of a large one into memory that a thread gets; no step comes behind the copy."""
    uid, memory = image.session_uid, None
    if is_plain(image) and not image.is_dirty:
        while (count := count_of(image)) > AT_ONCE and (memory is None or len(memory) != count):
            memory = yield from beside(partial(_touched, count))
            image = still(uid)
    return copied(image, frame, memory)


def _made(copy: Copied) -> Steps[Picture]:
    """What a copy becomes, made in a thread if it is a large one."""

    def made() -> Picture:
        pixels, lies = upright_of(copy)
        return Picture(pixels, lies, lasting.content_of(pixels))

    return made() if len(copy.values) <= AT_ONCE else (yield from beside(made))


def _loaded(path: Path) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(str(path.absolute()))
    except RuntimeError as error:
        raise unreadable(path) from error
    image.name = HIDDEN
    return image


def still(uid: int) -> bpy.types.Image:
    """The image that has a session UID. Raises `AddonError` if it is gone."""
    image = held(bpy.data.images, uid)
    if image is None:
        raise AddonError("The picture was removed before it was read.", "Undo that, or choose another picture.")
    return image


def _touched(count: int) -> NDArray[np.float32]:
    """Memory for so many numbers, each page of which was written to."""
    memory = np.empty(count, np.float32)
    memory.fill(0.0)
    return memory


def beside(work: Callable[[], T]) -> Steps[T]:
    """Do something that needs nothing of Blender in a thread; yields until it is done, at least once."""
    future: Future[T] = Future()
    threading.Thread(target=_do, args=(work, future), name="hi3dgen read", daemon=True).start()
    yield
    while not future.done():
        yield
    try:
        return future.result()
    finally:
        del future  # an error holds this frame: both would stay, with the pixels that are worked on


def _do(work: Callable[[], T], future: "Future[T]") -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
        future.set_exception(error)
    finally:
        del future  # as above
