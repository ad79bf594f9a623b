# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are kept on this machine. Asking makes no folder."""

import os
import shutil
import sys
from pathlib import Path

from .errors import UserError


def user_folder() -> Path:
    """The folder for all that outlives a session.

    The environment variable HI3DGEN_USER_FOLDER names it; else it is a folder at the system's place for a user's
    data, so that all Blenders and terminals of a user share it. Raises `UserError` if this user has no home and nothing else says where.
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


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:  # such as a container's user whom the system does not know
        sentence = "The system knows no home folder of this user."
        raise UserError("no-home", sentence, "Set HI3DGEN_USER_FOLDER to a folder of this user's own.") from error


def _path(chosen: str) -> Path:
    return Path(os.path.expanduser(chosen)).absolute()  # noqa: PTH111 - Path's raises for a user who does not exist
