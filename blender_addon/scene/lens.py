# SPDX-License-Identifier: GPL-3.0-or-later
"""How a picture lies before one of Blender's cameras, whose frame has the shape of renders.

The picture is fitted into the frame. The camera's lens is such that what it shows there is what the picture shows.
"""

from dataclasses import dataclass
from math import atan, degrees, radians, tan

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from .pictures import UNREADABLE


@dataclass(frozen=True)
class Sight:
    """How a picture is seen.

    matrix: float64 (4, 4), from the camera's axes (x right, y up, looking along -z) to the scene's. fov: the angle
    across the picture's width, in degrees; 0 for a parallel projection, which is `width` wide.
    """

    matrix: NDArray[np.float64]
    fov: float
    width: float = 1.0

    @property
    def numbers(self) -> tuple[float, ...]:
        """The same as the wire has it: the first three rows of the matrix, then `fov` and `width`."""
        return (*self.matrix[:3].reshape(-1).tolist(), self.fov, self.width)


def sight_of(scene: bpy.types.Scene, ghost: bpy.types.Object, picture: bpy.types.Image) -> Sight:
    """How a picture lies before a camera now, whatever the artist has set on it. Raises `AddonError`."""
    camera = ghost.data
    if camera.type not in ("PERSP", "ORTHO"):  # a panorama, or what a script defines
        raise AddonError(
            f"“{ghost.name}” is neither perspective nor orthographic.",
            "Choose Perspective or Orthographic in its settings.",
        )
    if camera.shift_x or camera.shift_y:
        raise AddonError(f"The lens of “{ghost.name}” is shifted.", "Set Shift X and Y to 0, and turn the camera.")
    if not picture.size[1]:
        raise AddonError(f"The image “{picture.name}” has no pixels.", UNREADABLE)
    wide, frame = picture.size[0] / picture.size[1], _frame(scene)
    matrix = np.array(ghost.matrix_world.normalized(), np.float64)
    is_across = camera.sensor_fit == "HORIZONTAL" or (camera.sensor_fit == "AUTO" and frame >= 1)
    if camera.type == "ORTHO":  # its scale is across the frame's longer side, or the one that is chosen
        across = camera.ortho_scale if is_across else camera.ortho_scale * frame
        return Sight(matrix, 0.0, across if wide >= frame else across / frame * wide)
    sensor = camera.sensor_height if camera.sensor_fit == "VERTICAL" else camera.sensor_width
    half = sensor / 2 / camera.lens
    across = half if is_across else half * frame
    return Sight(matrix, 2 * degrees(atan(across if wide >= frame else across / frame * wide)))


def set_lens(scene: bpy.types.Scene, camera: bpy.types.Camera, sight: Sight, wide: float) -> None:
    """Let a camera, whose frame has the shape of renders, show a picture fitted into it as it is seen."""
    camera.shift_x = camera.shift_y = 0.0
    is_across = wide >= _frame(scene)
    camera.sensor_fit = "HORIZONTAL" if is_across else "VERTICAL"
    if sight.fov:
        camera.type = "PERSP"
        half = tan(radians(sight.fov) / 2)
        sensor = camera.sensor_width if is_across else camera.sensor_height
        camera.lens = sensor / 2 / (half if is_across else half / wide)
    else:
        camera.type = "ORTHO"
        camera.ortho_scale = sight.width if is_across else sight.width / wide


def _frame(scene: bpy.types.Scene) -> float:
    """The width of renders in their height."""
    render = scene.render
    across, down = render.resolution_x * render.pixel_aspect_x, render.resolution_y * render.pixel_aspect_y
    return across / down
