# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: every picture's request and state, on disk, shared by all processes that work on a batch.

It is the only truth: what is in memory here is what its lines say, and a state counts once its line is written.
docs/batch.md describes the file.
"""

import contextlib
import dataclasses
import errno
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from ..errors import UserError
from ..wire.limits import MAX_COUNT, MAX_SEED
from .journal import MANIFEST, Journal, Record, sentences
from .lines import PICTURE
from .names import is_inside
from .places import OwnFolder, Place
from .workers import Worker

WORK = ".batch"
FORMAT = 1
BATCH = "batch"
RESULTS = "results"  # of the first line: where they lie, if not in the folder
STAGED = "staged"  # of the first line: below which name results are staged there
_STAY = ("request", "files")  # what a line that does not mention them leaves as it was
_TOKEN = re.compile("[0-9a-f]{16}")
_SLACK = 64  # lines that may be superseded before the file is written anew


class State(StrEnum):
    """Where a picture is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one picture.

    name: of its results, relative to the folder, with "/". request: what is to be made, as JSON; `request["inputs"]`
    are the files that are read, relative to the folder. files: all that lies in the folder of it, also of an earlier
    request until it is made again.

    worker: who makes it. fingerprints: of the files that were read, by input. error: code, sentence and advice, if it
    failed. at: when the line was written, in UTC.
    """

    name: str
    request: Mapping[str, Any]
    state: State = State.WAITING
    files: tuple[str, ...] = ()
    worker: str = ""
    fingerprints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    code: str = ""
    sentence: str = ""
    advice: str = ""
    at: str = ""


_FIELDS = {item.name: item.default for item in dataclasses.fields(Entry)}
_KINDS = dict.fromkeys(_FIELDS, str) | {
    "request": dict,
    "fingerprints": dict,
    "seconds": (int, float),
    "files": (list, tuple),
    "notes": (list, tuple),
}


class Manifest:
    """The manifest of the folder `out`, opened by one process. Use it as a context.

    kind: who made the folder; only a batch's objects need a picture. place: where the results lie, if not in `out`.
    Raises `UserError` if the folder cannot be made or written to, or holds something that nobody of this kind has made,
    or is of a batch whose results lie elsewhere.
    """

    def __init__(self, out: Path, kind: str = BATCH, place: Place | None = None) -> None:
        self.out = Path(os.path.realpath(out))
        self.place: Place = place or OwnFolder(self.out)
        self._header: dict[str, Any] = {"hi3dgen": kind, "format": FORMAT}
        if self.place.url:
            self._header |= {RESULTS: self.place.url, STAGED: secrets.token_hex(8)}
        self._needed = (PICTURE,) if kind == BATCH else ()
        self.entries: dict[str, Entry] = {}
        self._journal = Journal(self.out / MANIFEST, self.out / WORK / "lock")
        _prepare(out)
        # Half a line at the manifest's end is cut off, and files in the folders are deleted: never through a link.
        refuse_links(self.out / MANIFEST, self.out / WORK / "workers", self.out / WORK / "tiles")
        with self._journal.locked() as news:
            with sentences(out, "written to"):
                self.worker = Worker(self.out / WORK / "workers")
            try:
                self._open(news)
            except BaseException:
                self.worker.leave()
                raise

    @property
    def batch(self) -> str:
        """The name below which results are staged, if they do not lie in `out`: other batches may have the same URL."""
        return self._header.get(STAGED, "")

    def _open(self, news: list[Record]) -> None:
        if self._journal.count == 0:
            self._journal.append([self._header])
        elif any(news[0].get(key) != self._header[key] for key in ("hi3dgen", "format")):
            sentence = f"“{self._journal.path}” is no manifest of this version."
            raise UserError("bad-manifest", sentence, "Give a new folder.")
        elif (url := str(news[0].get(RESULTS, ""))) != self.place.url:
            sentence = f"The results of the batch in “{self.out}” go to “{url or self.out}”."
            raise UserError("bad-output", sentence, "Say so again by --results, or give another folder.")
        self._apply(news[1:])
        unnamed = news and self.place.url and not _TOKEN.fullmatch(str(news[0].get(STAGED, "")))
        if news and self.place.url and not unnamed:
            self._header[STAGED] = news[0][STAGED]
        living = self.worker.others()
        if not living:
            self._sweep()
        if not living and (unnamed or self._journal.count > len(self.entries) + 1 + _SLACK):
            self._compact()
        dead = [e for e in self.entries.values() if e.state is State.RUNNING and e.worker not in living]
        self.write(*(_waiting(entry) for entry in dead))

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Have the manifest alone, and know what the other processes have written. Raises `UserError`."""
        with self._journal.locked() as news:
            self._apply(news)
            yield

    def write(self, *entries: Entry, lasting: bool = False) -> None:
        """Set the state of pictures; call it in `locked`. Raises `UserError`."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        records = [_record(dataclasses.replace(entry, at=now), self.entries.get(entry.name)) for entry in entries]
        if records:
            self._journal.append(records, lasting=lasting)
            self._apply(records)

    def claim(self, name: str) -> Entry | None:
        """Take a picture that waits, for this process alone; None if it does not wait. Raises `UserError`."""
        with self.locked():
            entry = self.entries[name]
            if entry.state is not State.WAITING:
                return None
            self.write(dataclasses.replace(entry, state=State.RUNNING, worker=self.worker.name))
            return self.entries[name]

    def release(self) -> None:
        """Let all pictures wait that this process has claimed and not ended. Raises `UserError`."""
        with self.locked():
            mine = [entry for entry in self.entries.values() if entry.worker == self.worker.name]
            self.write(*(_waiting(entry) for entry in mine if entry.state is State.RUNNING))

    def path(self, relative: str) -> Path:
        """An absolute path of one that the manifest names."""
        return Path(os.path.normpath(self.out / relative))

    def holds(self, path: Path) -> bool:
        """Whether a path lies in the folder once all links on the way to it are followed."""
        return Path(os.path.realpath(path.parent)).is_relative_to(self.out)

    def close(self) -> None:
        """Release what is claimed, and leave one line a picture if nobody else works on it. Raises `UserError`."""
        self.release()
        with self.locked():
            if not self.worker.others():
                self._sweep()
                if self._journal.count > len(self.entries) + 1:
                    self._compact()
            self.worker.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sweep(self) -> None:
        with contextlib.suppress(OSError):  # what is left there harms nobody
            self.place.sweep(self.batch)

    def _compact(self) -> None:
        self._journal.rewrite([self._header, *(_record(entry, None) for entry in self.entries.values())])

    def _apply(self, records: list[Record]) -> None:
        for record in records:
            try:
                before = self.entries.get(record["name"])
                kept = {key: getattr(before, key) for key in _STAY} if before else {}
                entry = Entry(**(kept | _typed(record, self._needed)))
            except (KeyError, TypeError, ValueError) as error:
                sentence = f"“{self._journal.path}” has an invalid line: {str(dict(record))[:120]}"
                raise UserError("bad-manifest", sentence, "Restore the file, or give a new folder.") from error
            self.entries[entry.name] = entry


def _prepare(out: Path) -> None:
    """Make the folder, and refuse one that holds something which no batch has made. Raises `UserError`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        foreign = [] if (out / MANIFEST).exists() else [name for name in os.listdir(out) if not name.startswith(".")]  # noqa: PTH208
        (out / WORK).mkdir(exist_ok=True)
    except OSError as error:
        sentence = f"The folder “{out}” cannot be made or written to: {error.strerror or type(error).__name__}."
        raise UserError("bad-output", sentence, "Choose another.") from error
    if foreign:
        sentence = f"“{out}” holds something that no batch has made: “{min(foreign)}”."
        raise UserError("bad-output", sentence, "Give a folder that is new or empty, or that of an earlier batch.")


def refuse_links(*paths: Path) -> None:
    """Raise `UserError` if a path is a link or leads through one."""
    for path in paths:
        if Path(os.path.realpath(path)) != path:
            sentence = f"“{path}” is a link, or leads through one."
            raise UserError("bad-output", sentence, "Remove that link, or give another folder.")


def _waiting(entry: Entry) -> Entry:
    return Entry(entry.name, entry.request, files=entry.files)


def _record(entry: Entry, before: Entry | None) -> Record:
    """The line that makes `entry` of what the lines before it say."""
    record: dict[str, Any] = {"name": entry.name, "state": str(entry.state)}
    for key, default in _FIELDS.items():
        value = getattr(entry, key)
        known = getattr(before, key) if before and key in _STAY else default
        if key not in record and value != known:
            record[key] = value
    return record


def _typed(record: Record, needed: Sequence[str]) -> dict[str, Any]:
    """A line's values as an entry's. Raises KeyError, TypeError and ValueError if one is invalid.

    needed: the inputs that every request has.
    The file may come from anywhere, and what it names is replaced and removed: none of it may lie outside the folder.
    """
    values = {key: value for key, value in record.items() if key in _FIELDS}
    request = values.get("request")
    valid = (
        all(isinstance(value, _KINDS[key]) for key, value in values.items())
        and all(is_inside(path) for path in (values["name"], *values.get("files", ())))
        and all(isinstance(each, dict) for each in values.get("fingerprints", {}).values())
        and (request is None or _is_request(request, needed))
    )
    if not valid:
        raise ValueError("a value is invalid")
    values["state"] = State(values["state"])
    values |= {key: tuple(values[key]) for key in ("files", "notes") if key in values}
    return values


def _is_request(request: Mapping[str, Any], needed: Sequence[str]) -> bool:
    """Whether it has what every request has. Raises KeyError and TypeError."""
    inputs = request["inputs"]
    return (
        isinstance(inputs, dict)
        and all(isinstance(path, str) for path in (*(inputs[name] for name in needed), *inputs.values()))
        and request["seed"] in range(MAX_SEED + 1)
        and request["count"] in range(1, MAX_COUNT + 1)
        and isinstance(request["products"], list)
    )


def relative_path(path: Path, out: Path) -> str:
    """A path relative to the folder, with "/"; absolute if there is no way from one to the other."""
    real = Path(os.path.realpath(path.parent), path.name)  # the name stays, also of a link
    try:
        return Path(os.path.relpath(real, out)).as_posix()
    except ValueError:  # on another drive of Windows
        return real.as_posix()


def fingerprint(path: Path) -> dict[str, Any]:
    """What a file is now: its SHA-256, its size in bytes, and when it was changed (ns). Raises OSError.

    Take it before the file is read: if it changes meanwhile, the fingerprint does not fit, and it is read again.
    """
    mark = _mark(path)
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), **mark}


def fingerprints(paths: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """The fingerprints of files, by name; without those that cannot be read: whoever reads them says why."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, path in paths.items():
        with contextlib.suppress(OSError):
            found[name] = fingerprint(Path(path))
    return found


def same_fingerprint(path: Path, known: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The fingerprint of a file if its content is the known one, else None; read only if its time has changed."""
    try:
        mark = _mark(path)
        if all(known.get(key) == value for key, value in mark.items()):
            return known
        if known.get("size") != mark["size"]:
            return None
        new = fingerprint(path)
    except OSError:
        return None
    return new if new["sha256"] == known.get("sha256") else None


def _mark(path: Path) -> dict[str, int]:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    return {"size": found.st_size, "changed": max(found.st_mtime_ns, found.st_ctime_ns)}
