# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between here and the disk of the weights, in plain sentences."""

import errno
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from ..folders import weights_folder

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the user's share of it, or the largest file it takes


@contextmanager
def user_errors() -> Generator[None]:
    """Turns OSError into UserError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise too_full(error.strerror or "it takes no more") from error
        raise UserError(
            "weights-folder-closed",
            f"The folder {weights_folder()} cannot be used: {error}.",
            "Set it right, or choose another one by the environment variable HI3DGEN_WEIGHTS.",
        ) from error


def too_full(why: str) -> UserError:
    """The error to raise if there is too little space; `why` is a clause without its full stop."""
    return UserError(
        "disk-full",
        f"The disk of {weights_folder()} is too full: {why}.",
        "Make space and start again: it goes on where it was. HI3DGEN_WEIGHTS can name a folder on another disk.",
    )


def file_size(path: Path) -> int | None:
    """The bytes of the file at `path`, links followed; None if no file is there, or none that this user may see."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
