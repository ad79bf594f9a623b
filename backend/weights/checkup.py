# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a package that is here: each file's hash if its record has one, else its form."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from ..errors import UserError
from ..flow.products import Report
from . import record
from .catalogue import Package
from .disk import file_size
from .record import Entry, Record
from .verification import digest, fault, matches

Basis = Literal["hub", "here", "form"]
"""What a package was compared with: the hub's hashes, hashes that were computed here once, or its files' own form."""


@dataclass(frozen=True)
class Finding:
    """What was found. `faults` are files with what is wrong with each, as a clause."""

    package: Package
    basis: Basis
    revision: str
    faults: tuple[tuple[str, str], ...]


def check(package: Package, report: Callable[[str, int, int], None], *, record_hashes: bool = False) -> Finding:
    """Check every file of `package`; `report(label, done, of)` is called in bytes.

    The record notes which files have the wrong hash, so that `download` downloads them again. A record that cannot be
    used is a fault, and the files are checked by their form. `record_hashes` records the hashes of files that no
    record has and that look whole, and replaces a record that cannot be used. Raises OSError, and what `report`
    raises.
    """
    known, faults = _known(package)
    if record_hashes:
        faults = []
    folder = record.own_folder(package)
    after = known or Record(package.repository, "", "", {})
    for file in package.files:
        follow = partial(report, f"Checking {package.name}/{file}")
        why = _fault(folder / file, after.files.get(file), follow)
        if why:
            faults.append((file, why))
        if file in after.files:
            after = after.with_verified(file, verified=not why)
        elif record_hashes and not why:
            size = (folder / file).stat().st_size
            entry = Entry(size, "sha256", digest(folder / file, "sha256", follow), verified=True)
            after = Record(after.repository, after.revision, after.licence, {**after.files, file: entry})
    if after.files:
        record.write(package, after)
    complete = set(package.files) <= set(after.files)
    basis = "form" if not complete else "hub" if after.revision else "here"
    return Finding(package, basis, after.revision, tuple(faults))


def _known(package: Package) -> tuple[Record | None, list[tuple[str, str]]]:
    """The package's record, and it among the faults if it cannot be used."""
    try:
        return record.read(package), []
    except UserError:
        return None, [(record.NAME, "it cannot be used")]


def _fault(path: Path, entry: Entry | None, report: Report) -> str:
    size = file_size(path)
    if size is None:
        return "it is missing"
    if entry is None:
        return fault(path)
    if size != entry.size:
        return f"it has {size} bytes instead of {entry.size}"
    return "" if matches(path, entry, report) else "it has another hash"
