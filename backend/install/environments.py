# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments in the user's folder: which are whole, which one is in use, and how that changes."""

import contextlib
import re
import shutil
import sys
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import lock
from ..errors import UserError
from ..folders import (
    BYTECODE,
    DOWNLOADS,
    ENDING_SECONDS,
    ENVIRONMENTS,
    ENVIRONMENTS_LOCK,
    IN_USE,
    INSTALL_LOG,
    STAMP,
    delete,
    delete_if_empty,
    size,
    take_over,
)
from ..safe_files import make_private_folder, open_own, read_json, read_small, write_json

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_MADE = re.compile(r"(cpu|mps|cu\d+|rocm[\d.]+)-[0-9a-f]{8}", re.ASCII)  # the names that `make_plan` gives


@dataclass(frozen=True)
class Installed:
    """A whole environment: its name, the build of PyTorch in it (a key of `BUILDS`), and what its test found.

    torch: PyTorch's version. device: the name of what it computes on.
    """

    name: str
    build: str
    torch: str
    device: str


@dataclass(frozen=True)
class Environments:
    """The environments under `user`, a folder that need not be there yet."""

    user: Path

    @property
    def downloads(self) -> Path:
        """Pip's cache while something is being installed."""
        return self.user / DOWNLOADS

    @property
    def bytecode(self) -> Path:
        """Where the backend's bytecode goes: where Blender says, which names its folder as it is named here."""
        told = Path(sys.pycache_prefix or "")
        return told if told.name == BYTECODE else self.user / BYTECODE

    @property
    def log(self) -> Path:
        """The output of pip in the last installation."""
        return self.user / INSTALL_LOG

    @property
    def all(self) -> Path:
        """The folder of all environments."""
        return self.user / ENVIRONMENTS

    def folder(self, name: str) -> Path:
        """The folder of the environment of that name, whether it exists or not."""
        return self.user / ENVIRONMENTS / name

    def python(self, name: str) -> Path:
        """Its Python."""
        return self.folder(name) / python_in_environment()

    def whole(self, name: str) -> Installed | None:
        """The environment if it is whole and the Python that made it is still there, else None."""
        folder = self.folder(name)
        try:
            stamp = _texts(folder / STAMP)
            installed = Installed(name, stamp["build"], stamp["torch"], stamp["device"])
            settings = read_small(folder / "pyvenv.cfg").decode().splitlines()
            homes = [line.partition("=")[2].strip() for line in settings if line.partition("=")[0].strip() == "home"]
            is_there = self.python(name).exists() and all(Path(home).is_dir() for home in homes)
        except (OSError, ValueError, KeyError):
            return None
        return installed if is_there else None

    def stamp(self, installed: Installed) -> None:
        """Declare it whole. The last thing that is written into it. Raises `UserError`."""
        folder = self.folder(installed.name)
        _write(folder / STAMP, {name: value for name, value in asdict(installed).items() if name != "name"})

    def current(self) -> Installed | None:
        """The one in use; None if there is none, or it is broken."""
        name = self._named("name")
        return self.whole(name) if name else None

    def previous(self) -> Installed | None:
        """The one that was in use before, for a rollback."""
        name = self._named("previous")
        return self.whole(name) if name else None

    def switch(self, name: str) -> None:
        """Use that one from now on, and delete all but the one that was in use before. Raises `UserError`."""
        before = self.current()
        kept = before.name if before and before.name != name else self._named("previous")
        kept = kept if kept and kept != name and self.whole(kept) else ""
        python = self.python(name).relative_to(self.user).as_posix()
        _write(self.user / IN_USE, {"name": name, "python": python, "previous": kept})
        self.prune(name, kept)

    def prune(self, *kept: str) -> None:
        """Delete all environments but those of these names; what is in use on Windows is deleted the next time."""
        with contextlib.suppress(OSError):
            for folder in self.ours():
                if folder.name not in kept:
                    shutil.rmtree(folder, ignore_errors=True)

    def kept(self) -> tuple[str, ...]:
        """The names of the one in use and the one before."""
        return tuple(one.name for one in (self.current(), self.previous()) if one)

    def ours(self) -> list[Path]:
        """The folders of all environments and of parts of them: by their stamps, and by the names that we give.

        What else lies beside them is somebody else's, and stays. Raises OSError.
        """
        if not self.all.is_dir():
            return []
        return sorted(path for path in self.all.iterdir() if _MADE.fullmatch(path.name) or (path / STAMP).is_file())

    def size(self) -> int:
        """The bytes of all of them on the disk; takes a second or more."""
        with contextlib.suppress(OSError):
            return sum(size(folder) for folder in self.ours())
        return 0

    def has_files(self) -> bool:
        """Whether there is something to remove: environments, parts of them, or downloads."""
        with contextlib.suppress(OSError):
            return bool(self.ours()) or (self.downloads.exists() and any(self.downloads.iterdir()))
        return True  # a folder that cannot be read

    def remove(self) -> None:
        """Delete all of them, what was downloaded for them, and the log. Raises `UserError` if a file is in use."""
        try:
            (self.user / IN_USE).unlink(missing_ok=True)  # first, so that nothing half-deleted is ever in use
            deadline = time.monotonic() + ENDING_SECONDS
            for path in (*self.ours(), self.downloads, self.log):
                delete(path, deadline)
            delete_if_empty(self.all)
        except OSError as error:
            sentence = f"The engine is switched off, but not all of it could be deleted: {error}."
            raise UserError(
                "not-writable", sentence, "Close what uses it, other Blenders too, and try again."
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Keep out a second installation. Raises `UserError` if one is going on, or the folder cannot be written."""
        try:
            make_private_folder(self.user)
            held = open_own(self.user / ENVIRONMENTS_LOCK, append=True)
        except OSError as error:
            raise unwritable(self.user, error) from error
        with held:
            if not lock.take(held):
                sentence = "Another Blender or terminal is installing the engine."
                raise UserError("already-installing", sentence, "Wait until it is done.")
            take_over(self.user)
            yield

    def _named(self, key: str) -> str:
        try:
            name = _texts(self.user / IN_USE).get(key, "")
        except (OSError, ValueError):
            return ""
        return name if _NAME.fullmatch(name) else ""


def described(installed: Installed | None) -> dict[str, str] | None:
    """An environment as a value for JSON, None if there is none."""
    return asdict(installed) if installed else None


def python_in_environment() -> str:
    """The path of Python within a virtual environment."""
    return "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


def unwritable(folder: Path, error: OSError) -> UserError:
    """The error to raise if something cannot be written under `folder`."""
    reason = error.strerror or error
    sentence = f"“{folder}” cannot be written: {reason}."
    return UserError("not-writable", sentence, "Make room or give yourself the right to write there, and try again.")


def _write(path: Path, content: dict[str, str]) -> None:
    try:
        write_json(path, content, private=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _texts(path: Path) -> dict[str, str]:
    """The texts of a JSON object. Raises OSError and ValueError."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - as for any other content
    return {str(key): text for key, text in value.items() if isinstance(text, str)}
