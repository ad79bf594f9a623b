# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the program of an external engine for one request, and listens to what it says.

A line of its standard output that is a JSON object with `progress` or `error` is for us; all other lines, and those of
its standard error, go into the log.
"""

import contextlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ...errors import UserError
from ...flow.products import Report
from .description import Description
from .supervisor import NOT_STARTED, PATIENCE

log = logging.getLogger(__name__)

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_STEPS = 1000
_POLL = 0.1  # seconds
_FAREWELL = 2.0  # seconds, behind the supervisor's own patience
_MAX_LINE = 1 << 16
_MAX_LOGGED = 2000  # lines of a run
_LAST = 20  # lines that are told when it has failed
_SAID = 300  # characters of its own sentences
_KEPT = re.compile(
    "PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|TEMP|TMP|XDG_.*|LD_LIBRARY_PATH|DYLD_.*"
    "|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA"
    "|PROGRAMDATA|PROGRAMFILES.*|COMMONPROGRAMFILES.*|NUMBER_OF_PROCESSORS|PROCESSOR_.*"
    "|CUDA_.*|NVIDIA_.*|HIP_.*|ROCR_.*|ROCM_.*|HSA_.*|OMP_.*|MKL_.*|SSL_CERT_.*",
    re.IGNORECASE,
)
"""The variables that every program gets: where things are, the language and the devices. None holds a secret."""


def executable(description: Description) -> str:
    """The path of the program. Raises UserError "external-missing" if anything that it needs is not there."""
    path = os.environ.get("PATH", os.defpath)
    name = description.command[0]
    is_path = Path(name).name != name
    place = str(description.folder / name) if is_path else name
    advice = f"Install it, or mend “{description.path}”."
    if not description.folder.is_dir():
        raise UserError("external-missing", f"There is no folder “{description.folder}” to run it in.", advice)
    if is_path:
        found = program_at(place, os.environ.get("PATHEXT", "").split(os.pathsep) if os.name == "nt" else ())
    else:
        found = shutil.which(place, path=description.environment.get("PATH", path))
    if found is None and is_path and Path(place).exists():
        raise UserError("external-missing", f"Its program “{place}” may not be run.", "Give it the permission to.")
    if found is None:
        raise UserError("external-missing", f"Its program “{name}” is not there.", advice)
    for needed in description.needs:
        if not needed.exists():
            raise UserError("external-missing", f"“{needed}”, which it needs, is not there.", advice)
    return found


def program_at(place: str, endings: Sequence[str]) -> str | None:
    """The program at a path, which may lack one of its system's endings, such as .EXE; None if none is there.

    `shutil.which` adds them to paths from Python 3.12 on only.
    """
    return next(filter(None, (shutil.which(f"{place}{ending}") for ending in ("", *endings))), None)


def surroundings(description: Description) -> dict[str, str]:
    """The program's environment variables: those of `_KEPT`, those that its file hands on, and its own."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name) or name in description.inherit}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **description.environment}


def run_program(description: Description, request: Path, scratch: Path, report: Report) -> None:
    """Run the program with the path of a request, until it ends.

    scratch: the folder of the request, which is deleted if this process ends before the program does. Raises
    `UserError` if it fails or takes too long, and what `report` raises; then it has been ended.
    """
    command = [executable(description), *description.command[1:], str(request)]
    orders = {
        "command": command,
        "folder": str(description.folder),
        "environment": surroundings(description),
        "scratch": str(scratch),
    }
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in a terminal is for this process, which then ends it
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    listener = _Listener(description.name, child)
    try:
        _hand_over(child, orders)
        code = _wait(description, child, listener, report)
    finally:
        _end(child)
        listener.join()
    if listener.error:
        raise UserError("external-failed", *listener.error)
    if code:
        raise _failed(description, code, listener)


class _Listener:
    """Reads what a program prints, in two threads. progress: in [0, 1]. error: its own sentence and advice.

    last: the last lines of its output that were not for us, and complaints: those of its standard error.
    """

    def __init__(self, name: str, child: "subprocess.Popen[bytes]") -> None:
        assert child.stdout is not None  # noqa: S101 - Popen was asked for pipes
        assert child.stderr is not None  # noqa: S101
        self.progress = 0.0
        self.error: tuple[str, str] | None = None
        self.last: deque[str] = deque(maxlen=_LAST)
        self.complaints: deque[str] = deque(maxlen=_LAST)
        self._name = name
        self._stage = ""
        self._logged = 0
        self._threads = [
            threading.Thread(target=self._read, args=(pipe, is_ours), daemon=True)
            for pipe, is_ours in ((child.stdout, True), (child.stderr, False))
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all is read, but not for ever: what the program has started may hold its pipes."""
        for thread in self._threads:
            thread.join(_FAREWELL)

    def _read(self, pipe: IO[bytes], is_ours: bool) -> None:  # noqa: FBT001 - a thread's argument
        with pipe:
            for line in _lines(pipe):
                if is_ours and line.startswith("{") and self._take(line):
                    continue
                (self.last if is_ours else self.complaints).append(line)
                self._log(line)

    def _take(self, line: str) -> bool:
        """Take a line that is for us; False if it is none."""
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if "error" in said:
            advice = _sentence(said.get("advice")) or "The log has what it said last."
            self.error = (_sentence(said["error"]) or "The program gave up.", advice)
            return True
        progress = said.get("progress")
        if isinstance(progress, bool) or not isinstance(progress, int | float) or not progress >= 0:  # nor NaN
            return False
        self.progress = max(float(min(progress, 1)), self.progress)
        stage = said.get("stage")
        if isinstance(stage, str) and stage != self._stage:
            self._stage = stage
            self._log(stage)
        return True

    def _log(self, line: str) -> None:
        self._logged += 1
        if self._logged <= _MAX_LOGGED:
            log.info("%s: %s", self._name, line)
        if self._logged == _MAX_LOGGED:
            log.info("%s: what else it says is left out", self._name)


def _lines(pipe: IO[bytes]) -> Iterator[str]:
    """The lines of a pipe that are not empty, as they come; a progress bar that is drawn over and over is lines."""
    rest = b""
    while block := pipe.read1(_MAX_LINE):  # pyright: ignore[reportAttributeAccessIssue] - Popen's pipes have it
        *whole, rest = re.split(rb"[\r\n]", rest + block)
        if len(rest) > _MAX_LINE:
            whole, rest = [*whole, rest], b""
        yield from (line.decode("utf-8", "replace") for line in whole if line.strip())
    if rest.strip():
        yield rest.decode("utf-8", "replace")


def _hand_over(child: "subprocess.Popen[bytes]", orders: Mapping[str, object]) -> None:
    assert child.stdin is not None  # noqa: S101 - Popen was asked for a pipe
    with contextlib.suppress(OSError):  # it has ended, and its exit code says so
        child.stdin.write(json.dumps(orders).encode() + b"\n")
        child.stdin.flush()


def _wait(description: Description, child: "subprocess.Popen[bytes]", listener: _Listener, report: Report) -> int:
    """The exit code. Raises UserError "external-too-slow", and what `report` raises."""
    started = time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(_POLL)
        report(round(_STEPS * listener.progress), _STEPS)
        if time.monotonic() - started > description.time_limit:
            sentence = f"{description.label} took longer than its {description.time_limit} seconds, and was ended."
            advice = f"Choose settings that take less time, or raise time_limit in “{description.path}”."
            raise UserError("external-too-slow", sentence, advice)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Let the supervisor end the program, if it still runs, and wait for it."""
    assert child.stdin is not None  # noqa: S101
    with contextlib.suppress(OSError):  # the supervisor is gone
        child.stdin.close()
    try:
        child.wait(PATIENCE + _FAREWELL)
    except subprocess.TimeoutExpired:
        child.kill()


def _failed(description: Description, code: int, listener: _Listener) -> UserError:
    lines = [*(listener.complaints or listener.last)] or ["nothing"]
    log.warning("%s ended with the code %d; it said last: %s", description.name, code, " / ".join(lines))
    last = lines[-1].strip()[:_SAID].rstrip(".")
    if code == NOT_STARTED:
        sentence = f"The program of {description.label} could not be started: {last}."
        return UserError("external-failed", sentence, f"Mend its command in “{description.path}”.")
    sentence = f"The program of {description.label} ended with the code {code}, and said last: {last}."
    advice = f"Look at the log, or run `python -m backend external check {description.name}`."
    return UserError("external-failed", sentence, advice)


def _sentence(text: object) -> str:
    """What a program says, as a line with a full stop; empty if it is no text."""
    line = " ".join(text.split())[:_SAID] if isinstance(text, str) else ""
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."
