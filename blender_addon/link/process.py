# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend process: a Python running `-m backend serve`, as docs/wire.md ("Starting the backend") says.

The Python is that of the engine's own environment if there is one that works, else Blender's.

Starting takes a good part of a second, and ending as long as the backend needs: threads do both. What happens is read
from `events` on the main thread.
"""

import contextlib
import json
import logging
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...backend.safe_files import older_log, open_log
from ...backend.wire.client import Client
from ..errors import AddonError
from .child import launch
from .data_folder import data_folder
from .environment import INSTALL_AGAIN, installed

log = logging.getLogger(__name__)

START_SECONDS = 60.0
END_SECONDS = 3.0
OFFLINE = "Blender is not allowed to go online."
GO_ONLINE = "Switch on Allow Online Access in Preferences > System > Network."
LOG_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Options:
    """What a backend is told when it starts.

    idle_seconds: how long it lives without a job, 0 for ever. cache_bytes: the memory of results that it remembers.
    log_level: "warning", "info" or "debug". device: torch's name of what engines compute on, such as "cuda:1"; empty
    for the best. upscaler: the file of weights by which pictures are enlarged; empty for none. computer: what ssh calls
    the computer that it runs on; empty for this one. online: whether Blender may use the network, without which there
    is no other computer.
    """

    idle_seconds: float = 0.0
    cache_bytes: int = 512_000_000
    log_level: str = "info"
    device: str = ""
    upscaler: str = ""
    computer: str = ""
    online: bool = True


@dataclass(frozen=True)
class Started:
    """The backend runs and listens."""

    client: Client


@dataclass(frozen=True)
class NotStarted:
    """The backend could not be started. error: why, if more than the log knows it."""

    error: AddonError | None = None


class BackendProcess:
    """One run of the backend, from its start to its end.

    extension: the folder that the child imports the backend from and never writes to. user_folder: where its log and
    its bytecode go. `in_environment`: whether it runs in the engine's environment, or on another computer, where it
    may; `trouble` says why not although there is one.
    """

    def __init__(self, extension: Path, user_folder: Path, options: Options) -> None:
        self.in_environment = False
        self.trouble = ""
        self.options = options
        self.events: queue.SimpleQueue[Started | NotStarted] = queue.SimpleQueue()
        self._extension = extension
        self._user_folder = user_folder
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.Lock()  # between the start in its thread and an early end
        self._tie: object = None
        threading.Thread(target=self._start, name="hi3dgen start", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process's id, or None before it has one."""
        return self._child.pid if self._child else None

    def end(self, patience: float = END_SECONDS) -> None:
        """Let the process end, and kill it if it has not after `patience` seconds. Returns at once; a thread waits.

        If Blender quits before the thread is done, the process still ends: its standard input closes with Blender.
        """
        self._ended = True
        with contextlib.suppress(RuntimeError):  # Python itself is ending, and starts no more threads
            threading.Thread(target=self._end, args=(patience,), name="hi3dgen end", daemon=True).start()

    def _end(self, patience: float) -> None:
        with self._lock:
            child = self._child
        if child is None:
            return
        with contextlib.suppress(OSError):  # it died before it had read its orders, which are still to be flushed
            child.stdin.close()  # pyright: ignore[reportOptionalMemberAccess] - the backend ends on this end of file
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _start(self) -> None:
        try:
            started = self._started()
        except Exception as error:  # noqa: BLE001 - every failure must reach the session
            reason = f"the backend did not start: {error}"
            try:
                if not self._ended:
                    note(self._user_folder, reason)
            finally:
                self.events.put(NotStarted(error.anew() if isinstance(error, AddonError) else None))
        else:
            _drain(started.stdout if started else None)

    def _started(self) -> subprocess.Popen[bytes] | None:
        """Start it in the engine's environment, else by Blender's Python; None if `end` was faster.

        On another computer it is that one's own choice; what leads there is run by Blender's Python.
        """
        own = Path(sys.executable)
        if self.options.computer:
            self.in_environment = True
            if not self.options.online:
                raise AddonError(OFFLINE, GO_ONLINE)
            return self._start_by(own)
        environment = installed(data_folder(self._user_folder))
        self.trouble = environment.trouble
        if environment.python is None:
            return self._start_by(own)
        try:
            self.in_environment = True
            return self._start_by(environment.python)
        except Exception as error:  # noqa: BLE001 - one that answers nonsense is as broken as one that is not there
            self.in_environment = False
            self.trouble = f"The engine's environment does not start. {INSTALL_AGAIN}"
            note(self._user_folder, f"the engine's environment did not start: {error}")
            if self._child:
                self._child.kill()
            return self._start_by(own)

    def _start_by(self, python: Path) -> subprocess.Popen[bytes] | None:
        """Start it and report it; None if `end` was faster. Raises what says that it did not start."""
        child = self._launch(python)
        if child:
            token = secrets.token_hex(32)
            log_path = str(log_file(self._user_folder).absolute())
            orders = {
                "token": token,
                "idle_seconds": self.options.idle_seconds,
                "cache_bytes": self.options.cache_bytes,
                "log": log_path,
                "log_level": self.options.log_level,
            }
            port = _shake_hands(child, orders)
            self.events.put(Started(Client(port, token, f"Blender, process {os.getpid()}")))
        return child

    def _launch(self, python: Path) -> subprocess.Popen[bytes] | None:
        """Start the child; None if `end` was faster."""
        _forget_old_logs(self._user_folder)
        with self._lock, open_log(log_file(self._user_folder)) as errors:
            if self._ended:
                return None
            self._child, self._tie = launch(
                python,
                ["remote", "serve", self.options.computer] if self.options.computer else ["serve"],
                self._extension,
                self._user_folder,
                errors,
                stdin=subprocess.PIPE,
                device=self.options.device,
                upscaler=self.options.upscaler,
            )
        return self._child


def log_file(user_folder: Path) -> Path:
    """Where the log of this Blender's backend is; other Blenders that share the folder have their own."""
    return user_folder / f"backend-{os.getpid()}.log"


def note(user_folder: Path, reason: str) -> None:
    """Write a line into the log, and into Python's; not being able to is no error."""
    log.warning(reason)
    with contextlib.suppress(OSError), open_log(log_file(user_folder)) as file:
        file.write(f"{reason}\n".encode("utf-8", "replace"))


def log_tail(user_folder: Path, lines: int) -> list[str]:
    """The last lines of the log, also after the process has ended; empty if there is none.

    The backend begins a new file when the log grows large, and keeps the one before it (docs/wire.md, "The log").
    """
    now = log_file(user_folder)
    return [*tail(older_log(now), lines), *tail(now, lines)][-lines:]


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file of text; empty if it cannot be read."""
    with contextlib.suppress(OSError):
        return path.read_bytes()[-64_000:].decode("utf-8", "replace").splitlines()[-lines:]
    return []


def _forget_old_logs(user_folder: Path) -> None:
    for path in user_folder.glob("backend-*.log"):
        with contextlib.suppress(OSError):  # another Blender may be faster, or hold it open
            if time.time() - path.stat().st_mtime > LOG_SECONDS:
                path.unlink()


def _shake_hands(child: subprocess.Popen[bytes], orders: dict[str, object]) -> int:
    """Hand the orders over and return the port. Raises if the child is no backend; an `AddonError` if it says why."""
    assert child.stdin is not None  # noqa: S101 - Popen was asked for pipes
    assert child.stdout is not None  # noqa: S101
    deadline = threading.Timer(START_SECONDS, child.kill)
    deadline.start()
    try:
        child.stdin.write(json.dumps(orders).encode() + b"\n")
        child.stdin.flush()
        line = child.stdout.readline()
    finally:
        deadline.cancel()
    if not line:
        raise OSError(f"the process ended with the exit code {child.wait()}")
    answer = json.loads(line)
    if "error" in answer:
        raise AddonError(answer["sentence"], answer["advice"], in_log=True, code=answer["error"])
    return int(answer["port"])


def _drain(pipe: IO[bytes] | None) -> None:
    """Read and drop what a stray print writes: a full pipe would block the backend."""
    while pipe is not None and pipe.read(4096):
        pass
