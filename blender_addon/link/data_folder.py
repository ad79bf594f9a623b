# SPDX-License-Identifier: GPL-3.0-or-later
"""Where environment and weights of the engine lie: outside of the extension's user folder, which Blender deletes.

They are several gigabytes, and every Blender of this user can use the same. An earlier version kept them in the
extension's user folder: `move_out` moves them.
"""

import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from ...backend import folders, lock
from ...backend.errors import UserError
from ...backend.folders import ENVIRONMENTS, ENVIRONMENTS_LOCK, WEIGHTS, WEIGHTS_LOCK
from ...backend.safe_files import make_private_folder, open_own
from ...backend.weights.catalogue import EVERY
from .environment import installed

log = logging.getLogger(__name__)

BUSY = "Another Blender or terminal was busy with them. Restart Blender when it is done."
LATER = "They came there after Blender had started. Restart it, and they are moved."
_OTHER_DISK = (
    "They could not be moved to “{}”, which is on another disk. To keep them, quit Blender and move them there by hand."
)
_REFUSED = (
    "They could not be moved to “{}”: {}. Close other Blenders, see that you may write there, and restart this one."
)
_LINKED = "A link leads to them, and is not followed. To keep it, quit Blender and move it to “{}” by hand."
_THERE = "“{}” has some of its own. If anything is missing there, quit Blender and move it there by hand."
_INSIDE = (
    "“{}” leads there. Let HI3DGEN_USER_FOLDER and HI3DGEN_WEIGHTS name folders outside of it, and restart Blender."
)

_LOCKS = (ENVIRONMENTS_LOCK, f"{WEIGHTS}/{WEIGHTS_LOCK}")
_PATIENCE, _PAUSE = 1.0, 0.05  # seconds: longer than another Blender takes to move them


def data_folder(user_folder: Path) -> Path:
    """The folder of the environment, whether it exists or not.

    It is what HI3DGEN_USER_FOLDER names, else the system's place for programs' data. user_folder: the extension's; it
    is the answer as long as it alone has an environment, or one that works, and if this user has no home.
    """
    return _place(user_folder, lambda folder: _has_environment(folder) + (installed(folder).python is not None))


def weights_folder(user_folder: Path) -> Path:
    """The folder of the weights, if HI3DGEN_WEIGHTS names no other; in the extension's as long as that has more."""
    return _place(user_folder, _weights) / WEIGHTS


def lasting_folder(user_folder: Path) -> Path | None:
    """Where environment and weights should lie that are in the extension's user folder; None if none are there."""
    usual = _usual()
    if usual is None or _is_same(usual, user_folder):
        return None
    has_weights = _packages(user_folder) and not _is_same(usual / WEIGHTS, user_folder / WEIGHTS)
    return usual if _has_environment(user_folder) or has_weights else None


def chosen_inside(user_folder: Path) -> str:
    """Why environment or weights come into the extension's user folder by choice, and what to do; "" if they do not."""
    usual = _usual()
    for folder in (usual, usual / ENVIRONMENTS, folders.weights_folder()) if usual else ():
        if _is_inside(folder, user_folder):
            return _INSIDE.format(folder)
    return ""


def move_out(user_folder: Path) -> str:
    """Move environment and weights out of the extension's user folder, at once or not at all; nothing is copied.

    What is in the usual place already stays there, and the same of the user folder stays here. While another process
    changes them or runs in them, and onto another disk, nothing is moved; of the processes that run in them, only
    Linux tells, and Windows moves no open file. Returns why something stays, and what to do; "" if nothing does.
    """
    folders.take_over(user_folder, all_ours=True)
    usual = _usual()
    if usual is None:
        return ""
    folders.take_over(usual)
    deadline = time.monotonic() + _PATIENCE
    try:
        while _pieces(user_folder, usual):
            if _move_alone(user_folder, usual):
                break
            if time.monotonic() > deadline:
                return BUSY
            time.sleep(_PAUSE)
    except OSError as error:
        log.warning("environment and weights stay in the extension's user folder: %s", error)
        reason = _OTHER_DISK if error.errno == errno.EXDEV else _REFUSED
        return reason.format(usual, error.strerror or error)
    if not lasting_folder(user_folder):
        return ""
    is_linked = any(folders.is_link(user_folder / name) for name in (ENVIRONMENTS, WEIGHTS))
    return (_LINKED if is_linked else _THERE).format(usual)


def _place(user_folder: Path, count: Callable[[Path], int]) -> Path:
    """The usual place, unless the extension's user folder has more of what `count` counts."""
    usual = _usual()
    return user_folder if usual is None or count(user_folder) > count(usual) else usual


def _usual() -> Path | None:
    with contextlib.suppress(UserError):  # this user has no home
        return folders.user_folder()
    return None


def _is_same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return one == other


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or leads into it, links followed; it need not be there."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _has_environment(folder: Path) -> bool:
    return os.path.lexists(folder / folders.IN_USE)


def _packages(folder: Path) -> list[str]:
    """The names of the packages of weights of which something is in a data folder."""
    return [package.name for package in EVERY if (folder / WEIGHTS / package.name).is_dir()]


def _weights(folder: Path) -> int:
    """The number of files of weights in a data folder; those that are not whole have other names."""
    return sum((folder / WEIGHTS / package.name / file).is_file() for package in EVERY for file in package.files)


def _move_alone(old: Path, new: Path) -> bool:
    """Move all pieces, and keep others out meanwhile; False if that cannot be now. Raises OSError; all is back then."""
    with contextlib.ExitStack() as locks:
        paths = [folder / name for folder in (old, new) for name in _LOCKS]
        alone = {(os.path.realpath(path.parent), path.name): path for path in paths}  # a link may lead to the other
        if not all(_is_locked(path, locks) for path in alone.values()) or _runs_in(old):
            return False
        moved: list[tuple[Path, Path]] = []
        try:
            for path in _pieces(old, new):
                target = new / path.relative_to(old)
                path.rename(target)
                moved.append((target, path))
        except OSError:
            for target, path in reversed(moved):
                with contextlib.suppress(OSError):
                    target.rename(path)
            raise
        folders.delete_if_empty(old / ENVIRONMENTS)
    return True


def _is_locked(path: Path, locks: contextlib.ExitStack) -> bool:
    """Take the lock at `path`; False if another process has it. It lies beside what is moved, which Windows requires.

    Raises OSError.
    """
    make_private_folder(path.parent)
    shared = path.name == WEIGHTS_LOCK  # as `only_process_in` makes it
    return lock.take(locks.enter_context(open_own(path, append=True, private=not shared)))


def _runs_in(old: Path) -> bool:
    """Whether a process runs in an environment there, such as the backend of another Blender, which holds no lock."""
    inside = os.fsencode(old / ENVIRONMENTS) + b"/"
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended, or is another user's
            if told.read_bytes().startswith(inside):
                return True
    return False


def _pieces(old: Path, new: Path) -> list[Path]:
    """What is to be moved, the pointer last of the environment: all that was moved before a kill counts for nothing.

    The environments, if none is in use there; of the weights, the packages that are not there yet. What lies behind a
    link, or where HI3DGEN_WEIGHTS says, stays where the artist has put it.
    """
    weights = [old / WEIGHTS / name for name in _packages(old) if not os.path.lexists(new / WEIGHTS / name)]
    if folders.is_link(old / WEIGHTS) or _is_inside(folders.weights_folder(), old / WEIGHTS):
        weights = []
    if _has_environment(new) or folders.is_link(old / ENVIRONMENTS):
        return weights
    made = [old / ENVIRONMENTS]
    if os.path.lexists(new / ENVIRONMENTS):  # what another process, or a kill, has left there
        made = sorted(made[0].iterdir()) if made[0].is_dir() else []
    if any(os.path.lexists(new / path.relative_to(old)) for path in made):
        return weights
    rest = [old / name for name in (folders.DOWNLOADS, folders.INSTALL_LOG)]
    rest = [path for path in rest if not os.path.lexists(new / path.name)]
    return [path for path in (*weights, *made, *rest, old / folders.IN_USE) if os.path.lexists(path)]
