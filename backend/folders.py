# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are kept on this machine, how large they are, and how they are deleted. Asking makes no folder."""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from .errors import UserError

_PAUSE = 0.1  # seconds


def user_folder() -> Path:
    """The folder for all that outlives a session.

    The environment variable HI3DGEN_USER_FOLDER names it; else it is a folder at the system's place for a user's
    data, so that all Blenders and terminals of a user share it. Raises `UserError` if this user has no home and nothing
    else says where.
    """
    chosen = os.environ.get("HI3DGEN_USER_FOLDER")
    if chosen:
        return _path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local") / "Hi3DGen"
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / "Hi3DGen"
    return Path(os.environ.get("XDG_DATA_HOME") or _home() / ".local" / "share") / "hi3dgen"


def weights_folder() -> Path:
    """The folder of the published weights: the environment variable HI3DGEN_WEIGHTS, else "weights" in the user's.

    Raises `UserError` as `user_folder` does.
    """
    chosen = os.environ.get("HI3DGEN_WEIGHTS")
    return _path(chosen) if chosen else user_folder() / "weights"


def free_space(folder: Path) -> int:
    """The bytes that are free on the disk of `folder`, whether it exists or not. Raises OSError."""
    for place in (folder, *folder.parents):
        if place.exists():
            return shutil.disk_usage(place).free
    raise FileNotFoundError(f"{folder.anchor} is not there")  # such as a drive of Windows without a disk


def size(folder: Path) -> int:
    """The bytes of all files below `folder`, without what links in it point to; 0 if there is none.

    What cannot be read counts as nothing. Takes a second or more for tens of thousands of files.
    """
    found = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(place, file)).st_size  # noqa: PTH118 - Path is ten times as slow
    return found


def delete(folder: Path, deadline: float) -> None:
    """Delete a folder, if there is one, with all that is in it; of a link, the link alone.

    deadline: of `time.monotonic`, until when it is tried again. Raises OSError if that does not succeed in time.
    """
    while os.path.lexists(folder):
        try:
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder)
        except OSError:  # on Windows as long as a backend that is just ending has a file open
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:  # such as a container's user whom the system does not know
        sentence = "The system knows no home folder of this user."
        raise UserError("no-home", sentence, "Set HI3DGEN_USER_FOLDER to a folder of this user's own.") from error


def _path(chosen: str) -> Path:
    return Path(os.path.expanduser(chosen)).absolute()  # noqa: PTH111 - Path's raises for a user who does not exist
