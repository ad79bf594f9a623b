# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written whole or not at all, and what only its owner may read. Needs the standard library alone."""

import contextlib
import os
import secrets
import stat
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".hi3dgen-*.part"
"""The names of unfinished files, as a pattern: what a killed process leaves behind."""
PRIVATE = 0o600
PRIVATE_FOLDER = 0o700


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Generator[BinaryIO]:
    """A new file, open for writing bytes, that takes the place of `path` when the block ends.

    If the block raises, the earlier file stays as it was. Until then the new file lies beside it under a random name,
    which nobody can prepare a link for. A link at `path` is itself replaced; the file that it points to stays.

    private: only the owner may read and write the file (on POSIX). Else it has the permissions of the file that it
    replaces, or those of any new file. Raises `OSError`; if the name is impossible, before the block runs.
    """
    permissions = PRIVATE if private else _permissions(path)
    beside = path.parent / UNFINISHED.replace("*", secrets.token_hex(8))
    created = 0o666 if permissions is None else permissions

    def exclusively(name: str, flags: int) -> int:
        return os.open(name, flags, created)  # "x" below has put O_CREAT and O_EXCL into the flags: follows no link

    with contextlib.ExitStack() as undo:
        with open(beside, "xb", opener=exclusively) as file:
            undo.callback(beside.unlink, missing_ok=True)
            if permissions is not None and os.name == "posix":
                os.fchmod(file.fileno(), permissions)
            yield file
        beside.replace(path)  # after closing: Windows does not rename open files
        undo.pop_all()


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner alone (on POSIX). Raises `OSError`.

    Folders that exist keep their permissions.
    """
    for place in reversed((folder, *folder.parents)):
        if not place.is_dir():
            place.mkdir(PRIVATE_FOLDER, exist_ok=True)


def _permissions(path: Path) -> int | None:
    """The permissions of the regular file at `path`; None if there is none. Raises `OSError` for an impossible name."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    return mode & 0o777 if stat.S_ISREG(mode) else None
