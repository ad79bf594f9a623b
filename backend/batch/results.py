# SPDX-License-Identifier: GPL-3.0-or-later
"""Results take their places: renamed when they are whole, and never over anything that is not the picture's own."""

import contextlib
import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..errors import UserError
from .manifest import Entry, Manifest
from .names import is_inside


def publish(manifest: Manifest, entry: Entry, folder: Path) -> tuple[Entry, tuple[str, ...]]:
    """Rename all that lies in `folder` into the place of the picture's results, and remove its results of before.

    Returns the entry with its files, and those that are new; call it in `locked`. The manifest says which files are the
    picture's before the first is renamed: a process that is killed in between leaves nothing that is nobody's. Hidden
    files are what was not finished, and stay. Raises `UserError`, before anything is changed, if a place is taken by
    something else.
    """
    place = PurePosixPath(entry.name).parent
    found = {str(place / path.relative_to(folder).as_posix()): path for path in _files(folder)}
    read = [manifest.path(path) for path in entry.request["inputs"].values()]
    for name in found:
        _check(manifest, entry, name, read)
    old = [name for name in entry.files if name not in found]
    entry = dataclasses.replace(entry, files=(*old, *found))
    manifest.write(entry)
    for name, path in found.items():
        try:
            (manifest.out / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(manifest.out / name)
        except OSError as error:
            raise _not_written(manifest.out / name, error) from error
    if not found:
        return entry, ()
    for path in (manifest.out / name for name in old):
        with contextlib.suppress(OSError):
            if manifest.holds(path):
                path.unlink()
                path.parent.rmdir()  # if it is empty now
    return dataclasses.replace(entry, files=tuple(found)), tuple(found)


def _files(folder: Path) -> list[Path]:
    """All files below a folder that are whole, in order: seed 9 before seed 10."""
    found = sorted((path for path in folder.rglob("*") if path.is_file()), key=_by_numbers)
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _check(manifest: Manifest, entry: Entry, name: str, read: Sequence[Path]) -> None:
    path = manifest.out / name
    if not is_inside(name):
        sentence = f"“{name}” is no name that every system can write."
        raise UserError("bad-output", sentence, "Report it: the engine has named a product so.")
    if not manifest.holds(path):
        sentence = f"“{path.parent}” leads out of the folder of the results."
        raise UserError("bad-output", sentence, "Move that link away.")
    if any(path == other for other in read):
        raise UserError("bad-output", f"“{path}” is read, so it is not written over.", "Copy it out of the results.")
    if os.path.lexists(path) and name not in entry.files:
        sentence = f"“{path}” is there already, and was not made of this picture."
        raise UserError("bad-output", sentence, "Move it away, or give the picture a name in a list.")


def _not_written(path: Path, error: OSError) -> UserError:
    reason = error.strerror or type(error).__name__
    return UserError("not-written", f"“{path}” could not be written: {reason}.", "Choose another place.")


def _by_numbers(path: Path) -> list[tuple[int, str]]:
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(int(piece) if piece.isdecimal() and piece.isascii() else -1, piece) for piece in pieces]
