# SPDX-License-Identifier: GPL-3.0-or-later
"""Products that are folders: written beside their place and renamed when they are whole."""

import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError


def check_folder_path(path: Path, *_kept: Path) -> None:
    """Refuse, before any work is done, a folder that holds something already or cannot be made. Raises `UserError`."""
    if not path.absolute().parent.is_dir():
        raise UserError("bad-output", f"There is no folder “{path.parent}”.", "Make it first, or choose another.")
    try:
        free = not path.exists() or not any(path.iterdir())
    except OSError:  # it is a file, or may not be looked into
        free = False
    if not free:
        raise UserError("bad-output", f"“{path}” holds something already.", "Give a folder that is new or empty.")


@contextmanager
def folder_in_place(path: Path) -> Generator[Path]:
    """A new folder to write into, that becomes `path` at the end; nothing is left if something is raised before.

    Raises `UserError` (not-written) if the folder cannot be made.
    """
    beside = path.absolute().parent / f".{secrets.token_hex(8)}"
    try:
        beside.mkdir()
        yield beside
        if path.is_dir():
            path.rmdir()  # an empty one stays in the way on Windows
        beside.rename(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError("not-written", f"“{path}” could not be written: {reason}.", "Choose another place.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
