# SPDX-License-Identifier: GPL-3.0-or-later
"""Products that are folders: written beside their place and renamed when they are whole."""

import contextlib
import shutil
import stat
from collections.abc import Generator
from pathlib import Path

from ..errors import UserError
from ..files.outputs import check_parent, mode_at
from ..safe_files import unfinished


def check_folder_path(path: Path, *_kept: Path) -> None:
    """Refuse, before any work is done, a folder that holds something already or cannot be made. Raises `UserError`."""
    path = path.absolute()
    check_parent(path)
    mode = mode_at(path)
    with contextlib.suppress(OSError):  # it may not be looked into
        if mode is None or (stat.S_ISDIR(mode) and not any(path.iterdir())):
            return
    sentence = f"“{path}” is there already, and is not an empty folder."
    raise UserError("bad-output", sentence, "Give a folder that is new or empty.")


@contextlib.contextmanager
def folder_in_place(path: Path) -> Generator[Path]:
    """A new folder to write into, that becomes `path` at the end; nothing is left if something is raised before.

    Raises `UserError` (not-written) if the folder cannot be made.
    """
    beside = unfinished(path.absolute())
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
