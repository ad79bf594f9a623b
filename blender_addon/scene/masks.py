# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask of a picture: an image that says what the object is, white in it and black outside.

It can be painted on. It belongs to the picture, not to the scene: another picture has another one, and none is lost.
"""

import bpy
import numpy as np
from bpy.props import PointerProperty
from numpy.typing import NDArray

from ..language.po import CONTEXT
from ..language.words import say
from .frames import is_moving
from .lasting import title_of
from .pictures import PASSING

INPUT = "own_cutout"  # the name of the input that takes it


def can_have(picture: bpy.types.Image) -> bool:
    """Whether a picture can have a mask or a normal map."""
    return not why_none(picture)


def why_none(picture: bpy.types.Image) -> str:
    """Why a picture can have no mask and no normal map, as a sentence; empty if it can.

    They would outlive a render, which the next one replaces, and a frame: the one after it is another picture.
    """
    if picture.type in PASSING:
        return say("Save the render as an image first")
    return say("Save the frame as an image first") if is_moving(picture) else ""


def mask_of(picture: bpy.types.Image) -> bpy.types.Image | None:
    """The picture's mask; None if it has none."""
    return picture.hi3dgen_cutout if can_have(picture) else None


def keep(picture: bpy.types.Image, mask: NDArray[np.uint8]) -> bpy.types.Image:
    """Make a mask, uint8 (h, w), row 0 on top, the picture's: a new image, packed into the file; see `choose`."""
    height, width = mask.shape
    image = bpy.data.images.new(f"{title_of(picture.name)} cut-out", width, height, alpha=False, is_data=True)
    values = np.ones((height, width, 4), np.float32)
    values[..., :3] = mask[::-1, :, None] / np.float32(255.0)
    image.pixels.foreach_set(values.reshape(-1))
    image.pack()
    choose(picture, image)
    return image


def choose(picture: bpy.types.Image, mask: bpy.types.Image) -> None:
    """Make an image the picture's mask. The one that it had stays in the file: it may have been painted on."""
    former = picture.hi3dgen_cutout
    picture.hi3dgen_cutout = mask
    if former and former != mask:
        former.use_fake_user = True  # else nothing uses it, and what nothing uses is not saved


def register() -> None:
    """Let pictures have masks."""
    bpy.types.Image.hi3dgen_cutout = PointerProperty(
        type=bpy.types.Image,
        name="Cut-out",
        description="What is the object in this picture: a mask of the same view, white in the object, black outside. "
        "It can be painted on",
        poll=lambda picture, mask: mask != picture,
        translation_context=CONTEXT,
    )


def unregister() -> None:
    """Forget them; they stay in the file."""
    del bpy.types.Image.hi3dgen_cutout
