# SPDX-License-Identifier: GPL-3.0-or-later
"""From a click, or a line of a script, to a job: what is requested, of which picture, and where it lands."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..backend.wire.limits import Scalar
from ..backend.wire.messages import Request, Result
from .cutout import look
from .errors import AddonError
from .language.words import say
from .link import engines, runtime
from .link.job import Job, JobState, Refused
from .link.waiting import wait_for_job
from .scene import again, masks, normal_map, viewing
from .scene.active import meant
from .scene.collection import layers_of, whereabouts
from .scene.held import held, uid_of
from .scene.landing import Landing
from .scene.lasting import SENT, Sent, shown_image, title_of
from .scene.objects import add_results, all_or_nothing, reason
from .scene.pictures import upright
from .scene.placing import Placing, Stands
from .scene.spots import Spot, spots_of

log = logging.getLogger(__name__)

NOT_PLACED = Placing(stands=Stands.CURSOR)  # as engines give it, at the origin


def active_picture(context: bpy.types.Context) -> bpy.types.Image | None:
    """The picture that a click means, see `active.meant`."""
    return meant(context).image


def submit(
    scene: bpy.types.Scene,
    picture: bpy.types.Image | Path,
    engine: str,
    seed: int,
    *,
    frame: int = 0,
    settings: Mapping[str, Scalar] | None = None,
    inputs: Mapping[str, bpy.types.Image | Path] | None = None,
    count: int = 1,
    gives: Sequence[str] = (),
    placing: Placing = NOT_PLACED,
    viewport: int = 0,
    instead: bpy.types.Object | None = None,
) -> Job:
    """Request what `engine` gives of an image or a picture's file, for `count` seeds from `seed` on.

    frame: which one of a movie or sequence. settings: those that are not to have their defaults. inputs: further images
    or files by name, such as `own_normal_map`. gives: the names of the products that are wanted; all if empty. What is
    made lands in `scene`; viewport: the number of the one that is to show it. The picture keeps the normal map, and the
    next mesh is made from it if it was asked for by name. instead: the object that gets the mesh, if it is still there
    then, see `again`; the job is called as it is. Raises `AddonError`.
    """
    session = runtime.session()
    if missing := session.why_missing(engine):
        raise missing
    sent = _sent(picture, frame)
    pictures = {"picture": sent.pixels, **{name: _read(source)[0] for name, source in (inputs or {}).items()}}
    request = Request(session.next_name(), engine, seed, pictures, settings or {}, count, tuple(gives))

    # Numbers alone: undo and other files replace bpy's data while the job runs.
    scene_uid, instead_uid, title = scene.session_uid, uid_of(instead), sent.title
    spots: dict[int, Spot] = {}
    looked = _look(picture, frame, engine, settings or {}, inputs or {})

    def land(results: list[Result]) -> Refused:
        try:
            with all_or_nothing():
                target = _scene(scene_uid)
                seen = viewing.viewport(viewport, target)
                layer = seen.window.view_layer if seen else layers_of(target)[0]
                former = held(target.objects, instead_uid)
                if not spots:  # what lands at another try stands in the place that is left for it
                    spots.update(spots_of(layer, results, placing, seen and seen.eye))
                shown = shown_image(sent, by_path=runtime.keeps_by_path())
                remade = again.prepare(target, title, shown, results[0], former) if former else None
                if remade:
                    landings, refused = [remade.landing], []
                else:
                    landings, refused = add_results(target, title, shown, results, spots, placing)
                _keep_map(sent.origin or shown, shown, landings[-1].normal_map, request)
            if remade and former:
                again.replace_mesh(remade, former)  # not within: what was made goes with whoever uses it
        except Exception as error:  # noqa: BLE001 - whatever it is, the results must not be lost
            return [(result, reason(error)) for result in results]
        if looked:
            look.fill(looked, job)
        job.landed += [thing.session_uid for landing in landings for thing in landing.objects]
        if runtime.has_window():
            try:
                _tell(target, layer, seen, title, landings, former)
            except Exception:  # what is in the scene must not be offered to it again
                log.exception("the results are in the scene, and Blender did not show them")
        return refused

    job = session.submit(instead.name if instead else title, request, land)
    runtime.keep_ticking()
    return job


def _look(
    picture: bpy.types.Image | Path,
    frame: int,
    engine: str,
    settings: Mapping[str, Scalar],
    inputs: Mapping[str, bpy.types.Image | Path],
) -> look.Look | None:
    """A look at the cut-out, to be filled when the mesh is there; None if the picture's own mask is not used."""
    info = next((known for known in engines.known() if known.name == engine), None)
    if info is None or isinstance(picture, Path) or inputs.get(masks.INPUT) != masks.mask_of(picture):
        return None
    return look.start(picture, info, settings, frame)


def _keep_map(picture: bpy.types.Image, shown: bpy.types.Image, made: bpy.types.Image | None, request: Request) -> None:
    """Make the normal map of a result its picture's, unless that has one which is to be used.

    shown: the image that the material shows. If it is a copy, it has the picture's mask and normal map as well; it goes
    if nothing shows it.
    """
    if made and masks.can_have(picture) and (request.gives or not normal_map.used_map(picture)):
        normal_map.keep(picture, made, use=bool(request.gives))
    if shown == picture:
        return
    if not shown.users and SENT in shown:
        bpy.data.images.remove(shown)
        return
    if mask := masks.mask_of(picture):
        masks.choose(shown, mask)
    own = normal_map.map_of(picture)
    if own or (made and not normal_map.used_map(shown)):
        normal_map.keep(shown, own or made, use=normal_map.used_map(picture) is not None)


def _scene(uid: int) -> bpy.types.Scene:
    """The scene of that session UID; if it is gone, one of this file, the one in sight first."""
    scenes = [scene for scene in bpy.data.scenes if scene.library is None]
    meant = held(scenes, uid)
    return meant or next(iter([*(scene for scene in scenes if scene == bpy.context.scene), *scenes]))


def _tell(
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    seen: viewing.Viewport | None,
    title: str,
    landings: Sequence[Landing],
    former: bpy.types.Object | None,
) -> None:
    """Show and report what has come to the scene, as a view layer has it, and make it an undo step.

    former: the object that got the mesh, if none was added.
    """
    added = [thing for landing in landings for thing in landing.objects]
    step, sentence = say("Generate {title}", title=title), whereabouts(scene, title, added, layer)
    if not added and landings[-1].normal_map:
        step = say("Normal Map of {title}", title=title)
        sentence = say("The normal map of {title} is ready. Edit it, or generate a mesh from it.", title=title)
    if former:
        step = say("Make {name} Again", name=former.name)
        sentence = say("{name} was made again, where it stands.", name=former.name)
    if seen and not former:
        viewing.show(seen, added)
    with bpy.context.temp_override(window=seen.window if seen else bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo_push(message=step)
        bpy.ops.hi3dgen.report("INVOKE_DEFAULT", sentence=sentence)


def wait(job: Job, watch: Callable[[Job], None] = lambda _: None) -> None:
    """Wait for a job's end if there is no window. Raises `AddonError` if a result is missing."""
    session = runtime.session()
    if session.occupied_until():
        session.cancel(job)
        raise AddonError("A mesh can only be made in Object Mode.", "Leave the current mode first.")
    wait_for_job(session, job, watch)
    if job.state is not JobState.DONE:
        if job.live:
            session.cancel(job)
        cancelled = AddonError("The job was cancelled.", "Generate again whenever you like.")
        raise job.error or session.error or cancelled


def _sent(picture: bpy.types.Image | Path, frame: int) -> Sent:
    """A picture as it is now. Raises `AddonError`."""
    pixels, lies = _read(picture, frame)
    if isinstance(picture, Path):
        return Sent(title_of(picture.name), pixels, lies, path=picture)
    return Sent(title_of(picture.name), pixels, lies, image=picture.session_uid)


def _read(source: bpy.types.Image | Path, frame: int = 0) -> tuple[NDArray[np.uint8], int]:
    """What `upright` gives of an image or a file, without a trace in the scene until there is a mesh.

    Raises `AddonError`.
    """
    if not isinstance(source, Path):
        return upright(source, frame=frame)
    path = source
    if not path.is_file():
        raise AddonError(f"There is no file “{path}”.", "Check the path.")
    try:
        image = bpy.data.images.load(str(path.absolute()))
    except RuntimeError as error:
        raise _unreadable(path) from error
    try:
        if not image.size[0]:
            raise _unreadable(path)
        return upright(image, frame=1)
    finally:
        bpy.data.images.remove(image)


def _unreadable(path: Path) -> AddonError:
    return AddonError(f"“{path.name}” cannot be read as a picture.", "Save it again as PNG or JPEG.")
