# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of many pictures on the disk: what was asked for, and what is made of it. They outlive Blender.

Each has a folder of its own, named after when it began:

    job.json     which pictures, by which engine and settings, and how what is made comes into the scene
    inputs.npz   the pictures that go with every picture
    7.frames     the results of the picture with the number 7, as the backend sent them (docs/wire.md, "Frames")
    7.json       why not all was made of that picture
    lock         locked by the Blender that makes the job

A batch's manifest (backend/batch/) is about files that are the artist's, in a folder that the artist has named. These
are nobody's but Blender's: they go as soon as a scene with all of it is saved.
"""

import contextlib
import logging
import math
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...backend import lock
from ...backend.safe_files import make_private_folder, open_own, read_json, replacing, write_json
from ...backend.wire import frames, messages, records
from ...backend.wire.limits import Scalar
from ...backend.wire.messages import Result
from ..errors import AddonError

FOLDER = "folder jobs"  # in the extension's user folder
PLAN, INPUTS, LOCK = "job.json", "inputs.npz", "lock"
LOOK_SECONDS = 2.0  # from one look at the disk to the next
MAX_PLAN = 64 << 20  # bytes: a million pictures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What is made of a folder's pictures.

    title: the folder, as the artist knows it; names: the pictures, likewise. pictures: their files. placing: how what
    is made comes into the scene, as its caller understands it. The rest is what a `Request` has.
    """

    title: str
    pictures: tuple[str, ...]
    names: tuple[str, ...]
    engine: str
    seed: int
    settings: Mapping[str, Scalar]
    count: int
    placing: Mapping[str, Any]


UNREADABLE = Plan("", (), (), "", 0, {}, 0, {})
"""The plan of a job that this version cannot read, as another one has begun it: it can only be forgotten."""


@dataclass(eq=False)
class SavedJob:
    """A job on the disk, in the folder `place`.

    made: the numbers of the pictures with results. failed: why others lack some. trouble: why what is made is not on
    the disk; empty if it is.
    """

    place: Path
    plan: Plan
    made: set[int] = field(default_factory=set[int])
    failed: dict[int, AddonError] = field(default_factory=dict[int, AddonError])
    trouble: str = ""
    _lock: BinaryIO | None = None

    @property
    def name(self) -> str:
        """What tells it from others."""
        return self.place.name

    @property
    def is_there(self) -> bool:
        """Whether it was not forgotten."""
        return (self.place / PLAN).is_file()

    @property
    def is_held(self) -> bool:
        """Whether this Blender makes it."""
        return self._lock is not None

    def take(self) -> bool:
        """Keep other Blenders from making it; False if one of them does."""
        if self._lock is None:
            file = open_own(self.place / LOCK, append=True)
            if not lock.take(file):
                file.close()
                return False
            self._lock = file
        return True

    def release(self) -> None:
        """Let any Blender make it."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def keep(self, number: int, results: Sequence[Result]) -> None:
        """Write what was made of a picture; never raises: the job itself goes on."""
        try:
            with replacing(self._results(number), private=True, lasting=False) as file:
                for piece in (piece for result in results for piece in messages.encode(result)):
                    file.write(piece)
            self._reason(number).unlink(missing_ok=True)
        except OSError as error:
            log.exception("what a job has made is not on the disk")
            self.trouble = f"What this job makes cannot be kept on the disk: {error.strerror}. Save the file in time."
            return
        self.made.add(number)
        self.failed.pop(number, None)

    def fail(self, number: int, error: AddonError) -> None:
        """Write why not all was made of a picture, unless it is made already; never raises."""
        if number in self.made:  # the picture is gone or has changed: what was made of it must not be lost by that
            return
        self.failed[number] = error
        try:
            told = {"sentence": error.sentence, "advice": error.advice}
            write_json(self._reason(number), told, private=True)
        except OSError:
            log.exception("why a picture failed is not on the disk")

    def results_of(self, number: int) -> list[Result]:
        """What was made of a picture; [] if nothing was, and if its file cannot be read: then it is made again."""
        if number not in self.made:
            return []
        path, found = self._results(number), list[Result]()
        try:
            with path.open("rb") as file:
                while file.tell() < path.stat().st_size:
                    found.append(_result_of(file))
        except (OSError, EOFError, MemoryError, frames.WireError) as error:
            log.warning("“%s” is of no use: %s", path, error)
            self.made.discard(number)
            return []
        return found

    def inputs(self) -> dict[str, NDArray[np.uint8]]:
        """The pictures that go with every picture, by name. Raises `AddonError`."""
        path = self.place / INPUTS
        if not path.exists():
            return {}
        try:
            with np.load(path, allow_pickle=False) as found:
                return dict(found)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            sentence = f"The pictures that go with those of “{self.plan.title}” cannot be read."
            raise AddonError(sentence, "Press Forget, and begin with the folder anew.") from error

    def forget(self) -> None:
        """Delete it, unless another Blender makes it by now."""
        with contextlib.suppress(OSError):  # it is gone already
            if not self.take():
                return
        self.release()
        shutil.rmtree(self.place, ignore_errors=True)

    def _results(self, number: int) -> Path:
        return self.place / f"{number}.frames"

    def _reason(self, number: int) -> Path:
        return self.place / f"{number}.json"


class SavedJobs:
    """The jobs in the folder that `user_folder` has for them."""

    def __init__(self, user_folder: Path) -> None:
        self._folder = user_folder / FOLDER
        self._known: dict[str, SavedJob] = {}
        self._looked_at = -math.inf
        self._complained_of: set[str] = set()

    def new(self, plan: Plan, inputs: Mapping[str, NDArray[np.uint8]]) -> SavedJob:
        """A job that begins, taken by this Blender. inputs: uint8 (H, W, 4). Raises OSError."""
        place = self._folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        make_private_folder(place)
        job = SavedJob(place, plan)
        try:
            job.take()
            if inputs:
                with replacing(place / INPUTS, private=True) as file:
                    np.savez(file, **inputs)
            write_json(place / PLAN, records.fields_of(plan)[0], private=True)
        except OSError:
            job.forget()
            raise
        self._known[job.name] = job
        return job

    def all(self, *, anew: bool = False) -> list[SavedJob]:
        """The jobs that no other Blender makes, the oldest first. anew: look at the disk in any case."""
        return [job for job in self._look(anew=anew) if job.plan is not UNREADABLE]

    def unreadable(self) -> list[SavedJob]:
        """The other jobs: another version has begun them, or their files are damaged."""
        return [job for job in self._look() if job.plan is UNREADABLE]

    def _look(self, *, anew: bool = False) -> list[SavedJob]:
        now = time.monotonic()
        if anew or now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            self._known = {job.name: job for job in self._found()}
        return [job for job in self._known.values() if job.is_there]

    def close(self) -> None:
        """Let any Blender make what this one has begun."""
        for job in self._known.values():
            job.release()

    def _found(self) -> Iterable[SavedJob]:
        try:
            places = sorted(place for place in self._folder.iterdir() if (place / PLAN).is_file())
        except OSError:  # there is none yet
            return
        for place in places:
            job = self._known.get(place.name)
            try:
                if job is None or not job.is_held:
                    job = self._read(place)
            except OSError as error:
                self._complain(place, error)
                continue
            if job:
                yield job

    def _read(self, place: Path) -> SavedJob | None:
        """The job in a folder; None if another Blender makes it. Raises `OSError`."""
        numbers = {path: int(path.stem) for path in place.iterdir() if path.stem.isdecimal()}
        job = SavedJob(place, UNREADABLE, {number for path, number in numbers.items() if path.suffix == ".frames"})
        if not job.take():
            return None
        job.release()
        try:
            document = read_json(place / PLAN, MAX_PLAN)
            plan = records.from_fields(Plan, document if isinstance(document, dict) else {}, {}, "a job")
        except (ValueError, frames.WireError) as error:
            self._complain(place, error)
            return job
        every = range(len(plan.pictures))
        reasons = {number: _reason(path) for path, number in numbers.items() if path.suffix == ".json"}
        failed = {number: reason for number, reason in reasons.items() if reason and number in every}
        return SavedJob(place, plan, job.made.intersection(every), failed)

    def _complain(self, place: Path, error: Exception) -> None:
        if place.name not in self._complained_of:  # once: the panel has it looked for again and again
            log.warning("the job in “%s” is of no use: %s", place, error)
        self._complained_of.add(place.name)


def _reason(path: Path) -> AddonError | None:
    """Why not all was made of a picture; None if the file is damaged, so that it is tried again. Raises `OSError`."""
    try:
        told = read_json(path)
    except ValueError:
        return None
    return AddonError(str(told.get("sentence")), str(told.get("advice"))) if isinstance(told, dict) else None


def _result_of(file: BinaryIO) -> Result:
    """The next result in a file. Raises `OSError`, `EOFError`, `MemoryError` and `WireError`."""

    def exactly(count: int) -> bytearray:
        data = bytearray(count)
        if file.readinto(data) != count:  # pyright: ignore[reportAttributeAccessIssue] - a buffered file has it
            raise EOFError("it is cut off")
        return data

    message = messages.receive({"result": Result}, frames.TO_CLIENT, exactly)
    assert isinstance(message, Result)  # noqa: S101 - no other kind may come
    return message
