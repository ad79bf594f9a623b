# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the folder of the weights what its records say: asks the hub once, then brings what is missing.

First `plan`, which downloads no weights, then, when the person has agreed to what it says, `run`. A file comes as
PACKAGE/.partial/HASH, and takes its name when its hash is right; whatever ends the run, the next one goes on there.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import UserError
from ..folders import free_space, weights_folder
from . import disk, hub, hub_cache, record
from .catalogue import Package
from .record import Record
from .store import PARTIAL, is_whole
from .transfer import WebPageError, fetch
from .verification import matches

Report = Callable[[str, int, int], None]
"""`report(label, done, of)` in bytes, several times a second; it may raise `Cancelled`."""


@dataclass(frozen=True)
class Order:
    """What is to be done for one package: the files that are to be downloaded, and how they have to be."""

    package: Package
    record: Record
    files: tuple[str, ...]

    @property
    def size(self) -> int:
        """The bytes of the files when they are whole."""
        return sum(self.record.files[file].size for file in self.files)

    @property
    def begun(self) -> int:
        """The bytes of them that are there from before."""
        return sum(_size(_part(self.package, self.record, file)) for file in self.files)


def plan(packages: Iterable[Package], report: Report, *, update: bool = False, cached: bool = False) -> list[Order]:
    """What `run` has to do so that `packages` are there, an order for each.

    A package that has a record is held to it, also to its revision; `update` asks for the newest instead. Files that
    are there and were never verified are verified now, which `report` follows. `cached` takes what the hub's shared
    cache on this machine has. Raises UserError, and what `report` raises.
    """
    with disk.plainly():
        return [_order(package, report, update=update, cached=cached) for package in packages]


def _order(package: Package, report: Report, *, update: bool, cached: bool) -> Order:
    wanted = _wanted(package, update=update, cached=cached)
    files: list[str] = []
    for file in package.files:
        path, follow = record.own_folder(package) / file, partial(report, f"Checking {package.name}/{file}")
        if is_whole(path, wanted, file):
            continue
        if matches(path, wanted.files[file], follow) or (
            cached and hub_cache.take(package, wanted, file, path, follow)
        ):
            wanted = wanted.verified(file)
        else:
            files.append(file)
    return Order(package, wanted, tuple(files))


def _wanted(package: Package, *, update: bool, cached: bool) -> Record:
    """How the package has to be: as its record says, or as the hub does, minding what was verified already."""
    known = record.read(package)
    if known is None:
        return (hub_cache.whole(package) if cached else None) or hub.ask(package)
    if known.revision and not update and set(package.files) <= set(known.files):
        return known
    wanted = hub.ask(package, "" if update else known.revision)
    for file, entry in known.files.items():
        if entry.verified and file in wanted.files and entry.digest == wanted.files[file].digest:
            wanted = wanted.verified(file)
    return wanted


def space(orders: Iterable[Order]) -> tuple[int, int]:
    """How many bytes the downloads still take on the disk of the weights, and how many are free there."""
    return sum(order.size - order.begun for order in orders), free_space(weights_folder())


def run(orders: Sequence[Order], report: Report) -> None:
    """Download what the orders say, and write down what is known and verified.

    `report` follows the bytes of all of it. Raises UserError, and what `report` raises; what came stays.
    """
    with disk.plainly():
        needed, free = space(orders)
        if needed > free:
            raise disk.too_full(f"{needed / 1e9:.2f} GB are to be downloaded, and {free / 1e9:.2f} GB are free there")
        done, of = sum(order.begun for order in orders), sum(order.size for order in orders)
        for order in orders:
            record.write(order.package, order.record)  # before the first byte: what is begun is held to it
            done = _fill(order, done, of, report)


def _fill(order: Order, done: int, of: int, report: Report) -> int:
    package, known = order.package, order.record
    for file in order.files:
        part = _part(package, known, file)
        before = done - _size(part)
        part.parent.mkdir(parents=True, exist_ok=True)
        _bring(order, file, part, lambda here, before=before: report("Downloading the weights", before + here, of))
        if not matches(part, known.files[file], partial(report, f"Checking {package.name}/{file}")):
            part.unlink()
            raise _altered(package, file)
        path = record.own_folder(package) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
        known = known.verified(file)
        record.write(package, known)
        done = before + known.files[file].size
    shutil.rmtree(record.own_folder(package) / PARTIAL, ignore_errors=True)
    return done


def _bring(order: Order, file: str, part: Path, report: Callable[[int], None]) -> None:
    package, known = order.package, order.record
    with hub.plainly(package):
        try:
            fetch(hub.address(package, known.revision, file), hub.headers(), part, known.files[file].size, report)
        except WebPageError:
            raise hub.not_the_hub(package) from None


def _part(package: Package, known: Record, file: str) -> Path:
    """Where the file is while it is not whole; named by its content, so that another revision's is not gone on with."""
    return record.own_folder(package) / PARTIAL / known.files[file].digest


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _altered(package: Package, file: str) -> UserError:
    return UserError(
        "weights-damaged",
        f"What came for {package.name}/{file} is not what the hub announced, and was thrown away.",
        "Start again. If it stays so, a proxy or a mirror alters files: go another way (HTTPS_PROXY, HF_ENDPOINT).",
    )
