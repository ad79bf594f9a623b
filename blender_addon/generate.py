# SPDX-License-Identifier: GPL-3.0-or-later
"""From a click, or a line of a script, to a job: what is requested, of which picture, and where it lands."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..backend.wire.limits import MAX_PIXELS, Scalar
from ..backend.wire.messages import Request, Result
from . import save_new
from .cutout import look
from .errors import AddonError
from .language.words import say
from .link import engines, runtime
from .link.job import Job, JobState, Reading, Refused
from .link.waiting import wait_for_job
from .scene import again, masks, normal_map, sides, viewing, worlds
from .scene.active import meant
from .scene.collection import layers_of, whereabouts
from .scene.grid import Grid
from .scene.held import all_held, held, uid_of
from .scene.landing import Landing
from .scene.lasting import SENT, Sent, shown_image, title_of
from .scene.objects import add_results, all_or_nothing, reason
from .scene.placing import Placing, Stands
from .scene.reading import Picture, Steps, read, read_all, read_file, read_in_turn
from .scene.spots import Spot, spots_of

log = logging.getLogger(__name__)

PICTURE = "picture"  # the name of the input that is the picture itself
Then = Callable[[bpy.types.Scene, Landing, Result], None]
NOT_PLACED = Placing(stands=Stands.CURSOR)  # as engines give it, at the origin


@dataclass(frozen=True)
class Target:
    """Where results go. Numbers alone: undo and other files replace bpy's data while a job runs.

    scene: its session UID. viewport: the number of the one that is to show them. instead: the session UID of the object
    that gets the mesh; 0 for none. grid: that of all the pictures of the job.
    """

    scene: int
    placing: Placing
    viewport: int = 0
    instead: int = 0
    grid: Grid | None = None


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
    known: dict[str, Picture] = {}  # they are read while it waits
    reading = read_all_of({PICTURE: picture, **(inputs or {})}, known, frame)
    notes: list[str] = []
    own = own_inputs(picture).get(normal_map.INPUT)
    if own and not instead and isinstance(picture, bpy.types.Image) and (inputs or {}).get(normal_map.INPUT) == own:
        reading = _with_map_that_fits(reading, picture.session_uid, known, notes)
    request = Request(session.next_name(), engine, seed, {}, settings or {}, count, tuple(gives))
    looked = _look(picture, frame, engine, settings or {}, inputs or {})
    target = Target(scene.session_uid, placing, viewport, uid_of(instead))
    others = {
        side: uid_of(image) for side in sides.INPUTS if isinstance(image := (inputs or {}).get(side), bpy.types.Image)
    }

    def then(_scene: bpy.types.Scene, landing: Landing, _result: Result) -> None:
        found = {side: image for side, uid in others.items() if (image := held(bpy.data.images, uid))}
        sides.remember(landing.objects, found)

    job = job_for(picture, request, target, known, reading, looked, then=then, notes=notes)
    if instead:
        job.title = instead.name
    session.submit(job)
    runtime.keep_ticking()
    return job


def job_for(
    picture: bpy.types.Image | Path,
    request: Request,
    target: Target,
    known: Mapping[str, Picture],
    reading: Reading,
    looked: look.Look | None = None,
    title: str = "",
    then: Then | None = None,
    notes: Sequence[str] = (),
) -> Job:
    """The job that brings what is made of a picture into the scene; it is in no queue yet.

    known: what is known of the request's pictures as soon as they are read, see `read_all_of`. looked: what gets the
    cut-out, see `look.fill`. title: what is made is called so, else as the picture. then: called with what has landed
    of each result. notes: further ones for the artist, which may be known only when the pictures are read.
    """
    title = title or title_of(picture.name)
    uid, path = (0, picture) if isinstance(picture, Path) else (picture.session_uid, None)
    spots: dict[int, Spot] = {}

    def land(results: list[Result]) -> Refused:
        results = [replace(each, notes=(*dict.fromkeys((*each.notes, *notes)),)) for each in results]
        grid = target.grid
        try:
            own = known[PICTURE]
            sent = Sent(title, own.pixels, own.lies, own.content, uid, path)
            with all_or_nothing():
                scene = scene_of(target.scene)
                seen = viewing.viewport(target.viewport, scene)
                layer = seen.window.view_layer if seen else layers_of(scene)[0]
                former = held(scene.objects, target.instead)
                if not spots:  # what lands at another try stands in the place that is left for it
                    spots.update(spots_of(layer, results, target.placing, seen and seen.eye, grid))
                shown = shown_image(sent, by_path=runtime.keeps_by_path())
                remade = again.prepare(scene, title, shown, results[0], former) if former else None
                if remade:
                    landings, refused = [remade.landing], []
                else:
                    along = all_held(scene.objects, grid.landed) if grid and grid.landed else None
                    landings, refused = add_results(scene, title, shown, results, spots, target.placing, along)
                _keep_map(sent.origin or shown, shown, landings[-1].normal_map, request, own.content)
            if remade and former:
                again.replace_mesh(remade, former)  # not within: what was made goes with whoever uses it
        except Exception as error:  # noqa: BLE001 - whatever it is, the results must not be lost
            return [(result, reason(error)) for result in results]
        _follow(then, scene, landings, results, target)
        if looked:
            look.fill(looked, job)
        added = [thing for landing in landings for thing in landing.objects]
        job.landed += [thing.session_uid for thing in added]
        save_new.soon(scene, added if former is None else [former])
        if grid:
            grid.landed += [thing.session_uid for thing in added if thing.type == "MESH"]
        if runtime.has_window():
            try:
                _tell(scene, layer, seen, title, landings, former, grid)
            except Exception:  # what is in the scene must not be offered to it again
                log.exception("the results are in the scene, and Blender did not show them")
        return refused

    job = Job(title, request, land, reading=reading)
    return job


def _follow(
    then: Then | None,
    scene: bpy.types.Scene,
    landings: Sequence[Landing],
    results: Sequence[Result],
    target: Target,
) -> None:
    """Do what follows landings; what is in the scene must not be offered to it again, whatever fails here."""
    by_seed = {result.seed: result for result in results}
    try:
        if target.placing.lights and (world := landings[-1].world):
            worlds.use(scene, world)
        if then:
            for landing in landings:
                then(scene, landing, by_seed[landing.seed])
    except Exception:
        log.exception("a result is in the scene, and what was to follow it is not")
        runtime.session().notice = "The mesh is there, but not all that belongs to it. Blender's console says why."


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


def _keep_map(
    picture: bpy.types.Image, shown: bpy.types.Image, made: bpy.types.Image | None, request: Request, content: str
) -> None:
    """Make the normal map of a result its picture's, unless that has one which is to be used.

    shown: the image that the material shows. If it is a copy, it has the picture's mask, normal map and other sides as
    well; it goes if nothing shows it. content: the hash of what was sent as the picture.
    """
    if made and masks.can_have(picture) and (request.gives or not normal_map.used_map(picture)):
        normal_map.keep(picture, made, use=bool(request.gives), content=content)
    if shown == picture:
        return
    if not shown.users and SENT in shown:
        bpy.data.images.remove(shown)
        return
    if mask := masks.mask_of(picture):
        masks.choose(shown, mask)
    sides.pass_on(picture, shown)
    own = normal_map.map_of(picture)
    if own or (made and not normal_map.used_map(shown)):
        normal_map.keep(shown, own or made, use=normal_map.used_map(picture) is not None, content=content)


def scene_of(uid: int) -> bpy.types.Scene:
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
    grid: Grid | None,
) -> None:
    """Show and report what has come to the scene, as a view layer has it, and make it an undo step.

    former: the object that got the mesh, if none was added. grid: that of many pictures, of which only the whole is
    reported, by another. Each is a step: the artist works on meanwhile, and what came without one would vanish with
    whatever is undone next.
    """
    added = [thing for landing in landings for thing in landing.objects]
    step, sentence = say("Generate {title}", title=title), whereabouts(scene, title, added, layer)
    if not added and landings[-1].normal_map:
        step = say("Normal Map of {title}", title=title)
        sentence = say("The normal map of {title} is ready. Edit it, or generate a mesh from it.", title=title)
    if world := landings[-1].world:
        step, sentence = say("World of {title}", title=title), say("The world “{name}” is ready.", name=world.name)
    if former:
        step = say("Make {name} Again", name=former.name)
        sentence = say("{name} was made again, where it stands.", name=former.name)
    if seen and not former:
        viewing.show(seen, added, grid and grid.box)
    tell(seen.window if seen else None, "" if grid else sentence, step)


def tell(window: bpy.types.Window | None, sentence: str, step: str = "") -> None:
    """Report a sentence in a window, or in the first one; step: what was done becomes an undo step of this name."""
    with bpy.context.temp_override(window=window or bpy.context.window_manager.windows[0]):
        if step:
            bpy.ops.ed.undo_push(message=step)
        if sentence:
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
        raise (job.error or session.error or cancelled).anew()


def own_inputs(picture: bpy.types.Image | Path) -> dict[str, bpy.types.Image]:
    """The mask, the normal map and the other sides of a picture, by the inputs that take them; a file has none."""
    if isinstance(picture, Path):
        return {}
    own = {masks.INPUT: masks.mask_of(picture), normal_map.INPUT: normal_map.used_map(picture)}
    own |= sides.sides_of(picture)
    return {name: image for name, image in own.items() if image}


def read_all_of(
    sources: Mapping[str, bpy.types.Image | Path], known: dict[str, Picture], frame: int = 0
) -> Steps[dict[str, NDArray[np.uint8]]]:
    """Read a request's pictures as they are now, with whatever else is `known` of them then. Raises `AddonError`.

    frame: which one of the picture itself, if that moves.
    """
    by_path = runtime.keeps_by_path()
    steps: dict[str, Steps[Picture]] = {}
    for name, source in sources.items():
        own = {"frame": frame, "shown": by_path} if name == PICTURE else {}
        steps[name] = read_file(source) if isinstance(source, Path) else read(source, **own)
    known.update((yield from read_all(steps)))
    return {name: each.pixels for name, each in known.items()}


def _with_map_that_fits(reading: Reading, uid: int, known: Mapping[str, Picture], notes: list[str]) -> Reading:
    """Read a request's pictures, without its own normal map if the picture was another when that was made.

    notes: gets a sentence on that. Raises `AddonError`.
    """
    read = {**(yield from reading)}
    picture = held(bpy.data.images, uid)
    former = normal_map.used_map(picture) if picture else None
    if picture and former and not normal_map.still_fits(picture, known[PICTURE].content):
        del read[normal_map.INPUT]
        notes.append(
            f"“{picture.name}” has changed since its normal map was made: normals were estimated anew. "
            f"The former map stays: choose “{former.name}” to use it."
        )
    return read


def with_views(
    reading: Reading, views: Mapping[str, Sequence[bpy.types.Image]]
) -> Steps[Mapping[str, NDArray[np.uint8]]]:
    """Read a request's pictures, and its fields of views after them. Raises `AddonError`."""
    pictures = {**(yield from reading)}
    count = sum(map(len, views.values()))
    side = isqrt(MAX_PIXELS // count)  # more than the wire takes in all may be in them by now
    for name, images in views.items():
        read = yield from read_in_turn(images, side)
        if len({picture.shape for picture in read}) != 1:
            raise AddonError("The pictures of these views are not all of one size.", "Generate them again.")
        pictures[name] = np.stack(read)
    return pictures
