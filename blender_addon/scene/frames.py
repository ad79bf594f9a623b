# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies and image sequences, one of whose frames is the picture.

Which one is seen is known to whoever shows it, its image user: of an Image Editor, of an empty, of a texture node. The
pixels of an image are those of the frame that somebody has looked at last, and none if nobody has.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import bpy

MOVING = {"MOVIE", "SEQUENCE"}


def is_moving(image: bpy.types.Image) -> bool:
    """Whether the image has frames."""
    return image.source in MOVING


def frame_of(image: bpy.types.Image, user: bpy.types.ImageUser | None, scene: bpy.types.Scene) -> int:
    """The number of the frame that an image user sees in a scene; 0 if the image does not move.

    Without one it is the frame that a sequence's path names, and of a movie the scene's. Blender computes it in the
    same way (BKE_image_user_frame_get), but only when it draws.
    """
    if not is_moving(image):
        return 0
    if user is None:
        return _named(image) if image.source == "SEQUENCE" else min(max(scene.frame_current, 1), image.frame_duration)
    length = max(user.frame_duration, 1)
    frame = scene.frame_current - user.frame_start + 1
    if user.use_cyclic:
        frame = (frame - 1) % length + 1
    return min(max(frame, 1), length) + user.frame_offset


@contextmanager
def at_frame(image: bpy.types.Image, frame: int) -> Generator[str]:
    """Let the image have the pixels of a frame; gives the path of the file that they are from."""
    texture = bpy.data.textures.new("Frame", "IMAGE")
    try:
        texture.image = image
        texture.image_user.frame_current = frame
        texture.evaluate((0.0, 0.0, 0.0))  # nothing else looks at a frame where there is no window
        yield image.filepath_from_user(image_user=texture.image_user)
    finally:
        bpy.data.textures.remove(texture)


def _named(image: bpy.types.Image) -> int:
    """The frame that the path of a sequence names: the last number in it."""
    numbers = re.findall(r"\d+", Path(bpy.path.basename(image.filepath)).stem)
    return int(numbers[-1]) if numbers else 1
