# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the pip of a virtual environment and follows what it does."""

from __future__ import annotations

import queue
import subprocess
import threading
from typing import TYPE_CHECKING

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
    said: Callable[[str], None],
    *,
    meanwhile: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """Run `python -m pip install` with `OPTIONS` and these arguments.

    Its output is written to `log`, and told to `said` line by line; `meanwhile` is called several times a second while
    it says nothing. Returns None when all went well, else the output. What is raised inside, an interrupt too, ends it.
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
        with log.open("w", encoding="utf-8") as written:
            while True:
                try:
                    line = lines.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    meanwhile()
                    continue
                if not line:
                    break
                output.append(line)
                written.write(line)
                said(line)
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
