# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a backend: a record is one line, whatever text from outside it holds, and a file of it is bounded."""

import logging
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TextIO

from .safe_files import MAX_LOG, open_log

MAX_LINE = 2_000  # characters
MAX_TRACEBACK = 200  # lines
STANDARD_ERROR = 2
LEVELS = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}

_ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)  # as logging hands it over


def start(path: Path | None, *, private: bool = True, level: str = "info") -> None:
    """Log to standard error; if a path is given, turn standard error into that file first, and bound it.

    The file then also holds what libraries print. Several processes may log to it. private: only this user can read it.
    level: a key of `LEVELS`. Raises `OSError` if it cannot be opened.
    """
    handler = logging.StreamHandler(sys.stderr) if path is None else _Handler(ErrorFile(path, private=private))
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=LEVELS[level], handlers=[handler])


class OneLine(logging.Formatter):
    """A record is one line of printable characters; a traceback follows in indented lines.

    So no text that comes from outside, such as a client's name, can look like another record.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The record's line."""
        return _printable(super().formatMessage(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """The last lines of the traceback."""
        lines = super().formatException(ei).splitlines()[-MAX_TRACEBACK:]
        return "\n".join(f"    {_printable(line)}" for line in lines)


class Lines(logging.Handler):
    """Keeps what is logged until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._kept.append(self.format(record))

    def taken(self) -> str:
        """All lines since the last time."""
        lines, self._kept = self._kept, []
        return "".join(f"{line}\n" for line in lines)


class ErrorFile:
    """Standard error, turned into a file that begins anew when it is full. Raises `OSError` if it cannot be opened."""

    def __init__(self, path: Path, *, private: bool = True) -> None:
        self._path = path
        self._private = private
        self._open()

    def make_room(self) -> None:
        """Begin anew if it is full; called before each line. Never raises for a file."""
        if os.fstat(STANDARD_ERROR).st_size > MAX_LOG:
            try:
                self._open()
            except OSError:
                os.ftruncate(STANDARD_ERROR, 0)

    def _open(self) -> None:
        with open_log(self._path, private=self._private) as file:
            os.dup2(file.fileno(), STANDARD_ERROR)


class _Handler(logging.StreamHandler[TextIO]):
    """Logs to standard error, which is a file."""

    def __init__(self, file: ErrorFile) -> None:
        super().__init__(sys.stderr)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        self._file.make_room()
        super().emit(record)


def _printable(text: str) -> str:
    """`text` with escapes for everything but printable characters and spaces, cut if it is too long for a line."""
    cut = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
