# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of JSON lines to which several processes append, and which is whole whenever one of them is killed.

Whoever reads or writes it has its lock, which the system gives back when a process ends. A line counts once its end is
on the disk; half a line, which a full disk or a failing computer leaves behind, is cut off by whoever comes next.
"""

import contextlib
import json
import os
import time
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..lock import take
from ..safe_files import open_own, replacing

MANIFEST = "manifest.jsonl"
_WAIT_SECONDS = 0.005
_BINARY = getattr(os, "O_BINARY", 0)  # of Windows

Record = Mapping[str, Any]


class Journal:
    """The lines of `path`; `lock` is the file that is locked meanwhile. `count` lines have been read or written."""

    def __init__(self, path: Path, lock: Path) -> None:
        self.path = path
        self.count = 0
        self._lock = lock
        self._offset = 0

    @contextlib.contextmanager
    def locked(self) -> Generator[list[Record]]:
        """Have the file alone; yields the lines that have come since the last time.

        Raises `UserError` if it cannot be read.
        """
        with alone(self._lock):
            with sentences(self.path, "read"):
                news = self._news()
            yield news

    def append(self, records: Iterable[Record], *, lasting: bool = False) -> None:
        """Write lines, all before this returns; call it in `locked`. Raises `UserError`.

        lasting: they are on the disk then, and outlive a failing computer.
        """
        lines = [encoded(record) for record in records]
        data = b"".join(lines)
        with sentences(self.path, "written"):
            number = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY, 0o666)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(number, rest) :]
                if lasting:
                    os.fsync(number)
            finally:
                os.close(number)
        self._offset += len(data)
        self.count += len(lines)

    def rewrite(self, records: Iterable[Record]) -> None:
        """Put other lines in place of all, by renaming; call it in `locked`, if no other process reads on.

        Raises `UserError`.
        """
        lines = [encoded(record) for record in records]
        with sentences(self.path, "written"), replacing(self.path) as file:
            file.write(b"".join(lines))
        self._offset = sum(map(len, lines))
        self.count = len(lines)

    def _news(self) -> list[Record]:
        try:
            file = self.path.open("r+b")
        except FileNotFoundError:
            return []
        with file:
            file.seek(self._offset)
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(self._offset + whole)
        lines = data[:whole].split(b"\n")[:-1]
        records = [self._decoded(line, self.count + number) for number, line in enumerate(lines, 1)]
        self._offset += whole
        self.count += len(lines)
        return records

    def _decoded(self, line: bytes, number: int) -> Record:
        try:
            record: object = json.loads(line.decode())
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            sentence = f"Line {number} of “{self.path}” is invalid."
            raise UserError("bad-manifest", sentence, "Restore the file, or give a new folder.")
        return record


@contextlib.contextmanager
def alone(lock: Path) -> Generator[None]:
    """Hold the lock of a file, and wait for whoever has it. Raises `UserError`."""
    with contextlib.ExitStack() as stack:
        with sentences(lock, "locked"):
            file = stack.enter_context(open_own(lock, append=True, private=False))
            while not take(file):
                time.sleep(_WAIT_SECONDS)
        yield


def encoded(record: Record) -> bytes:
    """A record as a line: UTF-8, as long as it can be."""
    try:
        return f"{json.dumps(record, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:  # the name of a file that is no text
        return f"{json.dumps(record)}\n".encode()


@contextlib.contextmanager
def sentences(path: Path, done: str) -> Generator[None]:
    """Raise `UserError` for an OSError: the file could not be “read”, “written”, …: `done`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError("bad-output", f"“{path}” could not be {done}: {reason}.", "Choose another folder.") from error
