# SPDX-License-Identifier: GPL-3.0-or-later
"""*Texture from Picture*: from a click, or a line of a script, to a mesh in the scene in a picture's colours.

The backend finds the camera that took the picture; a ghost of the picture lies over the mesh then, to be nudged. What
is painted is what that camera sees.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..backend.wire.limits import Scalar
from ..backend.wire.messages import Request, Result
from ..backend.wire.products import Mesh, Viewpoints
from .errors import AddonError
from .generate import PICTURE, own_inputs, read_all_of, scene_of, tell, with_views
from .language.words import joined, say, translated
from .link import runtime
from .link.job import Job, Refused
from .scene import ghost, masks, sides, surface, view_sets, viewing
from .scene.held import held, uid_of
from .scene.landing import made_image
from .scene.lasting import Sent, shown_image, title_of
from .scene.lens import Sight
from .scene.objects import all_or_nothing, reason

if TYPE_CHECKING:
    from .scene.reading import Picture

log = logging.getLogger(__name__)

TOOL = "texture"
CAMERA, PAINTED, VIEW_CAMERAS = "viewpoints", "mesh", "view_cameras"  # the products


@dataclass(frozen=True)
class Meant:
    """What is painted with what. frame: which one, of a moving picture."""

    scene: bpy.types.Scene
    thing: bpy.types.Object
    picture: bpy.types.Image | Path
    frame: int = 0

    @property
    def title(self) -> str:
        """What the picture is called."""
        return title_of(self.picture.name)


def find_camera(meant: Meant, viewport: int = 0) -> Job:
    """Look for the camera that took a picture of a mesh; the picture lies over it then, seen in that viewport.

    Raises `AddonError`.
    """

    def land(result: Result, sent: Sent, scene: bpy.types.Scene, thing: bpy.types.Object) -> str:
        product = result.products[CAMERA]
        assert isinstance(product, Viewpoints)  # noqa: S101 - by its name
        sight = Sight(product.matrices[0].astype(np.float64), product.fovs[0], product.widths[0])
        name = say("{picture} on {name}", picture=sent.title, name=thing.name)
        lies = ghost.place(scene, thing, _lying(sent), sight, name)
        lies[ghost.NOTES] = "\n".join(result.notes)
        if seen := viewing.viewport(viewport, scene):
            viewing.look_through(seen, lies)
        if product.fits:
            ghost.trust(lies)
            return say("The camera of {picture} was found. Nudge it if need be, and paint.", picture=sent.title)
        ghost.doubt(scene, lies)
        return joined(*(translated(note) for note in result.notes), say("Move the camera by hand, and paint."))

    return _submit(meant, (CAMERA,), {}, (), say("Find the Camera of {name}", name=meant.thing.name), land)


def paint(meant: Meant, sight: Sight | None, settings: dict[str, Scalar]) -> Job:
    """Paint a mesh with a picture as a camera sees it; without one it is looked for first. Raises `AddonError`."""
    read = surface.read(meant.thing)

    def land(result: Result, sent: Sent, scene: bpy.types.Scene, thing: bpy.types.Object) -> str:
        sentence = _show(result, sent, thing, read)
        if lies := ghost.ghost_of(scene, thing):
            lies.data.show_background_images = False  # the mesh is to be seen
        return sentence

    step, numbers = say("Texture of {name}", name=meant.thing.name), sight.numbers if sight else ()
    return _submit(meant, (PAINTED,), settings, numbers, step, land, read)


def paint_views(meant: Meant, sight: Sight | None, cameras: list[bpy.types.Object], settings: dict[str, Scalar]) -> Job:
    """Paint a mesh with a picture and, where that does not see it, with the views that were drawn from it.

    cameras: those of the views; they go to where their views show the mesh. sight: as of `paint`. Raises `AddonError`.
    """
    read, uids = surface.read(meant.thing), [uid_of(camera) for camera in cameras]

    def land(result: Result, sent: Sent, scene: bpy.types.Scene, thing: bpy.types.Object) -> str:
        sentence = _show(result, sent, thing, read)
        product = result.products[VIEW_CAMERAS]
        assert isinstance(product, Viewpoints)  # noqa: S101 - by its name
        for number, uid in enumerate(uids):
            if camera := held(scene.objects, uid):
                matrix = product.matrices[number].astype(np.float64)
                placed = Sight(matrix, product.fovs[number], product.widths[number])
                view_sets.place(scene, camera, placed, product.distances[number])
        return sentence

    step = say("Texture of {name}", name=meant.thing.name)
    gives, numbers = (VIEW_CAMERAS, PAINTED), sight.numbers if sight else ()
    return _submit(meant, gives, settings, numbers, step, land, read, cameras)


def _show(result: Result, sent: Sent, thing: bpy.types.Object, read: surface.Surface) -> str:
    """Let a mesh show what was painted, and say so."""
    product = result.products[PAINTED]
    assert isinstance(product, Mesh) and product.base_colour is not None  # noqa: S101, PT018 - by its name
    name = say("{picture} on {name}", picture=sent.title, name=thing.name)
    image = made_image(name, PAINTED, product.base_colour.tobytes(), data=False)
    surface.show(thing, read, product, image, sent.title)
    notes = (translated(note) for note in result.notes)
    return joined(say("{name} shows {picture}.", name=thing.name, picture=sent.title), *notes)


def _submit(
    meant: Meant,
    gives: tuple[str, ...],
    settings: dict[str, Scalar],
    camera: tuple[float, ...],
    step: str,
    land: Callable[[Result, Sent, bpy.types.Scene, bpy.types.Object], str],
    read: surface.Surface | None = None,
    views: Sequence[bpy.types.Object] = (),
) -> Job:
    """Queue a job of the tool. land: puts its result into the scene, in one undo step, and tells what was done.

    views: the cameras of those that the request brings.
    """
    session, title, picture = runtime.session(), meant.title, meant.picture
    path, image = (picture, None) if isinstance(picture, Path) else (None, picture)
    picture_uid, thing_uid, scene_uid = uid_of(image), uid_of(meant.thing), uid_of(meant.scene)
    read = read or surface.read(meant.thing)
    known: dict[str, Picture] = {}

    def bring(results: list[Result]) -> Refused:
        try:
            scene = scene_of(scene_uid)
            thing, one = _still(scene, thing_uid), known[PICTURE]
            sent = Sent(title, one.pixels, one.lies, one.content, picture_uid, path)
            with all_or_nothing():
                sentence = land(results[0], sent, scene, thing)
        except Exception as error:  # noqa: BLE001 - whatever it is, the result must not be lost
            return [(result, reason(error)) for result in results]
        job.landed.append(thing_uid)
        _tell(scene, step, sentence)
        return []

    request = Request(
        session.next_name(),
        TOOL,
        0,
        {},
        settings,
        gives=gives,
        mesh_vertices=read.points,
        mesh_triangles=read.triangles,
        mesh_corner_uv=read.corner_uv,
        mesh_faces=read.faces,
        camera=camera,
        view_cameras=tuple(number for each in views for number in view_sets.drawn_by(each).numbers),
    )
    name = say("{picture} on {name}", picture=title, name=meant.thing.name)
    own = {name: image for name, image in own_inputs(picture).items() if name not in sides.INPUTS}
    reading = read_all_of({PICTURE: picture, **own}, known, meant.frame)
    if views:
        reading = with_views(reading, {"views": view_sets.pictures_of([*views])})
    job = Job(name, request, bring, reading=reading, called=name)
    session.submit(job)
    runtime.keep_ticking()
    return job


def _still(scene: bpy.types.Scene, uid: int) -> bpy.types.Object:
    """The object of that session UID. Raises `AddonError` if it is gone."""
    thing = held(scene.objects, uid)
    if thing is None:
        raise AddonError("The mesh that was to be painted is gone.", "Choose another one.")
    return thing


def _lying(sent: Sent) -> bpy.types.Image:
    """The image that lies over the mesh: the picture itself, with its mask and map; of a frame or a render, a copy."""
    picture = sent.origin
    if picture and masks.can_have(picture):
        return picture
    return shown_image(sent, by_path=runtime.keeps_by_path())


def _tell(scene: bpy.types.Scene, step: str, sentence: str) -> None:
    """Make what was done an undo step, and report it; without a window whoever waits does."""
    if not runtime.has_window():
        return
    try:
        windows = bpy.context.window_manager.windows
        tell(next((each for each in windows if each.scene == scene), None), sentence, step)
    except Exception:  # it is in the scene, and must not be offered to it again
        log.exception("the result is in the scene, and Blender did not say so")
