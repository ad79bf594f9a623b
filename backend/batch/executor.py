# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of a batch on this machine, one after the other, in a process of its own.

A process of its own, because a picture can end it: the system ends a process that takes too much memory, and a driver
may take it down. That costs this picture alone; the next one gets a new process. It costs a start a batch, and keeps
the cache and the networks from picture to picture.

The two talk in JSON, a line a message, over the child's standard input and output. To the child: `{"task": {...}}`. To
the parent: `{"ready": true}` once, `{"progress": [name, label, done]}`, and `{"ended": {...}, "last": bool}`, after
which, if it is the last, the child ends. The child also ends as soon as its standard input does, which it does with the
parent, however that ends.
"""

import contextlib
import dataclasses
import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ..errors import UserError
from ..safe_files import open_log
from .running import Ended, Progressed, Task

_LISTEN_SECONDS = 0.5  # on Windows, Ctrl-C comes through only between two waits


class LocalExecutor:
    """An `Executor`. command: starts the child, which calls `worker.work`; `log`, its log, is added to it."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self._log = log

    def __call__(self, tasks: Iterator[Task], progressed: Progressed) -> Generator[Ended, None, None]:
        """See `Executor`. Raises `UserError` (not-started) if the child does not start."""
        child: _Child | None = None
        try:
            for task in tasks:
                if child is None:
                    child = _Child(self._command, self._log)
                ended, goes_on = child.make(task, progressed)
                if not goes_on:
                    child.kill()
                    child = None
                yield ended
        finally:
            if child is not None:
                child.kill()


class _Child:
    def __init__(self, command: Sequence[str], log: Path) -> None:
        try:
            with open_log(log, private=False) as errors:
                self._process = subprocess.Popen(
                    [*command, str(log)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,  # Ctrl-C is for the parent, which ends the child
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                )
        except OSError as error:
            sentence = f"The process that makes the pictures cannot be started: {error.strerror or error}."
            raise UserError("not-started", sentence, "Look at Python's installation.") from error
        assert self._process.stdin is not None  # noqa: S101 - Popen was asked for pipes
        assert self._process.stdout is not None  # noqa: S101
        self._tasks = self._process.stdin
        self._heard: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._process.stdout, self._heard), daemon=True).start()
        try:
            ready = self._next()
        except BaseException:
            self.kill()
            raise
        if ready is None:
            self.kill()
            sentence = "The process that makes the pictures ended before it was ready."
            raise UserError("not-started", sentence, f"“{log}” says why.")

    def make(self, task: Task, progressed: Progressed) -> tuple[Ended, bool]:
        """How the task ended, and whether the child makes another."""
        started = time.monotonic()
        with contextlib.suppress(OSError):  # it has ended, which is heard below
            self._tasks.write(json.dumps({"task": dataclasses.asdict(task)}).encode() + b"\n")
            self._tasks.flush()
        while (message := self._next()) is not None:
            if "progress" in message:
                progressed(*message["progress"])
            else:
                end = message["ended"]
                return Ended(**(end | {"notes": tuple(end["notes"])})), not message["last"]
        sentence = f"The process that made it ended unexpectedly{self._how()}."
        advice = "Often the memory was not enough: close other programs, or choose a lower resolution."
        seconds = time.monotonic() - started
        return Ended(task.name, seconds=seconds, code="process-died", sentence=sentence, advice=advice), False

    def kill(self) -> None:
        """End the child at once: it writes into folders that nobody else reads."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._tasks.close()

    def _next(self) -> Mapping[str, Any] | None:
        """The child's next message; None if it has ended."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=_LISTEN_SECONDS)

    def _how(self) -> str:
        code = self._process.wait()
        with contextlib.suppress(ValueError):
            return f" ({signal.Signals(-code).name})" if code < 0 else f" (exit code {code})"
        return ""


def _listen(stream: IO[bytes], heard: "queue.SimpleQueue[Mapping[str, Any] | None]") -> None:
    with stream:
        for line in stream:
            try:
                heard.put(json.loads(line))
            except ValueError:  # half a line: the child was killed in its middle
                break
    heard.put(None)
