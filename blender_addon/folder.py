# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pictures, or some of its files, as one job: its results come one by one and stand in a grid."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from ..backend.batch.lines import PICTURE, pictures_in
from ..backend.errors import UserError
from ..backend.wire.limits import Scalar
from ..backend.wire.messages import Request, Result
from .errors import AddonError
from .generate import Target, job_for, read_all_of, scene_of, tell
from .language.legible import legible
from .language.words import joined, say
from .link import runtime
from .link.job import Job, Refused
from .link.series import Series, counted
from .scene.collection import whereabouts
from .scene.grid import Grid
from .scene.held import all_held
from .scene.placing import Placing
from .scene.reading import Picture, finished

log = logging.getLogger(__name__)


def pictures_of(folder: Path, names: Sequence[str], *, below: bool) -> list[Path]:
    """The pictures that somebody chose, in the order of their names: files and folders in a folder; none means itself.

    below: whether those in the folders below count, too. Raises `AddonError` if there is none.
    """
    if not folder.is_dir():
        raise AddonError(f"There is no folder “{folder}”.", "Choose another one.")
    chosen = [folder / name for name in names if name] or [folder]
    found: list[Path] = []
    try:
        for path in chosen:
            found += [line.inputs[PICTURE] for line in pictures_in(path, below=below)] if path.is_dir() else [path]
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
) -> Series:
    """Request what `engine` gives of pictures' files, see `generate.submit`.

    Each file is read when its turn comes. One that cannot be read, or of which nothing can be made, is left out, and
    the job's error names it at the end. Raises `AddonError`.
    """
    session = runtime.session()
    if missing := session.why_missing(engine):
        raise missing
    title = legible(folder.name or str(folder))
    names = [_within(path, folder) for path in pictures]
    shared = Request(session.next_name(), engine, seed, finished(read_all_of(inputs, {})), settings, count)
    target = Target(scene.session_uid, placing, viewport, grid=Grid(len(pictures), count))

    def read(number: int) -> Job:
        known: dict[str, Picture] = {}
        own = replace(shared, job=f"{shared.job}.{number}")
        return job_for(pictures[number], own, target, known, read_all_of({PICTURE: pictures[number]}, known))

    def land(_: list[Result]) -> Refused:
        """The pictures have landed by themselves; an error is reported as that of any job."""
        if runtime.has_window() and series.landed and not series.error:
            try:
                _tell(series, target)
            except Exception:  # else Blender would drop the timer, and all jobs would stand still
                log.exception("Blender did not show what has come of a folder")
        return []

    series = Series(title, shared, land, names=names, read=read)
    session.submit(series)
    runtime.keep_ticking()
    return series


def _tell(series: Series, target: Target) -> None:
    """Report what has come of all pictures."""
    scene = scene_of(target.scene)
    added = all_held(scene.objects, series.landed)
    made = say("{folder}: {pictures} made.", folder=series.title, pictures=counted(series.made))
    if added:  # the artist may have deleted them all
        made = joined(made, whereabouts(scene, series.title, added))
    tell(None, made)


def _within(path: Path, folder: Path) -> str:
    """What the artist knows a picture by."""
    return legible(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name)


def _as_read(path: Path) -> list[tuple[int, int, str]]:
    """Sorts paths as people read them: “owl 2” comes before “owl 10”."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
