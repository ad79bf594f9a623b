# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes the weights, and nothing else that lies in their folder, which others may use as well."""

import contextlib
import re
import time
from pathlib import Path

from ..errors import UserError
from ..folders import ENDING_SECONDS, delete, delete_if_empty, is_link
from ..safe_files import UNFINISHED
from . import record
from .catalogue import EVERY, Package
from .disk import file_size
from .store import PARTIAL

_PART = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")  # named by a hash, see `download`


def bytes_here() -> int:
    """The bytes on the disk that `remove` makes free: a link's target stays, and counts as nothing."""
    return sum(file_size(path) or 0 for package in EVERY for path in _ours(package) if not is_link(path))


def remove() -> None:
    """Delete the files of every package. The caller keeps others out. Raises `UserError` if a file is in use."""
    deadline = time.monotonic() + ENDING_SECONDS
    try:
        for package in EVERY:
            for path in _ours(package):
                delete(path, deadline)
            _forget_empty(record.own_folder(package))
    except OSError as error:
        sentence = f"Not all of the weights could be deleted: {error}."
        advice = "Close what uses them, other Blenders too, and try again."
        raise UserError("not-writable", sentence, advice) from error


def _ours(package: Package) -> list[Path]:
    """What is there of a package: the files that the catalogue or the record names, the record, and what is not whole.

    What engines made of the files belongs to it, and what they left unfinished. Of a link, or of what lies behind a
    linked folder, it is the link.
    """
    folder = record.own_folder(package)
    known = record.read_if_valid(package)
    named = {*package.files, *(known.files if known else ()), record.NAME}
    found = {_first_link(folder, file) for file in named if _stays_inside(file)}
    if not is_link(folder):
        parts = _first_link(folder, PARTIAL)
        with contextlib.suppress(OSError):
            found |= {parts} if is_link(parts) else {part for part in parts.iterdir() if _PART.fullmatch(part.name)}
        made = [*(folder / name for name in package.made), *folder.glob(UNFINISHED)]
        found |= {path for each in made if each.is_dir() and not is_link(each) for path in each.iterdir()}
        found |= {beside for path in [*found] for beside in path.parent.glob(UNFINISHED)}
    return sorted(path for path in found if is_link(path) or path.is_file())


def _first_link(folder: Path, file: str) -> Path:
    """The path of a file in `folder`, or of the first link on the way from there to it."""
    path = folder
    for part in file.split("/"):
        if is_link(path):
            break
        path /= part
    return path


def _stays_inside(file: str) -> bool:
    """Whether it is the name of a file below its package, as on the hub; a record can be anybody's."""
    return not re.search(r"[\\:\0]", file) and not {"", ".", ".."} & set(file.split("/"))


def _forget_empty(folder: Path) -> None:
    """Delete the folders that have become empty, the package's own last."""
    with contextlib.suppress(OSError):  # it is gone already
        for inner in folder.iterdir():
            if inner.is_dir() and not is_link(inner):
                _forget_empty(inner)
    delete_if_empty(folder)
