# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that a material shows: the very pixels that were sent, whatever becomes of the picture.

An image that shows them by itself, from its own file or packed into this one, is used as it is. Everything else (a
frame of a movie, what is painted and not saved, a render, an image of another file) becomes a packed copy with a name
of its own.
"""

import hashlib
import math
import re
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ..errors import AddonError
from ..language.legible import legible
from .held import held
from .pictures import unreadable, upright

SENT = "hi3dgen_sent"  # on an image: the hash of the pixels that were sent

_SLACK_SECONDS = 2.0  # the coarsest clock of a file system, FAT's
_TELLS_CHANGES = sys.platform != "win32"  # by st_ctime, also of a file that took another's st_mtime

# The hash of pixels by where they are from, and whether that has them.
_known: dict["Source", tuple[str, bool]] = {}
_loaded_since = -math.inf  # seconds of the system's clock: no image of this file was loaded before


@dataclass(frozen=True)
class Source:
    """Where an image without changes has its pixels from, and how they are read.

    place: the path of its file; empty if it is packed. state: of that file, or of the packed bytes. is_proven: whether
    the pixels that Blender holds are surely those of that file.
    """

    place: str
    state: tuple[int, int] | str
    space: str
    alpha_mode: str
    is_proven: bool = field(compare=False)


@dataclass(frozen=True)
class Sent:
    """A picture as it was sent.

    title: what is made of it is called so. pixels: uint8 (H, W, 4), upright. lies: how Blender shows it, see `upright`.
    content: the hash of the pixels. image: the session UID of the image that it is; 0 if it was read from `path`.
    """

    title: str
    pixels: NDArray[np.uint8]
    lies: int
    content: str
    image: int = 0
    path: Path | None = None

    @property
    def origin(self) -> bpy.types.Image | None:
        """The image that was sent, if it is still there."""
        return held(bpy.data.images, self.image)


def shown_image(sent: Sent, *, by_path: bool) -> bpy.types.Image:
    """The image that a material shows for a picture.

    by_path: whether it may have its pixels from its own file, where that has them.
    """
    if sent.lies == 1:
        image = sent.origin
        if image and shows(image, sent, by_path=by_path):
            return image
        if by_path and sent.path and (image := _loaded(sent.path, sent)):
            return image
    return sent_image(sent)


def shows(image: bpy.types.Image, sent: Sent, *, by_path: bool) -> bool:
    """Whether an image shows exactly what was sent by itself, also when this file is opened again.

    by_path: whether it may have it from a file beside this one. What is not known yet is read again: a large file
    takes seconds.
    """
    if image.use_view_as_render or image.colorspace_settings.is_data:
        return False  # a shader shows data and view transforms otherwise than the picture that was sent
    if image.file_format == "BMP" and image.channels == 4:
        return False  # its alpha may mean nothing, see `upright_of`
    source = source_of(image) if image.packed_file or by_path else None
    if source is None:
        return False
    has = known(source, sent.content)
    if has is None:
        has = _has(image, sent.pixels) if image.packed_file else _reads_as(source, sent.pixels)
        know(source, sent.content, has=has)
    return has


def source_of(image: bpy.types.Image) -> Source | None:
    """Where an image of this file has its pixels from; None if it is changed or moves, or if its file is gone."""
    if image.source != "FILE" or image.is_dirty or image.library:
        return None
    read_as = (image.colorspace_settings.name, image.alpha_mode)
    if image.packed_file:
        return Source("", hashlib.sha256(image.packed_file.data).hexdigest(), *read_as, is_proven=True)
    path = bpy.path.abspath(image.filepath)
    try:
        file = Path(path).stat()
    except OSError:  # it is gone
        return None
    changed = max(file.st_mtime, file.st_ctime) if _TELLS_CHANGES else math.inf
    is_proven = changed + _SLACK_SECONDS < _loaded_since or not image.has_data
    return Source(path, (file.st_mtime_ns, file.st_size), *read_as, is_proven)


def known(source: Source, content: str) -> bool | None:
    """Whether the source of an image has pixels of this hash; None if nobody knows."""
    found, has = _known.get(source, ("", False))
    return has if found == content else None


def know(source: Source, content: str, *, has: bool) -> None:
    """Remember whether it has them."""
    _known[source] = content, has


@contextmanager
def read_again(source: Source) -> Generator[bpy.types.Image]:
    """The file of an image as another one, read in the same way. Raises `AddonError` if it cannot be loaded."""
    try:
        image = bpy.data.images.load(source.place)
    except RuntimeError as error:
        raise unreadable(Path(source.place)) from error
    try:
        image.colorspace_settings.name, image.alpha_mode = source.space, source.alpha_mode
        yield image
    finally:
        bpy.data.images.remove(image)


def sent_image(sent: Sent) -> bpy.types.Image:
    """What was sent as a picture, as a packed image; one that shows the same pixels already is used again."""
    for image in bpy.data.images:
        if image.get(SENT) == sent.content and shows(image, sent, by_path=False):  # it may have been painted on
            return image
    height, width, _ = sent.pixels.shape
    image = bpy.data.images.new(copy_name(sent.title), width, height, alpha=True)
    image.pixels.foreach_set((sent.pixels[::-1] / np.float32(255.0)).astype(np.float32).reshape(-1))
    image.pack()
    image[SENT] = sent.content
    return image


def copy_name(title: str) -> str:
    """The name of a copy of what was sent as a picture."""
    return f"{title} picture"


def _loaded(path: Path, sent: Sent) -> bpy.types.Image | None:
    """The image of a file that has what was sent; one that is there already is used again, unless it was changed."""
    with suppress(RuntimeError):  # the file may have vanished while the job ran
        known = set(bpy.data.images)
        image = bpy.data.images.load(str(path.absolute()), check_existing=True)
        if image in known:
            if shows(image, sent, by_path=True):
                return image
            image = bpy.data.images.load(str(path.absolute()))
        if shows(image, sent, by_path=True):
            return image
        bpy.data.images.remove(image)
    return None


def _reads_as(source: Source, pixels: NDArray[np.uint8]) -> bool:
    """Whether a file has these pixels."""
    with suppress(AddonError), read_again(source) as image:
        return _has(image, pixels)
    return False


def content_of(pixels: NDArray[np.uint8]) -> str:
    """The hash of pixels, as recipes have it."""
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()


def known_content(image: bpy.types.Image) -> str:
    """The hash of what would be sent of an image now, if that is known without reading it; else empty."""
    source = None if image.use_view_as_render else source_of(image)
    if source and source.is_proven:
        found, has = _known.get(source, ("", False))
        if has:
            return found
    return ""


def content_now(image: bpy.types.Image, frame: int = 0) -> str:
    """The hash of what would be sent of an image now; empty if it has no pixels. It is read in one step unless known.

    frame: which one of a movie or sequence.
    """
    if content := known_content(image):
        return content
    with suppress(AddonError):
        return content_of(upright(image, frame=frame)[0])
    return ""


def _has(image: bpy.types.Image, pixels: NDArray[np.uint8]) -> bool:
    try:
        return np.array_equal(upright(image)[0], pixels)
    except AddonError:
        return False


def title_of(name: str) -> str:
    """What is made of a picture is called as the picture is, without the suffix of a file and Blender's number behind.

    What stands behind another dot stays: “v1.2 final” is no file.
    """
    name = legible(name)
    unnumbered = re.sub(r"\.\d{3}$", "", name)
    for whole in (name, unnumbered):
        if Path(whole).suffix.lower() in bpy.path.extensions_image | bpy.path.extensions_movie:
            return Path(whole).stem
    return name


def register() -> None:
    """Notice when a file is opened: whatever image Blender has loaded was loaded afterwards."""
    global _loaded_since  # noqa: PLW0603 - see `_before_other_file`
    images = getattr(bpy.data, "images", ())  # none can be asked for, nor is any loaded, while Blender starts
    _loaded_since = -math.inf if any(image.has_data for image in images) else time.time()
    bpy.app.handlers.load_pre.append(_before_other_file)


def unregister() -> None:
    """Forget all."""
    bpy.app.handlers.load_pre.remove(_before_other_file)
    _known.clear()


@persistent
def _before_other_file(*_: object) -> None:
    global _loaded_since  # noqa: PLW0603 - Blender calls it
    _loaded_since = time.time()
    _known.clear()
