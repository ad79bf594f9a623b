# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets one process at a time change the weights."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .. import lock
from ..errors import UserError
from . import disk


@contextmanager
def alone_in(folder: Path) -> Generator[None]:
    """Hold the lock of `folder`, which is made. Raises UserError("weights-busy") at once where another holds it."""
    with disk.plainly():
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("ab")
    with file:
        if not lock.take(file):
            sentence = f"Another process is busy with the weights in {folder}."
            raise UserError("weights-busy", sentence, "Wait until it is done, or end it.")
        yield
