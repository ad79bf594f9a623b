# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the weights are on this machine, and what of them is missing. The standard library is enough for it.

Each package is in its own folder among the weights. Its files may have been downloaded, be links into the hub's
shared cache, or have been copied there by hand, without a record. No function but `find` raises, whatever is on the
disk: an engine that is asked what it lacks must not fail.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import UserError
from ..folders import weights_folder
from . import record
from .catalogue import EVERY, MORE, PACKAGES, Package
from .disk import file_size

State = Literal["present", "partial", "absent", "damaged"]

PARTIAL = ".partial"  # the folder in a package's own for files that are not whole yet


@dataclass(frozen=True)
class Status:
    """What is there of a package.

    `folder` is where its files belong. `missing` names the files that are not there whole, and the record if it
    cannot be used: then the state is "damaged", and `trouble` says why and what to do. `bytes` is the package's size,
    as its record says, else about; `bytes_missing` is what is still to be downloaded.
    """

    package: Package
    folder: Path
    state: State
    missing: tuple[str, ...]
    bytes: int
    bytes_missing: int
    trouble: UserError | None = None


def find(package: Package) -> Path:
    """The folder with every file of `package`, named as on the hub.

    Raises UserError: "weights-record-damaged", or "weights-missing" if a file is not there whole; it names the first
    of them, and what brings it.
    """
    found = status(package)
    if found.trouble:
        raise found.trouble
    if found.missing:
        first, *others = found.missing
        what = f"{first} and {len(others)} more files are" if others else f"{first} is"
        raise UserError(
            "weights-missing",
            f"Of the weights {package.name}, {what} missing in {found.folder}.",
            _folder_advice()
            or "Download them in the extension's preferences, or by "
            f"`python -m backend weights download {package.name}`.",
        )
    return found.folder


def missing(packages: Iterable[Package] = PACKAGES) -> list[str]:
    """The files that are not there whole, and the records that cannot be used, as "package/file"."""
    return [f"{package.name}/{file}" for package in packages for file in status(package).missing]


def trouble(packages: Iterable[Package] = PACKAGES) -> str:
    """Why `packages` cannot be used, in a sentence or two with what to do; "" if all of them are whole."""
    found = [status(package) for package in packages]
    for each in found:
        if each.trouble:
            return f"{each.trouble.sentence} {each.trouble.advice}"
    lacking = [each.package for each in found if each.missing]
    named = [package.name for package in lacking if package in MORE]  # a download without names does not bring these
    if named:
        return f"The weights {', '.join(named)} are not downloaded yet."
    return "The weights are not downloaded yet." if lacking else ""


def revisions(packages: Iterable[Package] = PACKAGES) -> dict[str, str]:
    """Which files each package has, by the package's name; reads the records alone, which takes a millisecond.

    The hub's commit, "sha256:…" for files whose hashes were recorded here, "" without a record that can be used.
    """
    known = {package.name: record.read_if_valid(package) for package in packages}
    return {name: each.version if each else "" for name, each in known.items()}


def status(package: Package) -> Status:
    """What is there of `package`, by the files' names and sizes; no hash is computed."""
    known, trouble = None, None
    try:
        known = record.read(package)
    except UserError as error:
        trouble = error
    folder = record.own_folder(package)
    absent = tuple(file for file in package.files if not is_whole(folder / file, known, file))
    begun = _bytes_in(folder / PARTIAL)
    if known is not None and set(package.files) <= set(known.files):
        size = sum(known.files[file].size for file in package.files)
        left = max(sum(known.files[file].size for file in absent) - begun, 0)
    else:
        size = package.bytes
        here = sum(file_size(folder / file) or 0 for file in package.files if file not in absent)
        left = max(size - here - begun, 0) if absent else 0
    if trouble:
        return Status(package, folder, "damaged", (record.NAME, *absent), size, left, trouble)
    nothing = len(absent) == len(package.files) and not begun
    state: State = "present" if not absent else "absent" if nothing else "partial"
    return Status(package, folder, state, absent, size, left)


def is_whole(path: Path, known: record.Record | None, file: str) -> bool:
    """Whether `file` is there, and, if the record has it, was verified and still has its size."""
    entry = known.files.get(file) if known is not None else None
    size = file_size(path)
    return size is not None and (entry is None or (entry.verified and size == entry.size))


def _bytes_in(folder: Path) -> int:
    try:
        return sum(file_size(path) or 0 for path in folder.iterdir())
    except OSError:
        return 0


def _folder_advice() -> str:
    """The advice if the folder of one package was chosen as the folder of all, else ""."""
    folder = weights_folder()
    if folder.name in {package.name for package in EVERY}:
        return f"HI3DGEN_WEIGHTS names the folder of one of the packages: choose the one above it, {folder.parent}."
    return ""
