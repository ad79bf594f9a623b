# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that trainings read are made in a folder, by an executor.

Each is written elsewhere, and gets its name in the folder when it is whole. So a file that is there is made, and
nothing else has to say so: a manifest would be a second truth, as people add to these folders, copy and thin them out
by hand. What is not whole lies in a folder of this process, as in batches.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import UserError
from .journal import alone, sentences
from .manifest import WORK, Entry, State, refuse_links
from .running import MACHINE, Ended, Executor, Task, Watcher
from .workers import Worker


def is_there(folder: Path, name: str, suffix: str) -> bool:
    """Whether a file is made."""
    return (folder / f"{name}{suffix}").exists()


def fill(folder: Path, suffix: str, entries: Iterable[Entry], executor: Executor, watcher: Watcher) -> Sequence[Entry]:
    """Make the files FOLDER/NAME and the suffix that are not there; returns all entries as they have ended.

    entries: their names, and requests whose inputs are absolute paths. Other files that are made with one, such as an
    object's mirror image, are put in place before it. One that cannot be made costs only itself. Raises `UserError` if
    the machine fails, and whatever `watcher` raises.
    """
    found = {entry.name: replace(entry, state=State.DONE) for entry in entries}
    with _own_folder(folder) as own:

        def tasks() -> Iterator[Task]:
            for name, entry in found.items():
                if not is_there(folder, name, suffix):
                    watcher.begun(entry)
                    place = _place(own, name)
                    with sentences(place, "written"):
                        (place / "results").mkdir(parents=True)
                    inputs = entry.request["inputs"]
                    yield Task(name, name, inputs, entry.request, str(place / "results"), str(place / "tile.jpg"))

        with contextlib.closing(executor(tasks(), watcher.progressed)) as ends:
            for ended in ends:
                if ended.code in MACHINE:
                    raise UserError(ended.code, ended.sentence, ended.advice)
                place = _place(own, ended.name)
                made = () if ended.code else _publish(place / "results", folder, ended.name + suffix)
                shutil.rmtree(place, ignore_errors=True)
                found[ended.name] = _ended(found[ended.name], ended, made)
                watcher.ended(found[ended.name], made)
    return [*found.values()]


@contextlib.contextmanager
def _own_folder(folder: Path) -> Generator[Path]:
    """Make a folder, and in it one of this process. What dead processes have left there is removed."""
    workers, lock = Path(os.path.realpath(folder)) / WORK / "workers", folder / WORK / "lock"
    with sentences(folder, "written to"):
        (folder / WORK).mkdir(parents=True, exist_ok=True)
    refuse_links(workers)  # files in it are deleted
    with alone(lock), sentences(folder, "written to"):
        worker = Worker(workers)
        worker.others()
    try:
        yield worker.folder
    finally:
        with alone(lock):
            worker.leave()


def _place(own: Path, name: str) -> Path:
    """The folder of a file that is made, whatever its name is."""
    return own / hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _publish(results: Path, folder: Path, last: str) -> tuple[str, ...]:
    """Let all results take their places, and the one that says that they are made last; returns their names."""
    names = sorted((path.name for path in results.iterdir()), key=lambda name: (name == last, name))
    for name in names:
        with sentences(folder / name, "written"):
            with (results / name).open("rb+") as file:
                os.fsync(file.fileno())  # it outlives a power cut from then on
            (results / name).replace(folder / name)
    return tuple(names)


def _ended(entry: Entry, ended: Ended, made: tuple[str, ...]) -> Entry:
    return replace(
        entry,
        state=State.FAILED if ended.code else State.DONE,
        files=made,
        seconds=ended.seconds,
        notes=ended.notes,
        code=ended.code,
        sentence=ended.sentence,
        advice=ended.advice,
    )
