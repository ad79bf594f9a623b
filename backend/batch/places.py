# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the results of a batch lie: in its folder, beside the manifest, or elsewhere."""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """Holds results by names relative to it, with "/".

    A result is staged first, whole but not in its place, and then takes its place by renaming. All raise OSError.
    """

    @property
    def url(self) -> str:
        """What the manifest's first line says of it; empty for the folder of the batch itself."""
        ...

    def path(self, name: str) -> Path | str:
        """Where a result is, for sentences."""
        ...

    def holds(self, name: str) -> bool:
        """Whether a result of this name would lie in the place, once all links on the way to it are followed."""
        ...

    def has(self, name: str) -> bool:
        """Whether anything has this name."""
        ...

    def stage(self, folder: Path, batch: str) -> Mapping[str, str]:
        """Stage all files of a folder that are whole; by their paths in it, what `take` needs, in order.

        batch: the name of the batch, see `Manifest.batch`; other batches may stage at the same place.
        """
        ...

    def take(self, staged: str, name: str) -> None:
        """Give what is staged its name, in place of what has it."""
        ...

    def remove(self, name: str) -> None:
        """Remove a result, and its folder if that is empty then."""
        ...

    def sweep(self, batch: str) -> None:
        """Remove what a batch has staged that has not taken its place; nobody stages for it meanwhile."""
        ...


class OwnFolder:
    """A `Place`: the folder of the batch. Its workers write on the same disk, so that files are staged as they are."""

    url = ""

    def __init__(self, out: Path) -> None:
        self._out = out

    def path(self, name: str) -> Path:
        """See `Place`."""
        return self._out / name

    def holds(self, name: str) -> bool:
        """See `Place`."""
        return Path(os.path.realpath(self.path(name).parent)).is_relative_to(self._out)

    def has(self, name: str) -> bool:
        """See `Place`."""
        return os.path.lexists(self.path(name))

    def stage(self, folder: Path, batch: str) -> Mapping[str, str]:  # noqa: ARG002 - the folder is of one batch
        """See `Place`."""
        return {path.relative_to(folder).as_posix(): str(path) for path in whole_files(folder)}

    def take(self, staged: str, name: str) -> None:
        """See `Place`."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(staged).replace(path)

    def remove(self, name: str) -> None:
        """See `Place`."""
        path = self.path(name)
        path.unlink()
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def sweep(self, batch: str) -> None:
        """Nothing: what is not whole lies in the workers' folders, see `workers`."""


def whole_files(folder: Path) -> list[Path]:
    """All files below a folder that are whole, in order: seed 9 before seed 10. Hidden ones are not."""
    found = sorted((path for path in folder.rglob("*") if path.is_file()), key=_by_numbers)
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _by_numbers(path: Path) -> list[tuple[int, str]]:
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(int(piece) if piece.isdecimal() and piece.isascii() else -1, piece) for piece in pieces]
