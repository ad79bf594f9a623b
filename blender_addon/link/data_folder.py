# SPDX-License-Identifier: GPL-3.0-or-later
"""Where environment and weights of the engine lie: outside of the extension's user folder, which Blender deletes.

They are several gigabytes, and every Blender of this user can use the same. An earlier version kept them in the
extension's user folder: `move_out` moves them.
"""

import contextlib
import logging
import os
from pathlib import Path

from ...backend import folders, lock
from ...backend.errors import UserError
from ...backend.safe_files import make_private_folder, open_own

log = logging.getLogger(__name__)

_ENVIRONMENT = ("environments", "environment.json", "downloads", "install.log")
_WEIGHTS = "weights"
_LOCKS = ("environments.lock", f"{_WEIGHTS}/.lock")


def data_folder(user_folder: Path) -> Path:
    """The folder of the environment and the weights, whether it exists or not.

    It is what HI3DGEN_USER_FOLDER names, else the system's place for programs' data. user_folder: the extension's; it
    is the answer as long as they could not be moved out of it, and if this user has no home.
    """
    try:
        usual = folders.user_folder()
    except UserError:
        return user_folder
    return user_folder if _holds(user_folder) and not _holds(usual) else usual


def lasting_folder(user_folder: Path) -> Path | None:
    """Where environment and weights should be moved to by hand; None if nothing is left to move, as it should be."""
    if data_folder(user_folder) != user_folder or not _holds(user_folder):
        return None
    with contextlib.suppress(UserError):
        return folders.user_folder()
    return None


def move_out(user_folder: Path) -> None:
    """Move environment and weights out of the extension's user folder, at once or not at all; nothing is copied.

    What is in the usual place already stays there, and the same of the user folder stays here. While another process
    changes them, and onto another disk, nothing is moved.
    """
    try:
        usual = folders.user_folder()
    except UserError:
        return
    moved: list[tuple[Path, Path]] = []
    try:
        if not _holds(user_folder) or usual == user_folder:
            return
        with contextlib.ExitStack() as locks:  # given back before anything moves: Windows moves no open file
            if not all(_taken(user_folder / name, locks) for name in _LOCKS):
                return
        make_private_folder(usual)
        for path in _pieces(user_folder, usual):
            target = usual / path.relative_to(user_folder)
            path.rename(target)
            moved.append((target, path))
    except OSError as error:
        log.warning("environment and weights stay in the extension's user folder: %s", error)
        for target, path in reversed(moved):
            with contextlib.suppress(OSError):
                target.rename(path)


def _holds(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in ("environment.json", _WEIGHTS))


def _pieces(old: Path, new: Path) -> list[Path]:
    """What is to be moved: the environment as a whole, of the weights the packages that are not there yet."""
    pieces = [old / name for name in _ENVIRONMENT]
    if any((new / name).exists() for name in _ENVIRONMENT[:2]):
        pieces = []
    if not (new / _WEIGHTS).exists():
        pieces.append(old / _WEIGHTS)
    elif (old / _WEIGHTS).is_dir():
        pieces += [path for path in (old / _WEIGHTS).iterdir() if not (new / _WEIGHTS / path.name).exists()]
    return [path for path in pieces if os.path.lexists(path)]


def _taken(path: Path, locks: contextlib.ExitStack) -> bool:
    """Whether no other process has the lock at `path`, which this one takes then."""
    return not path.exists() or lock.take(locks.enter_context(open_own(path, append=True)))
