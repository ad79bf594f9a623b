# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are kept on this machine, how large they are, and how they are deleted. Asking makes no folder.

The user's folder may be one that others use, too: what is deleted or written over has names that nobody else gives.
"""

import contextlib
import os
import re
import shutil
import stat
import sys
import time
from pathlib import Path

from .errors import UserError
from .safe_files import read_json

ENDING_SECONDS = 5.0  # in which a backend that was asked to end has ended
BYTECODE, DOWNLOADS, INSTALL_LOG = "hi3dgen-bytecode", "hi3dgen-downloads", "hi3dgen-install.log"
IN_USE = "hi3dgen-in-use.json"  # points to the environment in use
ENVIRONMENTS, WEIGHTS, EXTERNAL = "environments", "weights", "external"  # folders in the user's
ENVIRONMENTS_LOCK, WEIGHTS_LOCK = "environments.lock", ".lock"  # in the user's folder, and in that of the weights
STAMP = "hi3dgen-environment.json"  # in each environment that is whole
_EARLIER = {"bytecode": BYTECODE, "downloads": DOWNLOADS, "install.log": INSTALL_LOG, "environment.json": IN_USE}
_PYTHON = re.compile(rf"{ENVIRONMENTS}/([A-Za-z0-9][\w.+-]*)/(bin/python|Scripts/python\.exe)", re.ASCII)
_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT, which the module `stat` names on Windows alone
_PAUSE = 0.1  # seconds


def user_folder() -> Path:
    """The folder for all that outlives a session.

    The environment variable HI3DGEN_USER_FOLDER names it; else it is a folder at the system's place for a user's
    data, so that all Blenders and terminals of a user share it. Raises `UserError` if this user has no home and nothing
    else says where.
    """
    chosen = os.environ.get("HI3DGEN_USER_FOLDER")
    return _path(chosen) if chosen else system_folder()


def system_folder() -> Path:
    """The folder at the system's place for a user's data, in which all is ours. Raises `UserError` without a home."""
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
    return _path(chosen) if chosen else user_folder() / WEIGHTS


def external_folder() -> Path:
    """The folder in the user's in which artists describe programs of their own. Raises `UserError` as `user_folder`."""
    return user_folder() / EXTERNAL


def take_over(folder: Path, *, all_ours: bool = False) -> None:
    """Give what an earlier version left in `folder` the names of now.

    all_ours: nobody else writes there, as at the system's place. Elsewhere these names may be somebody else's
    (~/downloads is ~/Downloads on a disk that ignores case), but for what points to an environment of ours.
    """
    with contextlib.suppress(UserError):  # there is no home
        all_ours = all_ours or folder == system_folder()
    for earlier, now in _EARLIER.items():
        is_ours = all_ours or (now == IN_USE and _points_to_ours(folder / earlier))
        if is_ours and not os.path.lexists(folder / now):
            with contextlib.suppress(OSError):  # there is none, or it is in use
                (folder / earlier).rename(folder / now)


def python_in_use(pointer: Path) -> tuple[str, str]:
    """The name of the environment that a file such as `IN_USE` points to, and the path of its Python from there.

    Raises OSError and ValueError, whatever lies at `pointer`.
    """
    value = read_json(pointer)
    python = value.get("python") if isinstance(value, dict) else None
    found = _PYTHON.fullmatch(python) if isinstance(python, str) else None
    if not found:
        raise ValueError("it does not name a Python of the engine")
    return found[1], found[0]


def free_space(folder: Path) -> int:
    """The bytes that are free on the disk of `folder`, whether it exists or not. Raises OSError."""
    for place in (folder, *folder.parents):
        if place.exists():
            return shutil.disk_usage(place).free
    raise FileNotFoundError(f"{folder.anchor} is not there")  # such as a drive of Windows without a disk


def size(folder: Path) -> int:
    """The bytes of all files below `folder`, without what links in it point to; 0 if there is none.

    What cannot be read counts as nothing, and so does a link: `delete` takes it alone. Takes a second or more for tens
    of thousands of files.
    """
    found = 0
    if is_link(folder):
        return found
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_link(Path(place, name))]
        for file in files:
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(place, file)).st_size  # noqa: PTH118 - Path is ten times as slow
    return found


def delete(path: Path, deadline: float) -> None:
    """Delete a file, or a folder with all that is in it, if it is there; of a link, the link alone.

    deadline: of `time.monotonic`, until when it is tried again. Raises OSError if that does not succeed in time.
    """
    while os.path.lexists(path):
        try:
            if path.is_dir() and not is_link(path):
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError:  # on Windows as long as a backend that is just ending has a file open
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


def delete_if_empty(folder: Path) -> None:
    """Delete a folder in which nothing is; one that others have put something into stays, and so does a link."""
    with contextlib.suppress(OSError):
        if not is_link(folder):
            folder.rmdir()


def is_link(path: Path) -> bool:
    """Whether a link lies there: a symbolic one, or a junction of Windows, which is no link for `Path.is_symlink`."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISLNK(found.st_mode) or getattr(found, "st_reparse_tag", 0) == _JUNCTION


def _points_to_ours(pointer: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        name, _ = python_in_use(pointer)
        return (pointer.parent / ENVIRONMENTS / name / STAMP).is_file()
    return False


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:  # such as a container's user whom the system does not know
        sentence = "The system knows no home folder of this user."
        raise UserError("no-home", sentence, "Set HI3DGEN_USER_FOLDER to an empty folder of this user's.") from error


def _path(chosen: str) -> Path:
    return Path(os.path.expanduser(chosen)).absolute()  # noqa: PTH111 - Path's raises for a user who does not exist
