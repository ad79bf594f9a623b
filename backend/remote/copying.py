# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the program onto the other computer: its code, 16 MB, and numpy if that is not there."""

import contextlib
import threading
from collections.abc import Callable

from ..errors import UserError
from . import program, ssh
from .scripts import COPY

LABEL = "Copying Hi3DGen to the other computer"

_PIECE = 1 << 16  # bytes


def copy(name: str, report: Callable[[int, int], None], python: str = "", folder: str = "") -> None:
    """Copy the program to the computer of that name; what is there already of the same version is replaced.

    python: the Python there that runs it, a path or a name; empty for that of the last time, else one that is found.
    folder: where environments and weights lie there, an absolute path; empty for that of the last time, else the usual
    place. report: called with the bytes that are sent, and
    with all. Raises `UserError`, and what `report` raises; then what was there before is there still.
    """
    if folder and not folder.startswith("/"):
        raise UserError("bad-path", f"“{folder:.200}” is no absolute path.", "Begin the path with /.")
    archive = memoryview(program.packed())
    process = ssh.start(name, COPY, [program.name(), python, folder])
    said: list[bytes] = []
    listener = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    listener.start()
    try:
        with contextlib.suppress(OSError):  # the other end has ended: its exit code says why
            for start in range(0, len(archive), _PIECE):
                process.stdin.write(archive[start : start + _PIECE])  # pyright: ignore[reportOptionalMemberAccess]
                report(min(start + _PIECE, len(archive)), len(archive))
            process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        listener.join()
        code = process.wait()
    finally:
        process.kill()
        process.wait()
    if code:
        raise ssh.failure(name, code, [line.decode("utf-8", "replace") for line in said])
