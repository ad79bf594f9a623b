# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes files whole or not at all, and reads this program's own, whatever else lies on the disk in their place.

No name that is written to can be guessed, and no link is followed: a link that was planted would let this program
overwrite what it points to.
"""

from __future__ import annotations  # scripts/environment.py must get as far as telling an older Python that it is one

import contextlib
import errno
import json
import os
import secrets
import stat
from typing import TYPE_CHECKING, BinaryIO

from . import lock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

UNFINISHED = ".hi3dgen-*.part"  # the names of what is not whole yet, as a pattern: a killed process leaves them behind
SMALL = 1 << 20  # bytes; what this program writes of this kind has a few kilobytes
MAX_LOG = 1 << 20  # bytes of a log; one older file of about this size is kept beside it
_EVERYBODY, _OWNER = 0o666, 0o600  # modes of new files, before the process's umask
_OWNER_FOLDER = 0o700
_BINARY = getattr(os, "O_BINARY", 0)  # of Windows
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)  # of all others
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its other end


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False, lasting: bool = True) -> Generator[BinaryIO]:
    """Open a new file that takes the name `path` when the block ends; if the block raises, nothing changes.

    The file lies beside `path` under a random name until it is whole. A link at `path` is replaced, and what it points
    to stays as it is.

    private: only this user can read it. Else it has the permissions of the file that it replaces, or those of any new
    file. lasting: it outlives a power cut as well, which waits for the disk; else its reader must see that it may be
    cut off. Raises OSError; if no file can have this name, before the block runs.
    """
    permissions = _OWNER if private else _permissions(path)
    beside = unfinished(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS | _BINARY
    with os.fdopen(os.open(beside, flags, _EVERYBODY if permissions is None else permissions), "wb") as file:
        try:
            if permissions is not None and os.name == "posix":
                os.fchmod(file.fileno(), permissions)
            yield file
            file.flush()
            if lasting:
                os.fsync(file.fileno())
            file.close()  # Windows renames no open file
            beside.replace(path)
        except BaseException:
            file.close()
            beside.unlink(missing_ok=True)
            raise


def unfinished(path: Path) -> Path:
    """A path beside `path` that nobody can guess, for what takes the name `path` when it is whole."""
    return path.with_name(UNFINISHED.replace("*", secrets.token_hex(8)))


def write_json(path: Path, value: object, *, private: bool = False) -> None:
    """Write `value` as JSON, see `replacing`. Raises OSError."""
    with replacing(path, private=private) as file:
        file.write(json.dumps(value, indent=1).encode())


def read_json(path: Path, limit: int = SMALL) -> object:
    """The value of a JSON file. Raises OSError and ValueError, and nothing else, whatever lies at `path`."""
    try:
        return json.loads(read_small(path, limit).decode())
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_small(path: Path, limit: int = SMALL) -> bytes:
    """The content of a regular file, links followed.

    Raises OSError, also for a folder, a pipe and a device, and ValueError for a file of more than `limit` bytes.
    """
    number = os.open(path, os.O_RDONLY | _NO_WAITING | _BINARY)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise _not_a_file(path)
        with os.fdopen(number, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(number)
    if len(content) > limit:
        raise ValueError(f"it has more than {limit} bytes")
    return content


def open_own(path: Path, *, append: bool = False, private: bool = True) -> BinaryIO:
    """Open a file of a fixed name for writing, such as a log or a lock: a new one, or with `append` the one there.

    A link or a pipe that lies there is removed first. private: only this user can read it. Raises OSError, also for a
    folder, a socket and a device, which stay.
    """
    _make_way(path, append=append)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_EXCL) | _NO_LINKS | _NO_WAITING | _BINARY
    file = os.fdopen(os.open(path, flags, _OWNER if private else _EVERYBODY), "ab" if append else "wb")
    if private and append and os.name == "posix":
        with contextlib.suppress(OSError):  # some disks have no permissions, and the file may be another user's
            os.fchmod(file.fileno(), _OWNER)
    return file


def open_log(path: Path, *, private: bool = True) -> BinaryIO:
    """Open a log to append to, see `open_own`; one that is full becomes the older log first. Raises OSError."""
    file = open_own(path, append=True, private=private)
    if os.fstat(file.fileno()).st_size <= MAX_LOG:
        return file
    if os.name == "posix":
        with file:  # several processes may find it full at the same time: the first one to lock it moves it
            if lock.take(file) and _is_at(path, file):
                _begin_anew(path)
    else:
        file.close()
        _begin_anew(path)
    return open_own(path, append=True, private=private)


def _begin_anew(path: Path) -> None:
    try:
        path.replace(older_log(path))
    except OSError:  # Windows renames no open file
        os.truncate(path, 0)


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether an open file still has the name `path`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def older_log(path: Path) -> Path:
    """Where the part of a log goes that its file has no more room for."""
    return path.with_name(f"{path.stem}-older{path.suffix}")


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone. Raises OSError.

    Folders that exist keep their permissions.
    """
    for place in reversed((folder, *folder.parents)):
        if not place.is_dir():
            place.mkdir(_OWNER_FOLDER, exist_ok=True)


def _permissions(path: Path) -> int | None:
    """The permissions of the regular file at `path`; None if there is none. Raises OSError for an impossible name."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    return mode & 0o777 if stat.S_ISREG(mode) else None


def _make_way(path: Path, *, append: bool) -> None:
    """Remove what a new file would have to replace; with `append`, a file that has no other name stays."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISREG(found.st_mode):
        if append and found.st_nlink <= 1:
            return
    elif not (stat.S_ISLNK(found.st_mode) or stat.S_ISFIFO(found.st_mode)):
        raise _not_a_file(path)
    path.unlink(missing_ok=True)


def _not_a_file(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is not a file", str(path))
