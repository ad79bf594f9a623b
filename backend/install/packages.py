# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the pip of a virtual environment and follows what it does."""

from __future__ import annotations

import queue
import subprocess
import threading
from typing import TYPE_CHECKING

from ..safe_files import open_own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--only-binary", ":all:")
_LOOK_SECONDS = 0.2
_END_SECONDS = 5.0


def pip_install(
    python: Path,
    arguments: Sequence[str | Path],
    log: Path,
    on_line: Callable[[str], None],
    *,
    on_silence: Callable[[], None] = lambda: None,
    append: bool = False,
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """Run `python -m pip install` with `OPTIONS` and these arguments.

    Its output goes into a new file `log`, or with `append` to its end, and `on_line` is called with each line;
    `on_silence` is called several times a second while there is no output. Returns None on success, else the output.
    Whatever is raised inside, an interrupt too, ends pip. Raises OSError.
    """
    command = [python, "-m", "pip", "install", *OPTIONS, *arguments]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    pip = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment,
        creationflags=flags,
    )
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pip, lines), daemon=True).start()
    output: list[str] = []
    try:
        with open_own(log, append=append) as written:
            while True:
                try:
                    line = lines.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    on_silence()
                    continue
                if not line:
                    break
                output.append(line)
                written.write(line.encode())
                on_line(line)
        return None if pip.wait() == 0 else "".join(output)
    finally:
        _end(pip)


def _read(pip: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    for line in pip.stdout or ():
        lines.put(line)
    lines.put("")


def _end(pip: subprocess.Popen[str]) -> None:
    if pip.poll() is None:
        pip.terminate()
        try:
            pip.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            pip.kill()
            pip.wait()
