# SPDX-License-Identifier: GPL-3.0-or-later
"""What every output has in common: it is checked before the work, and a failure to write it is a sentence."""

import contextlib
import importlib
import os
import stat
import tempfile
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import UserError
from ..safe_files import replacing


@contextlib.contextmanager
def writing(path: Path) -> Generator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends. Raises `UserError` if anything fails in it."""
    try:
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise _not_written(path, error.strerror or type(error).__name__) from error
    except Exception as error:  # an encoder refuses a size or a colour in its own ways
        raise _not_written(path, str(error) or type(error).__name__) from error


def check_output(path: Path, suffixes: tuple[str, ...], kind: str) -> None:
    """Refuse, before any work is done, a file that could not be written. Raises `UserError`."""
    if path.suffix.lower() not in suffixes:
        sentence = f"“{path.name}” does not end like a {kind} that can be written."
        raise UserError("bad-output", sentence, f"Use one of {', '.join(suffixes)}.")
    check_parent(path)
    check_name(path)


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuse, before any work is done, a path where something lies, unless told otherwise. Raises `UserError`."""
    if not overwrite and mode_at(path) is not None:
        raise UserError("output-exists", f"“{path}” is there already.", "Choose another name, or add --overwrite.")


def check_not_read(path: Path, read: Iterable[Path]) -> None:
    """Refuse, before any work is done, a path of a file that is read. Raises `UserError`."""
    if is_one_of(path, read):
        raise UserError("bad-output", f"“{path}” is read, so it is not written over.", "Choose another name.")


def check_parent(path: Path) -> None:
    """Refuse a path in whose folder nothing can be made. Raises `UserError`."""
    if not os.path.isdir(path.parent):  # noqa: PTH112 - Path.is_dir raises PermissionError
        raise UserError("bad-output", f"There is no folder “{path.parent}”.", "Make it first, or choose another.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):  # only trying shows it: networks and Windows have their own rules
            pass
    except OSError as error:
        sentence = f"The folder “{path.parent}” cannot be written to: {error.strerror or type(error).__name__}."
        raise UserError("bad-output", sentence, "Choose another folder.") from error


def check_name(path: Path) -> None:
    """Refuse a name that no file can have, and the name of a folder, a pipe or a device. Raises `UserError`."""
    mode = mode_at(path)
    if not (mode is None or stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise UserError("bad-output", f"“{path}” is there already and is no file.", "Choose another name.")


def mode_at(path: Path) -> int | None:
    """What lies at a path, as `st_mode`, links not followed; None if nothing does.

    Raises `UserError` for a name that nothing can have.
    """
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        sentence = f"“{path.name}” cannot be written: {error.strerror or type(error).__name__}."
        raise UserError("bad-output", sentence, "Choose another name.") from error


def is_one_of(path: Path, others: Iterable[Path]) -> bool:
    """Whether `path` is the same file as one of the others, by whatever name, whether it exists or not."""
    for other in others:
        if _place(path) == _place(other):
            return True
        with contextlib.suppress(OSError):  # one of the two does not exist
            if path.samefile(other):
                return True
    return False


def _place(path: Path) -> str:
    """A path by which two names of a file that does not exist yet can be compared."""
    return os.path.normcase(os.path.join(os.path.realpath(path.parent), path.name))  # noqa: PTH118 - as text


def library(module: str, package: str, purpose: str) -> Any:  # noqa: ANN401 - a module
    """Import a module of an optional package. Raises `UserError` if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        sentence = f"{package} is not installed, and it is needed to {purpose} here."
        raise UserError("library-missing", sentence, f"Install it with: pip install {package.lower()}") from error


def _not_written(path: Path, reason: str) -> UserError:
    return UserError("not-written", f"“{path}” could not be written: {reason}.", "Choose another place.")
