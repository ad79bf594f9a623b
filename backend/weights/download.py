# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads what is missing of the weights: asks the hub once for revision, sizes and hashes, and keeps to them.

First `plan`, which downloads no weights, then, when the person has agreed to what it says, `run`. A file comes as
PACKAGE/.partial/HASH, and takes its name when its hash is right; whatever ends the run, the next one goes on there.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import UserError
from ..folders import free_space, is_link, weights_folder
from . import disk, hub, hub_cache, record
from .catalogue import Package
from .disk import file_size
from .record import Record
from .store import PARTIAL, is_whole
from .transfer import WebPageError, fetch
from .verification import matches

FileProgress = Callable[[str, int, int], None]
"""`progress(label, done, of)` in bytes, several times a second; it may raise `Cancelled`."""


@dataclass(frozen=True)
class Download:
    """What is to be downloaded of one package: `files`, which have to be as `record` says."""

    package: Package
    record: Record
    files: tuple[str, ...]

    @property
    def size(self) -> int:
        """The bytes of the whole files."""
        return sum(self.record.files[file].size for file in self.files)

    @property
    def begun(self) -> int:
        """The bytes of them that came in an earlier run."""
        return sum(_part_size(_part(self.package, self.record, file)) for file in self.files)


def plan(
    packages: Iterable[Package], progress: FileProgress, *, update: bool = False, cached: bool = False
) -> list[Download]:
    """What `run` has to download so that each of `packages` is whole.

    The first time it is the catalogue's revision; a package that has a record stays at the recorded one, unless
    `update` asks for the catalogue's again. A record that cannot be used counts as none. Files that are there and were
    never verified are verified now, with `progress`. `cached` takes what the hub's shared cache on this machine has.
    Raises UserError, and what `progress` raises.
    """
    with disk.user_errors():
        return [_plan_one(package, progress, update=update, cached=cached) for package in packages]


def _plan_one(package: Package, progress: FileProgress, *, update: bool, cached: bool) -> Download:
    wanted = _wanted(package, update=update, cached=cached)
    files: list[str] = []
    for file in package.files:
        path, follow = record.own_folder(package) / file, partial(progress, f"Checking {package.name}/{file}")
        if is_whole(path, wanted, file):
            continue
        if matches(path, wanted.files[file], follow) or (
            cached and hub_cache.take(package, wanted, file, path, follow)
        ):
            wanted = wanted.with_verified(file)
        else:
            files.append(file)
    return Download(package, wanted, tuple(files))


def _wanted(package: Package, *, update: bool, cached: bool) -> Record:
    """How the package has to be: as its record says, else as the hub does, with what was verified already."""
    known = record.read_if_valid(package)
    if known is None:
        return (hub_cache.cached_record(package) if cached else None) or hub.ask(package, package.revision)
    if known.revision and not update and set(package.files) <= set(known.files):
        return known
    wanted = hub.ask(package, package.revision if update else known.revision or package.revision)
    for file, entry in known.files.items():
        if entry.verified and file in wanted.files and entry.digest == wanted.files[file].digest:
            wanted = wanted.with_verified(file)
    return wanted


def space(downloads: Iterable[Download]) -> tuple[int, int]:
    """How many bytes the downloads still take on the disk of the weights, and how many are free there.

    Raises OSError.
    """
    return sum(download.size - download.begun for download in downloads), free_space(weights_folder())


def run(downloads: Sequence[Download], progress: FileProgress) -> None:
    """Download all of them, and record what is verified.

    `progress` counts the bytes of all of them together. Raises UserError, and what `progress` raises; what came stays.
    """
    with disk.user_errors():
        needed, free = space(downloads)
        if needed > free:
            raise disk.too_full(f"{needed / 1e9:.2f} GB are to be downloaded, and {free / 1e9:.2f} GB are free there")
        done, of = sum(download.begun for download in downloads), sum(download.size for download in downloads)
        for download in downloads:
            record.write(download.package, download.record)  # before the first byte, so that the next run keeps to it
            done = _run_one(download, done, of, progress)


def _run_one(download: Download, done: int, of: int, progress: FileProgress) -> int:
    """Download the files of one package; returns `done` and the bytes that came."""
    package, known = download.package, download.record
    for file in download.files:
        part = _part(package, known, file)
        before = done - _part_size(part)
        _make_folder_of(part)
        _fetch(download, file, part, lambda here, before=before: progress("Downloading the weights", before + here, of))
        if not matches(part, known.files[file], partial(progress, f"Checking {package.name}/{file}")):
            part.unlink()
            raise _altered(package, file)
        path = record.own_folder(package) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
        known = known.with_verified(file)
        record.write(package, known)
        done = before + known.files[file].size
    shutil.rmtree(record.own_folder(package) / PARTIAL, ignore_errors=True)
    return done


def _fetch(download: Download, file: str, part: Path, report: Callable[[int], None]) -> None:
    package, known = download.package, download.record
    with hub.user_errors(package):
        try:
            fetch(hub.address(package, known.revision, file), hub.headers(), part, known.files[file].size, report)
        except WebPageError:
            raise hub.not_the_hub(package) from None


def _part(package: Package, known: Record, file: str) -> Path:
    """The file while it is not whole; named by its hash, so that another revision's file does not go on with it."""
    return record.own_folder(package) / PARTIAL / known.files[file].digest


def _part_size(part: Path) -> int:
    """The bytes of a part; 0 for a link, which is replaced."""
    return 0 if part.is_symlink() else file_size(part) or 0


def _make_folder_of(part: Path) -> None:
    if is_link(part.parent):
        part.parent.unlink()
    part.parent.mkdir(parents=True, exist_ok=True)


def _altered(package: Package, file: str) -> UserError:
    return UserError(
        "weights-damaged",
        f"What came for {package.name}/{file} does not have the hash that the hub gave, and was deleted.",
        "Start again. If it happens again, a proxy or a mirror alters files: use another (HTTPS_PROXY, HF_ENDPOINT).",
    )
