# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets one process at a time change the weights. The system gives the lock back when its process ends, however."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import UserError
from . import disk


@contextmanager
def alone_in(folder: Path) -> Generator[None]:
    """Hold the lock of `folder`, which is made. Raises UserError("weights-busy") at once where another holds it."""
    with disk.plainly():
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("ab")
    with file:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            raise UserError(
                "weights-busy",
                f"Another process is busy with the weights in {folder}.",
                "Wait until it is done, or end it.",
            ) from None
        except OSError:
            pass  # a network's disk that knows no locks
        yield


def _lock(file: BinaryIO) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - there on Windows alone

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - there elsewhere alone

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
