# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about a package's files, kept beside them: which revision, which sizes, which hashes.

The first download asks the hub for all of it and writes it down before the first file comes; every later download
keeps to it. A folder that was copied by hand has no record until `verify --record` writes down the hashes of what is
there. A record is no secret, and a folder of weights may serve several users: everybody may read it.
"""

import hashlib
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from .. import safe_files
from ..errors import UserError
from ..folders import weights_folder
from .catalogue import Package

NAME = "hi3dgen-record.json"
_FORMAT = 1
_LARGEST = (1 << 63) - 1  # bytes of a file, for every system

Algorithm = Literal["sha256", "git-sha1"]


@dataclass(frozen=True)
class Entry:
    """A file: its size in bytes and its hash, in lower-case hexadecimal digits.

    The hub knows large files by their SHA-256 and small ones by the hash that git gives them. `verified` says that
    the file on this machine had this hash when it was last read.
    """

    size: int
    algorithm: Algorithm
    digest: str
    verified: bool

    def __post_init__(self) -> None:
        """Raises ValueError for a size that no file has, and a digest, which names a file here, that is invalid."""
        digits = {"sha256": 64, "git-sha1": 40}[self.algorithm]
        if not 0 <= self.size <= _LARGEST or not re.fullmatch(f"[0-9a-f]{{{digits}}}", self.digest):
            raise ValueError("it holds an invalid value")


@dataclass(frozen=True)
class Record:
    """How a package's files have to be.

    `revision` is the hub's commit, "" if the hub was never asked; `licence` is what the hub's page of the repository
    names, "" if it names none.
    """

    repository: str
    revision: str
    licence: str
    files: dict[str, Entry]

    def __post_init__(self) -> None:
        """Raises ValueError for texts with control characters: they come from outside, and are shown to people."""
        if not (self.repository + self.revision + self.licence).isprintable():
            raise ValueError("it holds an invalid value")

    @property
    def version(self) -> str:
        """What identifies the files: the hub's commit, or without one "sha256:" and 16 digits over all their hashes."""
        listing = "".join(f"{file} {entry.digest}\n" for file, entry in sorted(self.files.items()))
        return self.revision or f"sha256:{hashlib.sha256(listing.encode()).hexdigest()[:16]}"

    def with_verified(self, file: str, *, verified: bool = True) -> "Record":
        """The same record, in which `file` is verified, or is not."""
        return replace(self, files={**self.files, file: replace(self.files[file], verified=verified)})


def own_folder(package: Package) -> Path:
    """The package's folder among the weights, whether it exists or not."""
    return weights_folder() / package.name


def read(package: Package) -> Record | None:
    """The package's record, None if there is none.

    Raises UserError("weights-record-damaged") if it cannot be read, is invalid, or is another repository's.
    """
    path = own_folder(package) / NAME
    try:
        record = _from_json(safe_files.read_json(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, error) from error
    if record.repository != package.repository:
        raise _damaged(path, f"it is about {record.repository!r:.80}")
    return record


def read_if_valid(package: Package) -> Record | None:
    """The package's record, None if there is none or it cannot be used."""
    try:
        return read(package)
    except UserError:
        return None


def write(package: Package, record: Record, folder: Path | None = None) -> None:
    """Write the package's record in one step, making its folder, or another `folder` than its own. Raises OSError."""
    path = (folder or own_folder(package)) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    safe_files.write_json(path, {"format": _FORMAT, **asdict(record)})


def _from_json(value: Any) -> Record:  # noqa: ANN401 - the caller catches what another type raises
    if value.get("format") != _FORMAT:
        raise ValueError("it is of another version")
    repository, revision, licence = (_text(value[key]) for key in ("repository", "revision", "licence"))
    return Record(repository, revision, licence, {file: _entry(**entry) for file, entry in value["files"].items()})


def _entry(size: object, algorithm: object, digest: object, verified: object) -> Entry:
    if not (type(size) is int and isinstance(verified, bool) and algorithm in ("sha256", "git-sha1")):
        raise ValueError("it holds an invalid value")
    return Entry(size, "sha256" if algorithm == "sha256" else "git-sha1", _text(digest), verified)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("it holds an invalid value")
    return value


def _damaged(path: Path, why: object) -> UserError:
    return UserError(
        "weights-record-damaged",
        f"The record {path} cannot be used: {why}.",
        "Download the weights again: whole files are kept, and the record is written anew. Without a network, "
        "`python -m backend weights verify --record` takes the files as they are.",
    )
