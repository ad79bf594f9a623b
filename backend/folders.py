# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are kept on this machine. Asking makes no folder."""

import os
import shutil
import sys
from pathlib import Path


def user_folder() -> Path:
    """The folder for all that outlives a session: the environment variable HI3DGEN_USER_FOLDER, which Blender sets.

    Else a folder at the system's place for a user's data.
    """
    chosen = os.environ.get("HI3DGEN_USER_FOLDER")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Hi3DGen"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Hi3DGen"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "hi3dgen"


def weights_folder() -> Path:
    """The folder of the published weights: the environment variable HI3DGEN_WEIGHTS, else "weights" in the user's."""
    chosen = os.environ.get("HI3DGEN_WEIGHTS")
    return Path(chosen).expanduser().absolute() if chosen else user_folder() / "weights"


def free_space(folder: Path) -> int:
    """The bytes that are free on the disk where `folder` is, or would be. Raises OSError."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
