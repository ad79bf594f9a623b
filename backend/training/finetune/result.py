# SPDX-License-Identifier: GPL-3.0-or-later
"""The fine-tuned networks beside the published ones, in a folder of weights that the engine `hi3dgen` reads."""

from collections.abc import Mapping
from pathlib import Path

from ...weights import record, store
from ...weights.catalogue import GEOMETRY, GUIDED, PACKAGES, Package
from ...weights.linking import link
from ...weights.record import Entry, Record
from ...weights.verification import digest
from .parts import Part
from .published import Published

_KINDS = (".json", ".safetensors")


def lay_out(published: Published, trained: Mapping[Part, Path], weights: Path) -> None:
    """Fill WEIGHTS with links to the published files, and to the networks that learned, by part, in their places.

    trained: stems. The record of the geometry is written anew, so that results say which weights made them. Raises
    OSError, and UserError if the published files are damaged.
    """
    for package in (*PACKAGES, GUIDED):
        if store.status(package).state == "present" and package is not GEOMETRY:
            _link_package(package, weights / package.name)
    folder = weights / GEOMETRY.name
    own = {
        published.flow(part).relative_to(published.geometry).as_posix() + kind: stem.with_name(stem.name + kind)
        for part, stem in trained.items()
        for kind in _KINDS
    }
    for file in GEOMETRY.files:
        link(own.get(file, published.geometry / file).resolve(), folder / file)
    entries = {file: _entry(folder / file) for file in GEOMETRY.files}
    known = record.read_if_valid(GEOMETRY)
    licence = known.licence if known else ""
    record.write(GEOMETRY, Record(GEOMETRY.repository, "", licence, entries), folder)


def _link_package(package: Package, folder: Path) -> None:
    source = record.own_folder(package)
    for file in (*package.files, record.NAME):
        if (source / file).is_file():
            link((source / file).resolve(), folder / file)


def _entry(path: Path) -> Entry:
    return Entry(path.stat().st_size, "sha256", digest(path, "sha256", lambda _done, _of: None), verified=True)
