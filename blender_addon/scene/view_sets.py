# SPDX-License-Identifier: GPL-3.0-or-later
"""The views of one result, as cameras that know their pictures: found again, shown, and removed together.

Which views belong together is written on the cameras, so that they may be moved to other collections.
"""

from dataclasses import dataclass
from math import atan2, degrees
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...backend.wire.products import Viewpoints
from ..errors import AddonError
from .engine_frame import affine_now
from .ghost import CLIP, picture_of
from .landing import PRODUCT, RECIPE
from .lens import Sight, set_lens

SET = "hi3dgen_views"  # on cameras' objects and on their collection: when their result came, in seconds
# On its data. FOV and WIDTH are those of `Sight` in the scene; of DRAWN, how the engine had it, see `drawn_by`.
NUMBER, FOV, WIDTH, PICTURE, DRAWN = (f"hi3dgen_view_{name}" for name in ("number", "fov", "width", "picture", "drawn"))

NORMALS = "normal_views"
"""The product that is normal maps of views."""
SHOWN = 0.12
"""Of its way to the object: how large a camera is drawn."""
BEHIND, BEFORE, HIDDEN = "BEHIND", "BEFORE", "HIDDEN"
_OPACITY = {BEHIND: 1.0, BEFORE: 0.5}
_DEPTH = {BEHIND: "BACK", BEFORE: "FRONT"}


@dataclass(frozen=True)
class Kept:
    """What a camera knows of its view.

    made: see `SET`. number: of the view in its result. drawn: how the engine saw it, in metres. scale: of the scene.
    """

    made: float
    number: int
    drawn: Sight
    scale: float
    picture: bpy.types.Image


def keep(scene: bpy.types.Scene, thing: bpy.types.Object, kept: Kept) -> None:
    """Write on a camera object what its view is, and show it behind the scene."""
    camera = _camera_of(thing)
    thing[SET] = kept.made
    camera[NUMBER], camera[FOV], camera[WIDTH] = kept.number, kept.drawn.fov, kept.drawn.width * kept.scale
    camera[DRAWN] = [*kept.drawn.matrix.reshape(-1).tolist(), kept.drawn.fov, kept.drawn.width]
    camera[PICTURE] = kept.picture
    refit(scene, thing)
    show(thing, BEHIND)


def drawn_by(thing: bpy.types.Object) -> Sight:
    """How the engine saw the view of a camera, wherever that is now: in metres, around the origin."""
    *matrix, fov, width = _camera_of(thing)[DRAWN]
    return Sight(np.array(matrix, np.float64).reshape(4, 4), fov, width)


def place(scene: bpy.types.Scene, thing: bpy.types.Object, sight: Sight, away: float) -> None:
    """Put the camera of a view elsewhere. away: how far it is from what it sees then."""
    camera = _camera_of(thing)
    thing.matrix_world = Matrix(sight.matrix.tolist())
    camera[FOV], camera[WIDTH] = sight.fov, sight.width
    camera.clip_start, camera.clip_end = (share * away for share in CLIP)
    camera.display_size = SHOWN * away
    refit(scene, thing)


def shown_set(scene: bpy.types.Scene, active: bpy.types.Object | None) -> list[bpy.types.Object]:
    """The cameras of the views that the panel shows, in their order: those of the active object, else the latest.

    Of a mesh they are those that were made with it, or of which it was made; of copies of a camera one is taken, the
    active object's if it has one. The panel asks at every redraw: of thousands of objects only a file with views is
    searched.
    """
    if not any(NUMBER in camera for camera in bpy.data.cameras):
        return []
    cameras = [
        thing
        for thing in scene.objects
        if isinstance(thing.data, bpy.types.Camera) and SET in thing and NUMBER in thing.data
    ]
    if not cameras:
        return []
    own = [thing for thing in cameras if active is not None and _is_of(thing, active)]
    made = max(thing[SET] for thing in own or cameras)
    ours = sorted((thing for thing in cameras if thing[SET] == made), key=lambda thing: thing.name, reverse=True)
    ours.sort(key=lambda thing: thing in own)
    return sorted({_number_of(thing): thing for thing in ours}.values(), key=_number_of)  # the last one of a number


def with_normals(
    scene: bpy.types.Scene, cameras: list[bpy.types.Object]
) -> tuple[list[bpy.types.Object], list[bpy.types.Object]]:
    """The cameras of a result's views in colour, and those of the normal maps of the same views; none if it has none.

    cameras: either of them. Raises `AddonError` if they are those of normal maps, and the views are gone.
    """
    recipe, is_normals = _recipe_of(cameras[0]), _is_normals(cameras[0])
    others = {
        thing[SET]
        for thing in scene.objects
        if thing.type == "CAMERA" and SET in thing and _is_normals(thing) != is_normals and _recipe_of(thing) == recipe
    }
    found = (shown_set(scene, next(thing for thing in scene.objects if thing.get(SET) == each)) for each in others)
    partner = next((each for each in found if _stand_alike(each, cameras)), [])
    if not is_normals:
        return cameras, partner
    if not partner:
        raise AddonError("The views of which these are the normal maps are gone.", "Undo, or generate them again.")
    return partner, cameras


def bring(scene: bpy.types.Scene, cameras: list[bpy.types.Object], thing: bpy.types.Object, seen: Viewpoints) -> None:
    """Put cameras where their views show a generated mesh. seen: where that is in the engine's frame, one for each.

    Raises `AddonError` if the mesh was changed so much that nobody knows where that frame is.
    """
    world = np.array(thing.matrix_world, np.float64) @ np.vstack([affine_now(thing), (0.0, 0.0, 0.0, 1.0)])
    scale = float(np.cbrt(abs(np.linalg.det(world[:3, :3]))))
    for number, camera in enumerate(cameras):
        matrix = np.array(Matrix((world @ seen.matrices[number]).tolist()).normalized(), np.float64)
        place(
            scene, camera, Sight(matrix, seen.fovs[number], seen.widths[number] * scale), seen.distances[number] * scale
        )


def title_of(cameras: list[bpy.types.Object]) -> str:
    """What views are called: as the collection that their first camera is in."""
    homes = cameras[0].users_collection
    return homes[0].name if homes else cameras[0].name


def azimuth_of(thing: bpy.types.Object) -> float:
    """From which side the engine saw the view of a camera, in degrees from 0 to 360: 0 is the picture's own side."""
    across, along, _ = drawn_by(thing).matrix[:3, 2]  # the way from what it sees to itself
    return degrees(atan2(across, -along)) % 360


def view_of(thing: bpy.types.Object) -> bpy.types.Image | None:
    """The picture of a camera's view: the one that it came with, else the one that it shows."""
    return _camera_of(thing).get(PICTURE) or picture_of(thing)


def pictures_of(cameras: list[bpy.types.Object]) -> list[bpy.types.Image]:
    """The pictures of views, one for each. Raises `AddonError` if one is gone."""
    pictures = [picture for thing in cameras if (picture := view_of(thing))]
    if len(pictures) != len(cameras):
        raise AddonError("Pictures of these views are gone.", "Undo, or generate them again.")
    return pictures


def show(thing: bpy.types.Object, where: str) -> None:
    """Show a camera's view behind the scene, before it, half transparent, or not; what else it shows stays."""
    camera, picture = _camera_of(thing), view_of(thing)
    if picture is None:
        return
    own = [shown for shown in camera.background_images if shown.image == picture]
    for shown in own or [camera.background_images.new()] if where != HIDDEN else own:
        shown.image, shown.frame_method, shown.show_background_image = picture, "FIT", where != HIDDEN
        if where != HIDDEN:
            shown.alpha, shown.display_depth = _OPACITY[where], _DEPTH[where]
    camera.show_background_images = any(shown.show_background_image for shown in camera.background_images)


def shown_where(thing: bpy.types.Object) -> str:
    """Where a camera shows its view; see `show`."""
    camera, picture = _camera_of(thing), view_of(thing)
    for shown in camera.background_images if picture and camera.show_background_images else ():
        if shown.image == picture and shown.show_background_image:
            return BEFORE if shown.display_depth == "FRONT" else BEHIND
    return HIDDEN


def refit(scene: bpy.types.Scene, thing: bpy.types.Object) -> None:
    """Give a camera the lens that its view was drawn with, for renders as the scene has them now."""
    camera, picture = _camera_of(thing), view_of(thing)
    if picture is not None and FOV in camera:
        set_lens(scene, camera, Sight(thing.matrix_world, camera[FOV], camera[WIDTH]), _aspect(picture))


def remove(cameras: list[bpy.types.Object]) -> None:
    """Remove cameras, with what nothing else uses then: their views, and the collection that came with them."""
    data = {thing.data for thing in cameras}
    pictures = {picture for thing in cameras if (picture := view_of(thing))}
    homes = {collection for thing in cameras for collection in thing.users_collection}
    bpy.data.batch_remove(cameras)
    bpy.data.batch_remove([camera for camera in data if not camera.users])
    bpy.data.batch_remove([picture for picture in pictures if not picture.users and not picture.library])
    empty = [home for home in homes if SET in home and not home.objects and not home.children and not home.library]
    bpy.data.batch_remove(empty)


def _camera_of(thing: bpy.types.Object) -> bpy.types.Camera:
    """What of a view's object is the camera."""
    assert isinstance(thing.data, bpy.types.Camera)  # noqa: S101 - as `shown_set` finds them
    return thing.data


def _is_of(thing: bpy.types.Object, active: bpy.types.Object) -> bool:
    """Whether the camera of a view belongs to an object: to itself, or to the mesh of its result or of its views."""
    return active in (thing, thing.parent) or (active.type == "MESH" and active.get(SET) == thing[SET])


def _is_normals(thing: bpy.types.Object) -> bool:
    return thing.get(PRODUCT) == NORMALS


def _recipe_of(thing: bpy.types.Object) -> dict[str, Any]:
    return thing[RECIPE].to_dict() if RECIPE in thing else {}


def _stand_alike(some: list[bpy.types.Object], others: list[bpy.types.Object]) -> bool:
    """Whether two results' views were seen by the same cameras, in the same order."""
    one, other = ([drawn_by(thing).numbers for thing in each] for each in (some, others))
    return len(one) == len(other) and np.allclose(one, other, atol=1e-4)


def _number_of(thing: bpy.types.Object) -> int:
    return _camera_of(thing)[NUMBER]


def _aspect(picture: bpy.types.Image) -> float:
    """The width of a picture in its height; 1 if it cannot be read."""
    return picture.size[0] / picture.size[1] if picture.size[1] else 1.0
