# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera of Blender's that sees an object as a picture shows it, with the picture before it as a ghost.

It is an ordinary camera: looking through it lays the picture over the mesh, and whatever moves it there nudges it.
"""

from dataclasses import dataclass
from math import atan, degrees, radians, tan

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ..errors import AddonError

GHOST = "hi3dgen_ghost_of"  # on a camera object: the object that it sees; on its data: that it is a ghost's
NOTES = "hi3dgen_notes"  # on the same camera: what the artist should know of it, a sentence a line
_OPACITY = 0.5
_CLIP = (0.01, 100.0)  # of the distance to the object


@dataclass(frozen=True)
class Sight:
    """How a picture is seen.

    matrix: float64 (4, 4), from the camera's axes (x right, y up, looking along -z) to the scene's. fov: the angle
    across the picture's width, in degrees; 0 for a parallel projection, which is `width` wide.
    """

    matrix: NDArray[np.float64]
    fov: float
    width: float = 1.0


def place(
    scene: bpy.types.Scene, thing: bpy.types.Object, picture: bpy.types.Image, sight: Sight, name: str
) -> bpy.types.Object:
    """The ghost of an object that sees it so: the one that is there, or a new one of this name in its collections."""
    ghost = ghost_of(scene, thing)
    if ghost is None:
        camera = bpy.data.cameras.new(name)
        camera[GHOST] = True
        ghost = bpy.data.objects.new(name, camera)
        ghost[GHOST] = thing
        ghost.hide_render = True
        for collection in [each for each in thing.users_collection if not each.library] or [scene.collection]:
            collection.objects.link(ghost)
    camera = ghost.data
    ghost.matrix_world = Matrix(sight.matrix.tolist())
    _set_lens(scene, camera, sight, picture.size[0] / picture.size[1])
    middle = thing.matrix_world @ (sum(map(Vector, thing.bound_box), Vector()) / 8)
    away = (middle - ghost.matrix_world.translation).length or 1.0
    camera.clip_start, camera.clip_end = (share * away for share in _CLIP)
    camera.display_size = 0.1 * away
    camera.show_background_images = True
    camera.background_images.clear()
    shown = camera.background_images.new()
    shown.image, shown.alpha, shown.display_depth, shown.frame_method = picture, _OPACITY, "FRONT", "FIT"
    return ghost


def ghost_of(scene: bpy.types.Scene, thing: bpy.types.Object) -> bpy.types.Object | None:
    """The camera with the picture that lies over an object; None if there is none.

    The panel asks at every redraw: of thousands of objects only a file with a ghost is searched.
    """
    if not any(GHOST in camera for camera in bpy.data.cameras):
        return None
    return next((each for each in scene.objects if each.type == "CAMERA" and each.get(GHOST) == thing), None)


def seen_by(ghost: bpy.types.Object | None, scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The object that a ghost lies over; None if it is no ghost, or the object is gone."""
    thing = ghost.get(GHOST) if ghost and ghost.type == "CAMERA" else None
    return thing if thing and thing.name in scene.objects else None


def picture_of(ghost: bpy.types.Object) -> bpy.types.Image | None:
    """The picture that a ghost shows."""
    return next((shown.image for shown in ghost.data.background_images if shown.image), None)


def sight_of(scene: bpy.types.Scene, ghost: bpy.types.Object, picture: bpy.types.Image) -> Sight:
    """How a picture lies before a camera now, whatever the artist has set on it. Raises `AddonError`."""
    camera = ghost.data
    if camera.type == "PANO":
        raise AddonError(f"“{ghost.name}” is a panorama.", "Choose Perspective or Orthographic in its settings.")
    if camera.shift_x or camera.shift_y:
        raise AddonError(f"The lens of “{ghost.name}” is shifted.", "Set Shift X and Y to 0, and turn the camera.")
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


def _set_lens(scene: bpy.types.Scene, camera: bpy.types.Camera, sight: Sight, wide: float) -> None:
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
