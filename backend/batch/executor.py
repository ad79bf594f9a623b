# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of a batch on this machine, one after the other or several at once, in processes of their own.

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
import logging
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ..errors import UserError
from ..log import Lines
from ..safe_files import open_log
from .running import Ended, Executor, Progressed, Task
from .worker import Start

_LISTEN_SECONDS = 0.5  # on Windows, Ctrl-C comes through only between two waits


class LocalExecutor:
    """An `Executor`. command: starts a child, which calls `worker.work`; `log`, its log, is added to it.

    processes: how many children there are at most.
    """

    def __init__(self, command: Sequence[str], log: Path, processes: int = 1) -> None:
        self._command = command
        self._log = log
        self._processes = processes

    def __call__(self, tasks: Iterator[Task], progressed: Progressed) -> Generator[Ended, None, None]:
        """See `Executor`. Raises `UserError` (not-started) if a child does not start."""
        heard: _Heard = queue.SimpleQueue()
        idle: list[_Child] = []
        busy: list[_Child] = []
        try:
            while True:
                while len(busy) < self._processes and (task := next(tasks, None)) is not None:
                    busy.append(idle.pop() if idle else _Child(self._command, self._log, heard))
                    busy[-1].give(task)
                if not busy:
                    return
                child, message = _next(heard)
                if message is None and child in idle:
                    idle.remove(child)
                    child.kill()
                if child not in busy:  # the end of one that was killed
                    continue
                ended, goes_on = child.hear(message, progressed)
                if ended is None:
                    continue
                busy.remove(child)
                if goes_on:
                    idle.append(child)
                else:
                    child.kill()
                yield ended
        finally:
            for child in (*busy, *idle):
                child.kill()


def one_by_one(start: Start, log: Path) -> Executor:
    """An `Executor` that makes tasks in this process, for what takes less than a process takes to start.

    start: is called once there is a task. log: gets what is logged of mistakes of ours.
    """

    def execute(tasks: Iterator[Task], _progressed: Progressed) -> Generator[Ended, None, None]:
        make = None
        lines = Lines()
        lines.setLevel(logging.ERROR)
        logging.getLogger().addHandler(lines)
        try:
            for task in tasks:
                make = make or start()
                ended = make(task, lambda _message: None)
                if text := lines.taken():
                    with open_log(log, private=False) as file:
                        file.write(text.encode())
                yield ended
        finally:
            logging.getLogger().removeHandler(lines)

    return execute


class _Child:
    """A process that makes one task at a time; what it says goes into `heard`."""

    def __init__(self, command: Sequence[str], log: Path, heard: "_Heard") -> None:
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
        self._log = log
        self._is_ready = False
        self._name = ""
        self._started = 0.0
        threading.Thread(target=self._listen, args=(self._process.stdout, heard), daemon=True).start()

    def give(self, task: Task) -> None:
        """Let it make a task; it need not be ready yet."""
        self._name, self._started = task.name, time.monotonic()
        with contextlib.suppress(OSError):  # it has ended, which is heard
            self._tasks.write(json.dumps({"task": dataclasses.asdict(task)}).encode() + b"\n")
            self._tasks.flush()

    def hear(self, message: "_Message | None", progressed: Progressed) -> tuple[Ended | None, bool]:
        """How the task has ended, if it has, and whether the child makes another; message: None if the child ended.

        Raises `UserError` if the child ended before it was ready.
        """
        if message is None and not self._is_ready:
            sentence = "The process that makes the pictures ended before it was ready."
            raise UserError("not-started", sentence, f"“{self._log}” says why.")
        if message is None:
            sentence = f"The process that made it ended unexpectedly{self._how()}."
            advice = "Often the memory was not enough: close other programs, or choose a lower resolution."
            seconds = time.monotonic() - self._started
            return Ended(self._name, seconds=seconds, code="process-died", sentence=sentence, advice=advice), False
        if "progress" in message:
            progressed(*message["progress"])
        elif "ended" in message:
            end = message["ended"]
            return Ended(**(end | {"notes": tuple(end["notes"])})), not message["last"]
        else:
            self._is_ready, self._started = True, time.monotonic()
        return None, True

    def kill(self) -> None:
        """End the child at once: it writes into folders that nobody else reads."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._tasks.close()

    def _how(self) -> str:
        code = self._process.wait()
        with contextlib.suppress(ValueError):
            return f" ({signal.Signals(-code).name})" if code < 0 else f" (exit code {code})"
        return ""

    def _listen(self, stream: IO[bytes], heard: "_Heard") -> None:
        with stream:
            for line in stream:
                try:
                    heard.put((self, json.loads(line)))
                except ValueError:  # half a line: the child was killed in its middle
                    break
        heard.put((self, None))


_Message = Mapping[str, Any]
_Heard = queue.SimpleQueue[tuple[_Child, _Message | None]]


def _next(heard: _Heard) -> tuple[_Child, _Message | None]:
    """Wait for the next message of any child."""
    while True:
        with contextlib.suppress(queue.Empty):
            return heard.get(timeout=_LISTEN_SECONDS)
