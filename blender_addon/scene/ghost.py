# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera of Blender's that sees an object as a picture shows it, with the picture before it as a ghost.

It is an ordinary camera: looking through it lays the picture over the mesh, and whatever moves it there nudges it.
"""

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .lens import Sight, set_lens, sight_of

GHOST = "hi3dgen_ghost_of"  # on a camera object: the object that it sees; on its data: that it is a ghost's
NOTES = "hi3dgen_notes"  # on the same camera: what the artist should know of it, a sentence a line
_UNLIKE = "hi3dgen_unlike"  # on it, if the picture may not show the object: how it saw the object when it was placed
_OPACITY = 0.5
_STILL = 1e-5  # relative, and of an axis: a camera that was moved by less was not moved
CLIP = (0.01, 100.0)
"""Of the distance to the object: what a camera sees."""


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
    set_lens(scene, camera, sight, picture.size[0] / picture.size[1])
    middle = thing.matrix_world @ (sum(map(Vector, thing.bound_box), Vector()) / 8)
    away = (middle - ghost.matrix_world.translation).length or 1.0
    camera.clip_start, camera.clip_end = (share * away for share in CLIP)
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


def doubt(scene: bpy.types.Scene, ghost: bpy.types.Object) -> None:
    """Mark a ghost, as it sees its object now, as one of a picture that may not show that object."""
    ghost[_UNLIKE] = _of_its_object(scene, ghost)


def trust(ghost: bpy.types.Object) -> None:
    """Take that mark away."""
    if _UNLIKE in ghost:
        del ghost[_UNLIKE]


def is_doubted(scene: bpy.types.Scene, ghost: bpy.types.Object) -> bool:
    """Whether a ghost has that mark and nobody has moved it, its object or its lens since. Raises `AddonError`."""
    placed = ghost.get(_UNLIKE)
    return placed is not None and np.allclose(placed[:], _of_its_object(scene, ghost), rtol=_STILL, atol=_STILL)


def _of_its_object(scene: bpy.types.Scene, ghost: bpy.types.Object) -> tuple[float, ...]:
    """How a ghost sees its object, in that object's axes, as `Sight.numbers` has it."""
    sight = sight_of(scene, ghost, picture_of(ghost))
    own = np.array(ghost[GHOST].matrix_world.inverted_safe())
    return Sight(own @ sight.matrix, sight.fov, sight.width).numbers


def seen_by(ghost: bpy.types.Object | None, scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The object that a ghost lies over; None if it is no ghost, or the object is gone."""
    thing = ghost.get(GHOST) if ghost and ghost.type == "CAMERA" else None
    return thing if thing and thing.name in scene.objects else None


def picture_of(ghost: bpy.types.Object) -> bpy.types.Image | None:
    """The picture that a ghost shows."""
    return next((shown.image for shown in ghost.data.background_images if shown.image), None)
