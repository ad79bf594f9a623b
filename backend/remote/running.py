# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command of the backend on the other computer, as if it ran here."""

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import BinaryIO

from . import program, ssh
from .scripts import RUN

LINES = 20  # of standard error that are kept
MAX_LINE = 1 << 16  # bytes of standard error that are one line in any case
GRACE_SECONDS = 8.0


class Relayed:
    """A process of ssh whose standard error goes to ours; `said` are its last lines.

    make_room: called before each of them.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        forward: tuple[int, int] | None = None,
        make_room: Callable[[], None] = lambda: None,
    ) -> None:
        device = os.environ.get("HI3DGEN_DEVICE", "")
        self.name = name
        self.said: deque[str] = deque(maxlen=LINES)
        self.process: subprocess.Popen[bytes] = ssh.start(name, RUN, [program.name(), device, *arguments], forward)
        self._make_room = make_room
        self._errors = threading.Thread(target=self._relay, daemon=True)
        self._errors.start()

    @property
    def input(self) -> BinaryIO:
        """Its standard input; the other end ends with it."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        return self.process.stdin  # pyright: ignore[reportReturnType]

    @property
    def output(self) -> BinaryIO:
        """Its standard output."""
        assert self.process.stdout is not None  # noqa: S101
        return self.process.stdout  # pyright: ignore[reportReturnType]

    def end(self, patience: float = GRACE_SECONDS) -> None:
        """Let the other end come to its end, and wait for it; after `patience` seconds the connection is closed."""
        with contextlib.suppress(OSError):
            self.input.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self.process.kill()
        self.process.wait()

    def code(self) -> int:
        """Wait for its end and return the exit code of what ran. Raises `UserError` if it did not come to run."""
        code = self.process.wait()
        self._errors.join()
        if code in ssh.NEVER_RAN:
            raise ssh.failure(self.name, code, self.said)
        return code

    def _relay(self) -> None:
        errors = self.process.stderr
        assert errors is not None  # noqa: S101 - it is a pipe
        while line := errors.readline(MAX_LINE):
            text = line.decode("utf-8", "replace")
            self.said.append(text)
            self._make_room()
            print(text, end="", file=sys.stderr, flush=True)


def _print(line: str) -> None:
    print(line, end="", flush=True)


def run(
    name: str,
    arguments: Sequence[str],
    hear: Callable[[str], None] = _print,
    make_room: Callable[[], None] = lambda: None,
) -> int:
    """Run `python -m backend ARGUMENTS` there; what it prints is printed here. Returns its exit code.

    hear: gets each line of its standard output instead, with its end. make_room: called before each line of its
    standard error.

    It is given no input. An interrupt interrupts it there, too. Raises `UserError` if it does not come to run.
    """
    relayed = Relayed(name, ["run", *arguments], make_room=make_room)
    try:
        for line in relayed.output:
            hear(line.decode("utf-8", "replace"))
        return relayed.code()
    except BaseException:
        relayed.end()
        raise
