# SPDX-License-Identifier: GPL-3.0-or-later
"""A movie and an image sequence, made by Blender."""

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from backend.raster import png

FRAMES = 3


def frame(number: int, size: int = 64) -> Any:
    """A square that moves to the right and becomes brighter before black, uint8 (size, size, 4), frames from 1 on."""
    pixels = np.full((size, size, 4), (0, 0, 0, 255), np.uint8)
    pixels[16:48, 8 * number : 8 * number + 24, :3] = (60 * number, 80, 80)
    return pixels


def write_sequence(folder: Path) -> list[Path]:
    """Frames 1 to 3, walk_0001.png and so on."""
    paths = [folder / f"walk_{number:04}.png" for number in range(1, FRAMES + 1)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(png.encode(frame(number)))
    return paths


def sequence(folder: Path, named: int = 1) -> Any:
    """The sequence as an image that nobody has looked at yet."""
    image = bpy.data.images.load(str(write_sequence(folder)[named - 1]))
    image.source = "SEQUENCE"
    return image


def movie(folder: Path) -> Any:
    """The same frames as a movie."""
    scene = bpy.data.scenes.new("Cinema")
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for number, path in enumerate(write_sequence(folder), 1):
        strips.new_image(name=path.stem, filepath=str(path), channel=1, frame_start=number)
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.view_settings.view_transform = "Standard"
    render = scene.render
    render.resolution_x = render.resolution_y = 64
    if hasattr(render.image_settings, "media_type"):  # Blender 5
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.filepath, render.use_file_extension = str(folder / "walk.mp4"), False
    bpy.ops.render.render(animation=True, scene=scene.name)
    bpy.data.scenes.remove(scene)
    return bpy.data.images.load(str(folder / "walk.mp4"))
