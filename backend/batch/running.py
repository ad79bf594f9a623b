# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch runs: pictures are claimed one by one, an executor makes them, and what it has made is put in place."""

import contextlib
import dataclasses
import hashlib
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from ..errors import UserError
from .manifest import WORK, Entry, Manifest, State
from .results import not_written, publish

MACHINE = ("library-missing", "engine-missing", "unknown-engine", "not-started")
"""Codes that say nothing of the picture: every other one would fail as well, so the batch ends."""


@dataclass(frozen=True)
class Task:
    """A picture for an executor, as what can be sent to another process.

    inputs: absolute paths, by name. request: see `Entry`. folder: an empty folder; whatever is in it at the end is a
    result, except for hidden files. stem: how the results' names begin. tile: where the picture of it for the contact
    sheet goes, a file with this path.
    """

    name: str
    stem: str
    inputs: Mapping[str, str]
    request: Mapping[str, Any]
    folder: str
    tile: str


@dataclass(frozen=True)
class Ended:
    """How a task has ended. code, sentence, advice: of its failure; empty if all was made. See `Entry`.

    staged: results that are staged in their place already, see `Place.stage`; what else is made lies in the folder.
    """

    name: str
    fingerprints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    code: str = ""
    sentence: str = ""
    advice: str = ""
    staged: Mapping[str, str] = field(default_factory=dict[str, str])


Progressed = Callable[[str, str, float], None]
"""`progressed(name, label, done)`: what is being done to a picture, and how much of it, in [0, 1], is done."""

Executor = Callable[[Iterator[Task], Progressed], Generator[Ended, None, None]]
"""Makes tasks, in this process, in others or on other machines.

It takes a task when it has room for it: from then on the picture counts as running. It yields the end of each as it
comes, in any order, and never raises for a picture. It is a generator: if it is closed, it stops what runs. A
`UserError` ends the batch.
"""


class Explained(Protocol):
    """Why a picture failed: a `UserError`, or what Blender has in its place."""

    code: str
    sentence: str
    advice: str


def end_of(
    task: Task,
    started: float,
    fingerprints: Mapping[str, Mapping[str, Any]],
    notes: Iterable[str],
    failure: Explained | None,
) -> Ended:
    """How a task has ended that began at `started`, by `time.monotonic`."""
    seconds = round(time.monotonic() - started, 3)
    why = (failure.code, failure.sentence, failure.advice) if failure else ("", "", "")
    return Ended(task.name, fingerprints, seconds, tuple(dict.fromkeys(notes)), *why)


class Watcher(Protocol):
    """Whoever follows a batch."""

    def begun(self, entry: Entry) -> None:
        """Called when a picture is given to the executor."""
        ...

    def progressed(self, name: str, label: str, done: float) -> None:
        """See `Progressed`."""
        ...

    def ended(self, entry: Entry, made: Sequence[str]) -> None:
        """Called when a picture is done or has failed, and the manifest says so. made: its files that are new."""
        ...


def run(manifest: Manifest, names: Sequence[str], executor: Executor, watcher: Watcher) -> None:
    """Make all pictures of those names that wait, and end when none waits.

    Raises `UserError` if the manifest or the machine fails, and whatever `watcher` raises; pictures that run then wait
    again.
    """
    try:
        with contextlib.closing(executor(_tasks(manifest, names, watcher), watcher.progressed)) as made:
            for ended in made:
                if ended.code in MACHINE:
                    raise UserError(ended.code, ended.sentence, ended.advice)
                watcher.ended(*_finish(manifest, ended))
    finally:
        manifest.release()


def _tasks(manifest: Manifest, names: Sequence[str], watcher: Watcher) -> Iterator[Task]:
    for name in names:
        entry = manifest.claim(name) if manifest.entries[name].state is State.WAITING else None
        if entry is not None:
            watcher.begun(entry)
            folder, tile = _room(manifest, name)
            inputs = {key: str(manifest.path(path)) for key, path in entry.request["inputs"].items()}
            yield Task(name, PurePosixPath(name).name, inputs, entry.request, str(folder), str(tile))


def _place(manifest: Manifest, name: str) -> Path:
    """The folder of this process for a picture, flat: one picture's name may be the beginning of another's."""
    return manifest.worker.folder / hashlib.sha256(name.encode()).hexdigest()[:16]


def _room(manifest: Manifest, name: str) -> tuple[Path, Path]:
    """An empty folder for a picture's results, and the path of its tile, both in this process's own folder."""
    place = _place(manifest, name)
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "results"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        sentence = f"“{folder}” cannot be made: {error.strerror or type(error).__name__}."
        raise UserError("bad-output", sentence, "Make room, or choose another folder.") from error
    return folder, place / "tile.jpg"


def _finish(manifest: Manifest, ended: Ended) -> tuple[Entry, Sequence[str]]:
    """Put in place what was made, and write how it ended; see `publish`. Raises `UserError`."""
    place = _place(manifest, ended.name)
    staged, ended = _staged(manifest, ended, place / "results")
    with manifest.locked():
        entry = manifest.entries[ended.name]
        if entry.worker != manifest.worker.name:  # it was taken for dead, as on a disk that has lost its locks
            sentence = f"Another process has taken “{entry.name}”, which this one was making."
            raise UserError("in-use", sentence, "Start it again when the other one has ended.")
        made: Sequence[str] = ()
        try:
            entry, made = publish(manifest, entry, staged)
        except UserError as error:
            entry = manifest.entries[ended.name]
            ended = failed_by(ended, error)
        end = {item.name: getattr(ended, item.name) for item in dataclasses.fields(ended) if item.name != "staged"}
        state = State.FAILED if ended.code else State.DONE
        entry = Entry(request=entry.request, state=state, files=entry.files, **end)
        tile = tile_path(manifest.out, ended.name)
        with contextlib.suppress(OSError):  # a contact sheet without it is none the worse
            if manifest.holds(tile):
                tile.unlink(missing_ok=True)
                tile.parent.mkdir(parents=True, exist_ok=True)
                (place / "tile.jpg").replace(tile)
        manifest.write(entry, lasting=True)
    shutil.rmtree(place, ignore_errors=True)
    return manifest.entries[ended.name], made


def _staged(manifest: Manifest, ended: Ended, folder: Path) -> tuple[Mapping[str, str], Ended]:
    """All that was made, staged, and how the task has ended: it has failed if its results cannot be staged."""
    try:
        return {**ended.staged, **manifest.place.stage(folder, manifest.batch)}, ended
    except OSError as error:
        return {}, failed_by(ended, not_written(manifest.place.path(ended.name), error))


def failed_by(ended: Ended, error: UserError) -> Ended:
    """The end of a task that has failed after all."""
    return dataclasses.replace(ended, code=error.code, sentence=error.sentence, advice=error.advice)


def tile_path(out: Path, name: str) -> Path:
    """Where a picture's part of the contact sheet is kept."""
    return out / WORK / "tiles" / f"{name}.jpg"
