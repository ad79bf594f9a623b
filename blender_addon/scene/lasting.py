# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that a material shows: the very pixels that were sent, whatever becomes of the picture.

An image that shows them by itself, from its own file or packed into this one, is used as it is. Everything else (a
frame of a movie, what is painted and not saved, a render, an image of another file) becomes a packed copy with a name
of its own.
"""

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from .held import held
from .pictures import upright

SENT = "hi3dgen_sent"  # on an image: the hash of the pixels that were sent

# By an image's session UID: which file was read, and whether it has which pixels.
_read: dict[int, tuple[object, bool]] = {}


@dataclass(frozen=True)
class Sent:
    """A picture as it was sent.

    title: what is made of it is called so. pixels: uint8 (H, W, 4), upright. lies: how Blender shows it, see `upright`.
    image: the session UID of the image that it is; 0 if it was read from the file `path`.
    """

    title: str
    pixels: NDArray[np.uint8]
    lies: int
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
        if image and shows(image, sent.pixels, by_path=by_path):
            return image
        if by_path and sent.path and (image := _loaded(sent.path, sent.pixels)):
            return image
    return sent_image(sent.title, sent.pixels)


def shows(image: bpy.types.Image, pixels: NDArray[np.uint8], *, by_path: bool) -> bool:
    """Whether an image shows exactly these pixels by itself, also when this file is opened again.

    by_path: whether it may have them from a file beside this one, which is read for that if it is new.
    """
    lasts = image.source == "FILE" and not image.is_dirty and image.library is None
    if not lasts or image.use_view_as_render or image.colorspace_settings.is_data:
        return False  # a shader shows data and view transforms otherwise than the picture that was sent
    if image.packed_file:
        return _has(image, pixels)
    return by_path and _file_has(image, pixels)


def sent_image(title: str, pixels: NDArray[np.uint8]) -> bpy.types.Image:
    """What was sent as a picture, as a packed image; one that shows the same pixels already is used again."""
    content = content_of(pixels)
    for image in bpy.data.images:
        if image.get(SENT) == content and shows(image, pixels, by_path=False):  # it may have been painted on
            return image
    height, width, _ = pixels.shape
    image = bpy.data.images.new(copy_name(title), width, height, alpha=True)
    image.pixels.foreach_set((pixels[::-1] / np.float32(255.0)).astype(np.float32).reshape(-1))
    image.pack()
    image[SENT] = content
    return image


def copy_name(title: str) -> str:
    """The name of a copy of what was sent as a picture."""
    return f"{title} picture"


def _loaded(path: Path, pixels: NDArray[np.uint8]) -> bpy.types.Image | None:
    """The image of a file that has these pixels; one that is there already is used again, unless it was changed."""
    with suppress(RuntimeError):  # the file may have vanished while the job ran
        known = set(bpy.data.images)
        image = bpy.data.images.load(str(path.absolute()), check_existing=True)
        if image in known:
            if shows(image, pixels, by_path=True):
                return image
            image = bpy.data.images.load(str(path.absolute()))
        if _has(image, pixels):
            return image
        bpy.data.images.remove(image)
    return None


def _file_has(image: bpy.types.Image, pixels: NDArray[np.uint8]) -> bool:
    """Whether the file of an image has these pixels. It is read once: a large one takes seconds."""
    path = bpy.path.abspath(image.filepath)
    try:
        file = Path(path).stat()
    except OSError:  # it is gone
        return False
    read_as = (image.colorspace_settings.name, image.alpha_mode)
    state = (path, file.st_mtime_ns, file.st_size, *read_as, content_of(pixels))
    known, has = _read.get(image.session_uid, (None, False))
    if known != state:
        has = _reads_as(path, pixels, *read_as)
        _read[image.session_uid] = state, has
    return has


def _reads_as(path: str, pixels: NDArray[np.uint8], space: str, alpha_mode: str) -> bool:
    """Whether a file has these pixels if it is read so."""
    try:
        again = bpy.data.images.load(path)
    except RuntimeError:
        return False
    try:
        again.colorspace_settings.name, again.alpha_mode = space, alpha_mode
        return _has(again, pixels)
    finally:
        bpy.data.images.remove(again)


def content_of(pixels: NDArray[np.uint8]) -> str:
    """The hash of pixels, as recipes have it."""
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()


def _has(image: bpy.types.Image, pixels: NDArray[np.uint8]) -> bool:
    try:
        return np.array_equal(upright(image)[0], pixels)
    except AddonError:
        return False


def title_of(name: str) -> str:
    """What is made of a picture is called as the picture is, without the suffix of a file and Blender's number behind.

    What stands behind another dot stays: “v1.2 final” is no file.
    """
    name = os.fsencode(name).decode("utf-8", "replace")  # a file's name may be no text
    unnumbered = re.sub(r"\.\d{3}$", "", name)
    for whole in (name, unnumbered):
        if Path(whole).suffix.lower() in bpy.path.extensions_image | bpy.path.extensions_movie:
            return Path(whole).stem
    return name
