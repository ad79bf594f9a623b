# SPDX-License-Identifier: GPL-3.0-or-later
"""Results take their places: renamed when they are whole, and never over anything that is not the picture's own."""

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ..errors import UserError
from .manifest import Entry, Manifest
from .names import is_inside


def publish(manifest: Manifest, entry: Entry, staged: Mapping[str, str]) -> tuple[Entry, tuple[str, ...]]:
    """Rename all that is staged into the place of the picture's results, and remove its results of before.

    staged: see `Place.stage`. Returns the entry with its files, and those that are new; call it in `locked`. The
    manifest says which files are the picture's before the first is renamed: a process that is killed in between leaves
    nothing that is nobody's. Raises `UserError`, before anything is changed, if a place is taken by something else.
    """
    parent = PurePosixPath(entry.name).parent
    found = {str(parent / path): source for path, source in staged.items()}
    read = [manifest.path(path) for path in entry.request["inputs"].values()]
    for name in found:
        _check(manifest, entry, name, read)
    old = [name for name in entry.files if name not in found]
    entry = dataclasses.replace(entry, files=(*old, *found))
    manifest.write(entry)
    for name, source in found.items():
        try:
            manifest.place.take(source, name)
        except OSError as error:
            raise not_written(manifest.place.path(name), error) from error
    if not found:
        return entry, ()
    for name in old:
        with contextlib.suppress(OSError):
            if manifest.place.holds(name):
                manifest.place.remove(name)
    return dataclasses.replace(entry, files=tuple(found)), tuple(found)


def _check(manifest: Manifest, entry: Entry, name: str, read: Sequence[Path]) -> None:
    path = manifest.place.path(name)
    if not is_inside(name):
        sentence = f"“{name}” is no name that every system can write."
        raise UserError("bad-output", sentence, "Report it: the engine has named a product so.")
    if not manifest.place.holds(name):
        sentence = f"“{path}” leads out of the folder of the results."
        raise UserError("bad-output", sentence, "Move that link away.")
    if any(path == other for other in read):
        raise UserError("bad-output", f"“{path}” is read, so it is not written over.", "Copy it out of the results.")
    if name not in entry.files and manifest.place.has(name):
        sentence = f"“{path}” is there already, and was not made of this picture."
        raise UserError("bad-output", sentence, "Move it away, or give the picture a name in a list.")


def not_written(path: Path | str, error: OSError) -> UserError:
    """What is said if results cannot be staged or put in place."""
    reason = error.strerror or str(error) or type(error).__name__
    return UserError("not-written", f"“{path}” could not be written: {reason}.", "Choose another place.")
