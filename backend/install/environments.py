# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments in the user's folder: which are whole, which one is in use, and how that changes."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .. import lock
from ..errors import UserError

STAMP = "hi3dgen-environment.json"
_FOLDER, _POINTER, _DOWNLOADS, _LOG, _LOCK = (
    "environments",
    "environment.json",
    "downloads",
    "install.log",
    "environments.lock",
)


@dataclass(frozen=True)
class Installed:
    """A whole environment: its name, the build of PyTorch in it (a key of `BUILDS`), and what its test found."""

    name: str
    build: str
    torch: str = ""
    device: str = ""


@dataclass(frozen=True)
class Environments:
    """The environments under `user`, a folder that need not be there yet."""

    user: Path

    @property
    def downloads(self) -> Path:
        """Pip's cache while something is being installed."""
        return self.user / _DOWNLOADS

    @property
    def log(self) -> Path:
        """What pip said the last time."""
        return self.user / _LOG

    def folder(self, name: str) -> Path:
        """Where the environment of that name is, or would be."""
        return self.user / _FOLDER / name

    def python(self, name: str) -> Path:
        """Its Python."""
        return self.folder(name) / python_in_environment()

    def whole(self, name: str) -> Installed | None:
        """The environment where it is whole and the Python that it was made with is still there, else None."""
        folder = self.folder(name)
        try:
            stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
            installed = Installed(name, stamp["build"], stamp["torch"], stamp["device"])
            settings = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        homes = [line.partition("=")[2].strip() for line in settings if line.partition("=")[0].strip() == "home"]
        return installed if self.python(name).exists() and all(Path(home).is_dir() for home in homes) else None

    def stamp(self, installed: Installed) -> None:
        """Declare it whole. The last thing that is written into it."""
        folder = self.folder(installed.name)
        _write(folder / STAMP, {name: value for name, value in asdict(installed).items() if name != "name"})

    def current(self) -> Installed | None:
        """The one in use; None where there is none, or it is broken."""
        name = self._named("name")
        return self.whole(name) if name else None

    def previous(self) -> Installed | None:
        """The one that was in use before, for a way back."""
        name = self._named("previous")
        return self.whole(name) if name else None

    def switch(self, name: str) -> None:
        """Use that one from now on, and forget all but the one that was in use before."""
        before = self.current()
        kept = before.name if before and before.name != name else self._named("previous")
        kept = kept if kept and kept != name and self.whole(kept) else ""
        python = self.python(name).relative_to(self.user).as_posix()
        _write(self.user / _POINTER, {"name": name, "python": python, "previous": kept})
        self.prune(name, kept)

    def prune(self, *kept: str) -> None:
        """Delete every other environment; what cannot be deleted yet, because it is in use, goes the next time."""
        with contextlib.suppress(OSError):
            for folder in sorted((self.user / _FOLDER).iterdir()):
                if folder.name not in kept:
                    shutil.rmtree(folder, ignore_errors=True)

    def kept(self) -> tuple[str, ...]:
        """The names of those in use and for a way back."""
        return tuple(one.name for one in (self.current(), self.previous()) if one)

    def remove(self) -> None:
        """Delete all of them, what was downloaded for them, and the log. Raises `UserError` where a file is in use."""
        try:
            (self.user / _POINTER).unlink(missing_ok=True)  # first, so that nothing half-deleted is ever in use
            for folder in (self.user / _FOLDER, self.downloads):
                if folder.exists():
                    shutil.rmtree(folder)
            self.log.unlink(missing_ok=True)
        except OSError as error:
            sentence = f"The engine is switched off, but not all of it could be deleted: {error}."
            raise UserError(
                "not-writable", sentence, "Close what uses it, other Blenders too, and try again."
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Keep out a second installation. Raises `UserError` where one is going on, or the folder cannot be written."""
        try:
            self.user.mkdir(parents=True, exist_ok=True)
            held = (self.user / _LOCK).open("ab")
        except OSError as error:
            raise unwritable(self.user, error) from error
        with held:
            if not lock.take(held):
                sentence = "Another Blender or terminal is installing the engine."
                raise UserError("already-installing", sentence, "Wait until it is done.")
            yield

    def _named(self, key: str) -> str:
        try:
            name = json.loads((self.user / _POINTER).read_text(encoding="utf-8"))[key]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return name if isinstance(name, str) and name == Path(name).name else ""


def described(installed: Installed | None) -> dict[str, str] | None:
    """It as JSON."""
    return asdict(installed) if installed else None


def tested(installed: Installed, torch: str, device: str) -> Installed:
    """It with what its test found."""
    return replace(installed, torch=torch, device=device)


def python_in_environment() -> str:
    """The path of Python within a virtual environment."""
    return "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


def unwritable(folder: Path, error: OSError) -> UserError:
    """What to tell where something cannot be written under `folder`."""
    reason = error.strerror or error
    sentence = f"“{folder}” cannot be written: {reason}."
    return UserError("not-writable", sentence, "Make room or give yourself the right to write there, and try again.")


def _write(path: Path, content: dict[str, str]) -> None:
    """In one step: a reader finds the old content or the new one, whatever happens."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
