# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks again at a package that is here: at each file's hash where its record knows one, else at its form."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from . import record
from .catalogue import Package
from .record import Entry, Record
from .verification import digest, fault, matches

Basis = Literal["hub", "here", "form"]
"""What a package was held against: the hub's hashes; those that were computed here once; its files' own form."""


@dataclass(frozen=True)
class Finding:
    """What was found. `faults` are files with what is wrong with each, as a clause."""

    package: Package
    basis: Basis
    revision: str
    faults: tuple[tuple[str, str], ...]


def check(package: Package, report: Callable[[str, int, int], None], *, note: bool = False) -> Finding:
    """Check every file of `package`, following it by `report(label, done, of)` in bytes.

    A file whose hash is wrong is noted in the record, so that `download` brings it again. `note` records the hashes
    of files that no record knows and that look whole. Raises UserError for a damaged record, OSError, and what
    `report` raises.
    """
    known = record.read(package)
    folder = record.own_folder(package)
    after = known or Record(package.repository, "", "", {})
    faults: list[tuple[str, str]] = []
    for file in package.files:
        follow = partial(report, f"Checking {package.name}/{file}")
        why = _fault(folder / file, after.files.get(file), follow)
        if why:
            faults.append((file, why))
        if file in after.files:
            after = after.verified(file, so=not why)
        elif note and not why:
            size = (folder / file).stat().st_size
            entry = Entry(size, "sha256", digest(folder / file, "sha256", follow), verified=True)
            after = Record(after.repository, after.revision, after.licence, {**after.files, file: entry})
    if after.files:
        record.write(package, after)
    whole = set(package.files) <= set(after.files)
    basis = "form" if not whole else "hub" if after.revision else "here"
    return Finding(package, basis, after.revision, tuple(faults))


def _fault(path: Path, entry: Entry | None, report: Callable[[int, int], None]) -> str:
    if not path.is_file():
        return "it is missing"
    if entry is None:
        return fault(path)
    if path.stat().st_size != entry.size:
        return f"it has {path.stat().st_size} bytes, where {entry.size} belong"
    return "" if matches(path, entry, report) else "its hash is another"
