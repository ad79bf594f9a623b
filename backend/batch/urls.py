# SPDX-License-Identifier: GPL-3.0-or-later
"""Results below a URL of fsspec, such as `s3://bucket/folder`: uploaded beside their places, renamed when whole."""

import contextlib
import secrets
from collections.abc import Generator, Mapping
from pathlib import Path

from ..errors import UserError
from ..files.outputs import library
from .places import whole_files

_UNFINISHED = ".unfinished"


class UrlPlace:
    """A `Place`. What is there is listed once: a store of objects takes as long to name a thousand as to look for one.

    Raises `UserError` if fsspec does not know the URL.
    """

    def __init__(self, url: str) -> None:
        core = library("fsspec.core", "fsspec", "write to a URL")
        self.url = url.rstrip("/")
        try:
            self._files, self._root = core.url_to_fs(self.url)
        except ImportError as error:
            sentence = f"A package that “{self.url}” needs is not installed: {error}."
            raise UserError("library-missing", sentence, "Install it, on every machine of a cluster.") from error
        except Exception as error:  # each kind of store refuses in its own way
            sentence = f"“{self.url}” is no place that fsspec knows: {error}."
            raise UserError("bad-output", sentence, "Give a URL such as s3://bucket/folder.") from error
        self._there: set[str] | None = None

    def path(self, name: str) -> str:
        """See `Place`."""
        return f"{self.url}/{name}"

    def holds(self, name: str) -> bool:  # noqa: ARG002 - there are no links
        """See `Place`."""
        return True

    def has(self, name: str) -> bool:
        """See `Place`."""
        return name in self._names()

    def stage(self, folder: Path, batch: str) -> Mapping[str, str]:
        """See `Place`."""
        beside = f"{_UNFINISHED}/{batch}/{secrets.token_hex(8)}"
        staged = {path.relative_to(folder).as_posix(): path for path in whole_files(folder)}
        with _as_os_errors():
            for name, path in staged.items():
                target = self._inside(f"{beside}/{name}")
                self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._files.put_file(str(path), target)
        return {name: f"{beside}/{name}" for name in staged}

    def take(self, staged: str, name: str) -> None:
        """See `Place`."""
        with _as_os_errors():
            target = self._inside(name)
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.mv(self._inside(staged), target)
            self._names().add(name)

    def remove(self, name: str) -> None:
        """See `Place`; a store of objects has no folders that could be empty."""
        with _as_os_errors():
            self._files.rm_file(self._inside(name))
            self._names().discard(name)

    def sweep(self, batch: str) -> None:
        """See `Place`; what other batches have staged at the same URL stays."""
        staged = self._inside(f"{_UNFINISHED}/{batch}")
        with _as_os_errors():
            if self._files.exists(staged):
                self._files.rm(staged, recursive=True)

    def _inside(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _names(self) -> set[str]:
        if self._there is None:
            with _as_os_errors():
                start = len(self._inside(""))
                self._there = {path[start:] for path in self._files.find(self._root)}
        return self._there


@contextlib.contextmanager
def _as_os_errors() -> Generator[None]:
    """Raise OSError whatever a store raises."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error) or type(error).__name__) from error
