# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pictures, or some of its files, as one job: its results come one by one and stand in a grid."""

import itertools
import logging
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ..backend.batch.lines import PICTURE, pictures_in
from ..backend.batch.passed_over import told
from ..backend.errors import UserError
from ..backend.wire.limits import Scalar, seeds_from
from ..backend.wire.messages import Request, Result
from .errors import AddonError
from .generate import Target, job_for, read_all_of, scene_of, tell
from .language.legible import legible
from .language.words import joined, say
from .link import engines, runtime
from .link.job import Job, Refused
from .link.saved_jobs import Plan, SavedJob
from .link.series import Series, counted
from .scene import photograph
from .scene.arrived import arrived, arrived_seeds, grid_in, jobs, note, scene_with
from .scene.collection import whereabouts
from .scene.held import all_held, held, uid_of
from .scene.landing import Landing
from .scene.placing import Origin, Placing, Stands
from .scene.reading import Picture, finished

log = logging.getLogger(__name__)


def pictures_of(folder: Path, names: Sequence[str], passed_over: Counter[str], *, below: bool) -> list[Path]:
    """The pictures that somebody chose, in the order of their names: files and folders in a folder; none means itself.

    passed_over: gets the kinds of pictures that were left out, see there. below: whether those in the folders below
    count, too. Raises `AddonError` if there is none.
    """
    if not folder.is_dir():
        raise AddonError(f"There is no folder “{folder}”.", "Choose another one.")
    chosen = [folder / name for name in names if name] or [folder]
    found: list[Path] = []
    try:
        for path in chosen:
            found += (
                [line.inputs[PICTURE] for line in pictures_in(path, passed_over, below=below)]
                if path.is_dir()
                else [path]
            )
    except UserError as error:
        raise AddonError(error.sentence, error.advice) from error
    if not found:
        raise AddonError(
            f"There is no picture in “{chosen[0]}”.", "Choose a folder with pictures, or some of its files."
        )
    return sorted(found, key=_as_read)


def submit(
    scene: bpy.types.Scene,
    folder: Path,
    pictures: Sequence[Path],
    engine: str,
    seed: int,
    *,
    settings: Mapping[str, Scalar],
    inputs: Mapping[str, bpy.types.Image],
    count: int,
    placing: Placing,
    viewport: int,
    passed_over: Counter[str] | None = None,
) -> Series:
    """Request what `engine` gives of pictures' files, see `generate.submit`.

    Each file is read when its turn comes. One that cannot be read, or of which nothing can be made, is left out, and
    the job's error names it at the end. What is made is kept on the disk until a file with all of it is saved, so that
    `go_on` can go on with the job. passed_over: see `pictures_of`; the panel says so. Raises
    `AddonError`.
    """
    session = runtime.session()
    if missing := session.why_missing(engine):
        raise missing
    plan = Plan(
        legible(folder.name or str(folder)),
        tuple(str(path.absolute()) for path in pictures),
        tuple(_within(path, folder) for path in pictures),
        engine,
        seed,
        settings,
        count,
        _kept(placing),
    )
    read = finished(read_all_of(inputs, {}))
    saved, trouble = None, ""
    try:
        saved = runtime.saved_jobs().new(plan, read)
    except OSError as error:
        log.exception("a job of many pictures is not on the disk")
        trouble = f"If Blender ends, this job is lost: {error.strerror}."
    try:
        series = _begin(scene, plan, read, placing, viewport, saved)
    except BaseException:
        if saved:
            saved.forget()
        raise
    session.notice = " ".join(filter(None, (told(passed_over or Counter()), trouble)))
    return series


def go_on(scene: bpy.types.Scene, saved: SavedJob, viewport: int) -> Series:
    """Go on with a job that is on the disk: what was made comes into this file if it is not in it, the rest is made.

    It comes into the scene that has some of it, else into `scene`. What failed is tried again. Raises `AddonError`; if
    the pictures' folder or the engine is away, the job stays as it is.
    """
    plan = saved.plan
    if missing := _why_no_engine(plan) or _why_no_folder(_folder_of(plan), plan):
        raise missing
    if not saved.take():
        raise AddonError(f"Another Blender makes the pictures of “{plan.title}”.", "Go on there.")
    try:
        return _begin(scene_with(saved.name) or scene, plan, saved.inputs(), _placing_of(plan.placing), viewport, saved)
    except BaseException:
        saved.release()
        raise


def _why_no_engine(plan: Plan) -> AddonError | None:
    """Why a job's engine cannot run, as far as that is known; None if it can. Raises `AddonError` if none is known."""
    if engines.find(plan.engine, engines.require()):
        return runtime.session().why_missing(plan.engine)
    sentence = f"The engine “{plan.engine}”, which makes the pictures of “{plan.title}”, is not there."
    return AddonError(sentence, "Add it again and restart the backend, then press Go On.")


def _folder_of(plan: Plan) -> str:
    """The folder that holds all of a job's pictures; empty if there is none, as on several of Windows's disks."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in plan.pictures])  # noqa: PTH120
    except ValueError:
        return ""


def _why_no_folder(folder: str, plan: Plan) -> AddonError | None:
    """Why no picture of a job can be read: the folder that holds them all is away. None if it is there."""
    if not folder or Path(folder).is_dir():
        return None
    sentence = f"The folder “{folder}” with the pictures of “{plan.title}” is not there."
    return AddonError(sentence, "Connect its disk, or put it back, then press Go On.")


def left(saved: SavedJob) -> list[int]:
    """The numbers of a job's pictures whose results are not all in this file."""
    here = arrived(saved.name)
    return [number for number in range(len(saved.plan.pictures)) if number not in here]


def is_open(saved: SavedJob) -> bool:
    """Whether there is more of a job to come into this file than pictures that have failed."""
    return any(number not in saved.failed for number in left(saved))


def waiting() -> list[SavedJob]:
    """The jobs that can be gone on with here, the oldest first."""
    busy = [job.part_of or job for job in runtime.session().jobs if job.holds_results]
    going = {job.saved.name for job in busy if isinstance(job, Series) and job.saved}
    return [saved for saved in runtime.saved_jobs().all() if saved.name not in going and is_open(saved)]


def _begin(
    scene: bpy.types.Scene,
    plan: Plan,
    inputs: Mapping[str, NDArray[np.uint8]],
    placing: Placing,
    viewport: int,
    saved: SavedJob | None,
) -> Series:
    """Queue the job for the pictures whose results are not in this file. Raises `AddonError`."""
    session = runtime.session()
    pictures, folder = [Path(path) for path in plan.pictures], _folder_of(plan)
    numbers = left(saved) if saved else [*range(len(pictures))]
    engine = engines.find(plan.engine, engines.known())
    shared = Request(session.next_name(), plan.engine, plan.seed, inputs, plan.settings, plan.count)
    grid = grid_in(scene, saved.name if saved else "", len(pictures), plan.count)
    target = Target(scene.session_uid, placing, viewport, grid=grid)

    def read(place: int) -> Job:
        number, known = numbers[place], dict[str, Picture]()
        lens = photograph.with_lens(plan.settings, engine, pictures[number])
        here = arrived_seeds(saved.name, number) if saved else ()
        seeds = [*itertools.dropwhile(lambda seed: seed in here, seeds_from(plan.seed, plan.count))]
        own = replace(shared, job=f"{shared.job}.{place}", seed=seeds[0], count=len(seeds), settings=lens)

        def then(scene: bpy.types.Scene, _landing: Landing, result: Result) -> None:
            if saved:
                note(scene, saved.name, number, result.seed, grid)

        if away := _why_no_folder(folder, plan):  # before each picture: a disk may be pulled out meanwhile
            raise away
        path = pictures[number]
        return job_for(path, own, target, known, read_all_of({PICTURE: path}, known), then=then)

    def land(_: list[Result]) -> Refused:
        """The pictures have landed by themselves; an error is reported as that of any job."""
        if runtime.has_window() and series.made and not series.error:
            try:
                _tell(series, target)
            except Exception:  # else Blender would drop the timer, and all jobs would stand still
                log.exception("Blender did not show what has come of a folder")
        elif not runtime.has_window() and saved and not is_open(saved):
            saved.forget()  # nobody would see that it is kept
        return []

    series = Series(
        plan.title,
        shared,
        land,
        names=[plan.names[number] for number in numbers],
        read=read,
        before=len(pictures) - len(numbers),
        saved=saved,
        numbers=numbers,
    )
    session.submit(series)
    runtime.keep_ticking()
    return series


def _tell(series: Series, target: Target) -> None:
    """Report what has come of all pictures."""
    scene = scene_of(target.scene)
    added = all_held(scene.objects, series.landed)
    made = say("{folder}: {pictures} made.", folder=series.title, pictures=counted(series.before + series.made))
    if added:  # the artist may have deleted them all
        made = joined(made, whereabouts(scene, series.title, added))
    tell(None, made)


def _kept(placing: Placing) -> dict[str, Any]:
    """How results come into a scene, as JSON, for another Blender as well."""
    collection = held(bpy.data.collections, placing.collection)
    return {
        "cursor": [*placing.cursor],
        "size": placing.size,
        "origin": placing.origin.name,
        "stands": placing.stands.name,
        "smooth": placing.smooth,
        "collection": collection.name if collection else "",
        "lights": placing.lights,
    }


def _placing_of(kept: Mapping[str, Any]) -> Placing:
    """The same again. Raises `AddonError` if another version has written it."""
    try:
        x, y, z = map(float, kept["cursor"])
        named = bpy.data.collections.get(str(kept["collection"]))
        origin, stands = Origin[kept["origin"]], Stands[kept["stands"]]
        smooth, lights = bool(kept["smooth"]), bool(kept["lights"])
        return Placing((x, y, z), float(kept["size"]), origin, stands, smooth, uid_of(named), lights)
    except (KeyError, TypeError, ValueError) as error:
        raise of_another_version() from error


def of_another_version() -> AddonError:
    """Why a job that is on the disk cannot be gone on with."""
    advice = "Press Forget, and begin with the folder anew."
    return AddonError("The job of a folder cannot go on: another version of the extension has begun it.", advice)


@persistent
def _saved_file(*_: object) -> None:
    """What is in a saved file need not be kept beside it."""
    known = jobs()
    for saved in runtime.saved_jobs().all() if known else ():
        if saved.name in known and not saved.is_held and not is_open(saved):
            saved.forget()


def register() -> None:
    """Notice when a file is saved."""
    bpy.app.handlers.save_post.append(_saved_file)


def unregister() -> None:
    """Notice it no more."""
    bpy.app.handlers.save_post.remove(_saved_file)


def _within(path: Path, folder: Path) -> str:
    """What the artist knows a picture by."""
    return legible(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name)


def _as_read(path: Path) -> list[tuple[int, int, str]]:
    """Sorts paths as people read them: “owl 2” comes before “owl 10”."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
