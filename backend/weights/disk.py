# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between here and the disk of the weights, in plain sentences."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

from ..errors import UserError
from ..folders import weights_folder

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the share of it, or what it takes as one file


@contextmanager
def plainly() -> Generator[None]:
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
    """What to raise where there is too little space, as `why` (a clause without its full stop) says."""
    return UserError(
        "disk-full",
        f"The disk of {weights_folder()} is too full: {why}.",
        "Make space and start again: it goes on where it was. HI3DGEN_WEIGHTS can name a folder on another disk.",
    )
