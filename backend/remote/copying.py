# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the program onto the other computer: its code, some megabytes, and numpy if that is not there."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..errors import UserError
from . import program, ssh
from .scripts import COPY

LABEL = "Copying Hi3DGen to the other computer"

_PIECE = 1 << 16  # bytes


def copy(name: str, report: Callable[[int, int], None], python: str = "", folder: str = "") -> None:
    """Copy the program to the computer of that name; what is there already of the same version is replaced.

    python: the Python there that runs it, a path or a name; empty for one that is found. folder: where environments and
    weights lie there, an absolute path; empty for the usual place. report: called with the bytes that are sent, and
    with all. Raises `UserError`, and what `report` raises; then what was there before is there still.
    """
    if folder and not folder.startswith("/"):
        raise UserError("bad-path", f"“{folder:.200}” is no absolute path.", "Begin the path with /.")
    archive = memoryview(program.packed())
    process = ssh.start(name, COPY, [program.name(), python, folder])
    try:
        with ThreadPoolExecutor(1) as threads:
            said = threads.submit(process.stderr.read)  # pyright: ignore[reportOptionalMemberAccess] - a pipe
            with contextlib.suppress(OSError):  # the other end has ended: its exit code says why
                for start in range(0, len(archive), _PIECE):
                    process.stdin.write(archive[start : start + _PIECE])  # pyright: ignore[reportOptionalMemberAccess]
                    report(min(start + _PIECE, len(archive)), len(archive))
                process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
            lines = said.result().decode("utf-8", "replace").splitlines()
        code = process.wait()
    finally:
        process.kill()
        process.wait()
    if code:
        raise ssh.failure(name, code, lines)
