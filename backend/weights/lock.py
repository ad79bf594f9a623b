# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets one process at a time change the weights."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .. import lock
from ..errors import UserError
from ..folders import WEIGHTS_LOCK
from ..safe_files import open_own
from . import disk


@contextmanager
def only_process_in(folder: Path) -> Generator[None]:
    """Hold the lock of `folder`, which is made. Raises UserError("weights-busy") at once if another process has it."""
    with disk.user_errors():
        folder.mkdir(parents=True, exist_ok=True)
        file = open_own(folder / WEIGHTS_LOCK, append=True, private=False)
    with file:
        if not lock.take(file):
            sentence = f"Another process is busy with the weights in {folder}."
            raise UserError("weights-busy", sentence, "Wait until it is done, or end it.")
        yield
