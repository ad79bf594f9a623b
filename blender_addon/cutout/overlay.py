# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over the picture in Image Editors while its cut-out is drawn: the cut-out, and the strokes."""

from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from numpy.typing import NDArray

from .drawing import Drawing
from .strokes import Stroke

Pixel = tuple[float, float]

_KEEP, _DROP, _RIM = (0.2, 0.9, 0.3, 1.0), (1.0, 0.25, 0.2, 1.0), (0.0, 0.0, 0.0, 0.6)
_DIMMED = (0.0, 0.0, 0.0, 0.68)  # black is black in every version, whatever colours it takes for linear
_OUTLINE = (1.0, 1.0, 1.0, 0.9)
_LEAST_WIDTH = 3.0  # pixels of the screen

_shown: Drawing | None = None
_handle: Any = None
_texture: tuple[NDArray[np.uint8], Any] | None = None  # of which mask, and the texture


def shown() -> Drawing | None:
    """The cut-out that is being drawn."""
    return _shown


def show(drawing: Drawing) -> None:
    """Draw it, until `hide`."""
    global _shown, _handle  # noqa: PLW0603 - Blender calls `_draw`, which has to find it
    hide()
    _shown = drawing
    _handle = bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def hide() -> None:
    """Draw it no more."""
    global _shown, _handle, _texture  # noqa: PLW0603
    if _handle is not None:
        bpy.types.SpaceImageEditor.draw_handler_remove(_handle, "WINDOW")
    _shown = _handle = _texture = None


def tinted(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What lies over the picture for a mask, uint8 (h, w): float32 (h, w, 4), the ground dimmed, the outline bright."""
    result = np.empty((*mask.shape, 4), np.float32)
    result[:] = _DIMMED
    result[..., 3] *= 1.0 - mask / np.float32(255.0)
    body = np.pad(mask > 127, 1, mode="edge")
    inner = body[:-2, 1:-1] & body[2:, 1:-1] & body[1:-1, :-2] & body[1:-1, 2:]
    result[body[1:-1, 1:-1] & ~inner] = _OUTLINE
    return result


def _draw() -> None:
    drawing, space, region = _shown, bpy.context.space_data, bpy.context.region
    if drawing is None or space.image is None or space.image.session_uid != drawing.picture:
        return
    left, bottom = region.view2d.view_to_region(0.0, 0.0, clip=False)
    right, top = region.view2d.view_to_region(1.0, 1.0, clip=False)
    gpu.state.blend_set("ALPHA")
    mask = drawing.shown_mask
    if mask is not None:
        _draw_mask(mask, (left, bottom, right, top))
    scale = (right - left) / drawing.width
    for stroke in (*drawing.strokes, *([drawing.current] if drawing.current else [])):
        corners = [(left + x * scale, top - y * (top - bottom) / drawing.height, 0.0) for x, y in stroke.points]
        _draw_stroke(stroke, corners, max(2.0 * stroke.radius * scale, _LEAST_WIDTH))
    gpu.state.blend_set("NONE")


def _draw_mask(mask: NDArray[np.uint8], box: tuple[float, float, float, float]) -> None:
    left, bottom, right, top = box
    shader = gpu.shader.from_builtin("IMAGE")
    corners = ((left, bottom), (right, bottom), (right, top), (left, top))
    # Row 0 of the mask is on top, row 0 of a texture at the bottom.
    batch = batch_for_shader(shader, "TRI_FAN", {"pos": corners, "texCoord": ((0, 1), (1, 1), (1, 0), (0, 0))})
    shader.bind()
    shader.uniform_sampler("image", _texture_of(mask))
    batch.draw(shader)


def _texture_of(mask: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - gpu's own
    global _texture  # noqa: PLW0603 - textures are made while Blender draws, and not at every time
    if _texture is None or _texture[0] is not mask:
        values = tinted(mask)
        buffer = gpu.types.Buffer("FLOAT", values.size, values.reshape(-1))
        _texture = mask, gpu.types.GPUTexture(mask.shape[::-1], format="RGBA16F", data=buffer)
    return _texture[1]


def _draw_stroke(stroke: Stroke, corners: list[tuple[float, float, float]], width: float) -> None:
    if len(corners) == 1:
        x, y, z = corners[0]
        corners = [(x - width / 2, y, z), (x + width / 2, y, z)]
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    batch = batch_for_shader(shader, "LINE_STRIP", {"pos": corners})
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    for colour, wide in ((_RIM, width + 2.0), (_KEEP if stroke.keep else _DROP, width)):
        shader.uniform_float("lineWidth", wide)
        shader.uniform_float("color", colour)
        batch.draw(shader)


def register() -> None:
    """There is nothing to draw yet."""


def unregister() -> None:
    """Draw nothing any more."""
    hide()
