# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting up the engine “Networks”: commands of the backend as child processes, followed line by line.

What the children print is specified in backend/commands/progress.py. Everything here happens on the main thread, in
`tick`, but for the reading of their output; bpy is not needed.
"""

import contextlib
import json
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...backend.folders import size
from ...backend.safe_files import open_log
from ...backend.weights.catalogue import EVERY
from ..errors import AddonError
from .child import launch
from .data_folder import data_folder
from .environment import installed
from .saved_jobs import FOLDER

LOG = "setup.log"
FOLDER_JOBS, LOGS = OWN = ("folder jobs", "logs")  # places in this Blender's extension's folder, whoever does the work
GRACE_SECONDS = 10.0
_WAIT_SECONDS = 0.02

Message = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """How far a child is: `done` of `of` bytes or steps (`of` is 0 if unknown), and how many a second."""

    label: str = "Starting"
    done: int = 0
    of: int = 0
    per_second: float = 0.0
    unit: str = "steps"


class Child:
    """One run of a command of the backend. Raises `AddonError` if it cannot be started."""

    def __init__(
        self, python: Path, arguments: list[str], extension: Path, user_folder: Path, device: str = ""
    ) -> None:
        self.step = Step()
        self.answer: Message = {}
        self.error: AddonError | None = None
        self._log = user_folder / LOG
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._cancelled_at = 0.0
        try:
            with open_log(self._log) as errors:
                self._process, self._tie = launch(python, arguments, extension, user_folder, errors, device=device)
        except Exception as error:  # whatever it is, the artist must not wait for an answer
            sentence = f"The backend's command “{arguments[0]}” could not be started: {error}."
            raise AddonError(
                sentence, "Restart Blender; if that does not help, install the extension again."
            ) from error
        self.live = True
        threading.Thread(target=self._read, name="hi3dgen setup", daemon=True).start()

    def tick(self) -> None:
        """Take in what it has printed; never waits."""
        while self.live:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                break
            if line is None:
                self._end()
            else:
                self._hear(line)
        if self.live and self._cancelled_at and time.monotonic() - self._cancelled_at > GRACE_SECONDS:
            self._process.kill()

    def cancel(self) -> None:
        """Let it end soon; what it has downloaded stays."""
        self._cancelled_at = self._cancelled_at or time.monotonic()
        if sys.platform == "win32":
            self._tie = None  # which ends it and its children: Windows has no interrupt for one process alone
        else:
            self._process.send_signal(signal.SIGINT)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._process.wait()
        self._lines.put(None)

    def _hear(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return  # a stray print of a library
        if not isinstance(message, dict):
            return
        if "label" in message:
            self.step = Step(**{name: message[name] for name in Step.__dataclass_fields__ if name in message})
        elif "error" in message:
            code = message["error"]
            self.error = AddonError(message.get("sentence", ""), message.get("advice", ""), in_log=True, code=code)
        else:
            self.answer = message

    def _end(self) -> None:
        self.live = False
        if self._cancelled_at:
            self.error = AddonError("It was cancelled.", "What was downloaded completely stays for the next time.")
        elif self.error is None and (self._process.returncode != 0 or not self.answer):
            self.error = AddonError("It ended unexpectedly.", f"Please report what “{self._log}” says.", in_log=True)


@dataclass
class Setup:
    """What is known of the engine's environment and weights, and what is being done about them.

    `asked`: whether the questions `install --plan`, `weights list`, `storage` and `doctor` were put since something
    changed. `plan`, `weights`, `places` (by name) and `doctor` are the answers, empty while they are not known;
    `plan_error` says why nothing can be installed, `weights_error` why it is not known which weights are here,
    `places_error` how large things are, `doctor_error` what can run here. `work` is the child that runs or ran last.
    `renewed` is set when it has changed the environment or the weights: then the backend has to be started anew.
    `computer`: what ssh calls the computer that all of it is about; empty for this one.
    """

    extension: Path
    user_folder: Path
    computer: Callable[[], str] = str
    plan: Message = field(default_factory=dict[str, Any])
    weights: Message = field(default_factory=dict[str, Any])
    places: dict[str, Message] = field(default_factory=dict[str, Message])
    doctor: Message = field(default_factory=dict[str, Any])
    plan_error: AddonError | None = None
    weights_error: AddonError | None = None
    places_error: AddonError | None = None
    doctor_error: AddonError | None = None
    work: Child | None = None
    asked: bool = False
    renewed: bool = False
    _changes: bool = False
    _questions: dict[str, Child] = field(default_factory=dict[str, Child])

    @property
    def busy(self) -> bool:
        """Whether an installation, a download or a check is going on."""
        return self.work is not None and self.work.live

    @property
    def live(self) -> bool:
        """Whether `tick` has something to wait for."""
        return self.busy or bool(self._questions)

    def ask(self, build: str, python: str = "", device: str = "") -> None:
        """Ask what is there and what would be installed, see `install`; the answers come by `tick`, errors too.

        device: what engines compute on, see `process.Options`.
        """
        self.asked = True
        self._ask("plan", ["install", "--plan", "--json", *self._options(build, python)])
        self._ask("weights", ["weights", "list", "--json"])
        self._ask("places", ["storage", "--json"])
        self.ask_doctor(device)

    def forget(self) -> None:
        """Forget all answers, those that are still to come too."""
        for question in self._questions.values():
            question.cancel()
        self._questions.clear()
        self.work = self.work if self.busy else None
        self.plan, self.weights, self.places, self.doctor = {}, {}, {}, {}
        self.plan_error = self.weights_error = self.places_error = self.doctor_error = None
        self.asked = False

    def ask_doctor(self, device: str = "") -> None:
        """Ask what can run, and on what; PyTorch is asked too if it is installed, which takes some seconds."""
        python = None if self.computer() else installed(data_folder(self.user_folder)).python
        self._ask("doctor", ["doctor", "--json"], python, device)

    @property
    def examining(self) -> bool:
        """Whether the doctor has not answered yet."""
        return "doctor" in self._questions

    def install(self, build: str, python: str = "") -> None:
        """Make the engine's environment with a build of PyTorch. The caller has asked the artist. Raises `AddonError`.

        python: the path of the Python that makes it; empty for Blender's own.
        """
        arguments = ["install", "--json", "--agree", *self._options(build, python)]
        self._start(Path(sys.executable), arguments, changes=True)

    def copy(self) -> None:
        """Copy the program to the other computer. The caller has asked the artist. Raises `AddonError`."""
        self.require_rest()
        self._changes = True
        arguments = ["remote", "copy", self.computer(), "--json"]
        self.work = Child(Path(sys.executable), arguments, self.extension, self.user_folder)

    def remove(self, *, weights: bool) -> None:
        """Delete the engine's environments, and the weights if they are meant too. Raises `AddonError`."""
        rest = ["--weights"] if weights else []
        self._start(Path(sys.executable), ["install", "--json", "--remove", *rest], changes=True)

    def clear(self) -> None:
        """Delete what can be made again: bytecode, and downloads of a broken installation. Raises `AddonError`."""
        self._start(Path(sys.executable), ["storage", "--json", "--clear"], changes=False)

    def download(self, package: str = "") -> None:
        """Download the weights that are missing, all that the engine needs or one package by its name.

        The caller has asked the artist. Raises `AddonError`.
        """
        names = [each.name for each in EVERY]
        if package and package not in names:
            raise AddonError(f"There are no weights “{package}”.", f"Choose one of: {', '.join(names)}.")
        only = [package] if package else []
        self._start(self._engine_python(), ["weights", "download", *only, "--json", "--agree"], changes=True)

    def verify(self) -> None:
        """Check the weights. Raises `AddonError`."""
        self._start(self._engine_python(), ["weights", "verify", "--json"], changes=False)

    def cancel(self) -> None:
        """End what is going on."""
        if self.work and self.work.live:
            self.work.cancel()

    def close(self) -> None:
        """End everything."""
        self.cancel()
        for question in self._questions.values():
            question.cancel()
        self._questions.clear()

    def tick(self) -> None:
        """Take in what has happened; never waits."""
        for name, question in list(self._questions.items()):
            question.tick()
            if not question.live:
                del self._questions[name]
                self._take(name, question.answer, question.error)
        if self.work is not None and self.work.live:
            self.work.tick()
            if not self.work.live:
                if "places" in self.work.answer:  # clearing: the other answers hold
                    self._take("places", self.work.answer, None)
                else:
                    self.asked = False
                self.renewed = self.renewed or (self.work.error is None and self._changes)

    def wait(self) -> None:
        """Tick until the work has ended, if no timer does; an interrupt from the keyboard cancels it."""
        try:
            while self.busy:
                self.tick()
                time.sleep(_WAIT_SECONDS)
        except KeyboardInterrupt:
            self.cancel()
            raise

    def _take(self, question: str, answer: Message, error: AddonError | None) -> None:
        if question == "plan":
            self.plan, self.plan_error = answer, error
        elif question == "doctor":
            self.doctor, self.doctor_error = answer, error
        elif question == "places":
            self.places = {place["name"]: place for place in answer.get("places", [])}
            self.places_error = error
            self.count_here()
        else:
            self.weights, self.weights_error = answer, error

    def count_here(self) -> None:
        """Count anew what the extension's own folder holds, beside `places`."""
        jobs, logs = self.user_folder / FOLDER, self._bytes_of_logs()
        self.places[FOLDER_JOBS] = {"label": "Folder Jobs", "folder": str(jobs), "bytes": size(jobs)}
        self.places[LOGS] = {"label": "Logs", "folder": str(self.user_folder), "bytes": logs}

    def _bytes_of_logs(self) -> int:
        found = 0
        for path in self.user_folder.glob("*.log"):
            with contextlib.suppress(OSError):  # another Blender deletes old ones
                found += path.stat().st_size
        return found

    def _engine_python(self) -> Path:
        if self.computer():
            return Path(sys.executable)
        environment = installed(data_folder(self.user_folder))
        if environment.python is None:
            raise AddonError(environment.trouble or "The engine is not installed.", "Press Install first.")
        return environment.python

    def require_rest(self) -> None:
        """Raise `AddonError` if an installation, a download or a check is going on."""
        if self.busy:
            raise AddonError("Something is going on already.", "Wait until it is done, or cancel it.")

    def _ask(self, name: str, arguments: list[str], python: Path | None = None, device: str = "") -> None:
        if name in self._questions:
            self._questions.pop(name).cancel()
        try:
            by = python or Path(sys.executable)
            self._questions[name] = Child(by, self._there(arguments), self.extension, self.user_folder, device)
        except AddonError as error:
            self._take(name, {}, error)

    def _start(self, python: Path, arguments: list[str], *, changes: bool) -> None:
        self.require_rest()
        self._changes = changes
        self.work = Child(python, self._there(arguments), self.extension, self.user_folder)

    def _there(self, arguments: list[str]) -> list[str]:
        """A command's arguments, for the computer that is meant."""
        computer = self.computer()
        return ["remote", "run", computer, *arguments] if computer else arguments

    def _options(self, build: str, python: str) -> list[str]:
        named = python and not self.computer()  # it is a path on this one
        return ["--torch", build, *(["--python", python] if named else [])]
