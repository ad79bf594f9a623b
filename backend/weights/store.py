# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the weights are on this machine, and what of them is missing. The standard library is enough for it.

Each package is in its own folder among the weights. Its files may have come by `download`, be links into the hub's
shared cache, or have been copied there by hand; in the last case no record need be there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import UserError
from ..folders import weights_folder
from . import record
from .catalogue import PACKAGES, Package

State = Literal["present", "partial", "absent"]

PARTIAL = ".partial"  # the folder in a package's own, where files are that are not whole yet


@dataclass(frozen=True)
class Status:
    """What is there of a package.

    `folder` is where its files belong, `missing` which of them are not there whole. `bytes` is the package's size, as
    the hub told it once, else about; `bytes_missing` what is still to be downloaded.
    """

    package: Package
    folder: Path
    state: State
    missing: tuple[str, ...]
    bytes: int
    bytes_missing: int


def find(package: Package) -> Path:
    """The folder with every file of `package`, named as on the hub.

    Raises UserError("weights-missing") where one is not there, or not whole: it names the first, and what brings it.
    """
    found = status(package)
    if found.missing:
        first, *others = found.missing
        what = f"{first} and {len(others)} more files are" if others else f"{first} is"
        raise UserError(
            "weights-missing",
            f"Of the weights {package.name}, {what} missing in {found.folder}.",
            _above()
            or "Download the weights in the extension's preferences, or by `python -m backend weights download`.",
        )
    return found.folder


def missing(packages: Iterable[Package] = PACKAGES) -> list[str]:
    """The files that are not there, or not whole, as "package/file"."""
    return [f"{package.name}/{file}" for package in packages for file in status(package).missing]


def status(package: Package) -> Status:
    """What is there of `package`; no hash is computed. Raises UserError where its record is damaged."""
    known = record.read(package)
    folder = record.own_folder(package)
    absent = tuple(file for file in package.files if not is_whole(folder / file, known, file))
    begun = sum(path.stat().st_size for path in (record.own_folder(package) / PARTIAL).glob("*"))
    if known is not None and set(package.files) <= set(known.files):
        size = sum(known.files[file].size for file in package.files)
        left = max(sum(known.files[file].size for file in absent) - begun, 0)
    else:
        size = package.bytes
        here = sum((folder / file).stat().st_size for file in package.files if file not in absent)
        left = max(size - here - begun, 0) if absent else 0
    state: State = (
        "present" if not absent else "absent" if len(absent) == len(package.files) and not begun else "partial"
    )
    return Status(package, folder, state, absent, size, left)


def is_whole(path: Path, known: record.Record | None, file: str) -> bool:
    """Whether `file` is there, and, where the record knows it, has its size and was verified once."""
    entry = known.files.get(file) if known is not None else None
    if not path.is_file():
        return False
    return entry is None or (entry.verified and path.stat().st_size == entry.size)


def _above() -> str:
    """The advice for who chose the folder of one package as the folder of them all, else ""."""
    folder = weights_folder()
    if folder.name in {package.name for package in PACKAGES}:
        return f"HI3DGEN_WEIGHTS names the folder of one of the packages: choose the one above it, {folder.parent}."
    return ""
