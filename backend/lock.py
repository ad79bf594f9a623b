# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock on a file, which the system gives back when its process ends, however it ends."""

import sys
from typing import BinaryIO


def take(file: BinaryIO) -> bool:
    """Lock an open file for this process; False if another process has the lock.

    True also on a network's disk that has no locks. Closing the file gives the lock back.
    """
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - only Windows has it

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - Windows does not have it

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass
    return True
