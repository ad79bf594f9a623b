# SPDX-License-Identifier: GPL-3.0-or-later
"""What was once learnt about a package's files, kept beside them: which revision, which sizes, which hashes.

The first download asks the hub for all of it, writes it down before the first file comes, and every later one holds
to it. A folder that was copied by hand has none, until `verify --record` writes down the hashes of what is there.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import UserError
from ..folders import weights_folder
from .catalogue import Package

NAME = "hi3dgen-record.json"
_FORMAT = 1

Algorithm = Literal["sha256", "git-sha1"]


@dataclass(frozen=True)
class Entry:
    """A file: its size in bytes and its hash, in lower-case hexadecimal digits.

    The hub knows large files by their SHA-256 and small ones by the hash that git gives them. `verified` says that
    the file on this machine had this hash when it was last looked at.
    """

    size: int
    algorithm: Algorithm
    digest: str
    verified: bool

    def __post_init__(self) -> None:
        """Raises ValueError for a digest of another form: it comes from outside, and names a file here."""
        digits = {"sha256": 64, "git-sha1": 40}[self.algorithm]
        if self.size < 0 or not re.fullmatch(f"[0-9a-f]{{{digits}}}", self.digest):
            raise ValueError("a value in it is out of place")


@dataclass(frozen=True)
class Record:
    """A package's files as they have to be.

    `revision` is the hub's commit, "" where the hub was never asked; `licence` is what the hub's page of the
    repository named, "" where it named none.
    """

    repository: str
    revision: str
    licence: str
    files: dict[str, Entry]

    def verified(self, file: str, *, so: bool = True) -> "Record":
        """The same record, in which `file` is verified, or is not."""
        return replace(self, files={**self.files, file: replace(self.files[file], verified=so)})


def own_folder(package: Package) -> Path:
    """The package's folder among the weights, which need not be there."""
    return weights_folder() / package.name


def read(package: Package) -> Record | None:
    """The package's record, None where there is none. Raises UserError where it is damaged or another repository's."""
    path = own_folder(package) / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    try:
        record = _from_json(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, error) from error
    if record.repository != package.repository:
        raise _damaged(path, f"it is about {record.repository!r:.80}")
    return record


def write(package: Package, record: Record) -> None:
    """Write the package's record, whole or not at all, making its folder. Raises OSError."""
    path = own_folder(package) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"format": _FORMAT, **asdict(record)}, indent=1), encoding="utf-8")
    beside.replace(path)


def _from_json(value: dict[str, Any]) -> Record:
    if value.get("format") != _FORMAT:
        raise ValueError("it is of another version")
    repository, revision, licence = (_text(value[key]) for key in ("repository", "revision", "licence"))
    return Record(repository, revision, licence, {file: _entry(**entry) for file, entry in value["files"].items()})


def _entry(size: object, algorithm: object, digest: object, verified: object) -> Entry:
    if not (isinstance(size, int) and isinstance(verified, bool) and algorithm in {"sha256", "git-sha1"}):
        raise ValueError("a value in it is out of place")
    return Entry(size, "sha256" if algorithm == "sha256" else "git-sha1", _text(digest), verified)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a value in it is out of place")
    return value


def _damaged(path: Path, why: object) -> UserError:
    return UserError(
        "weights-record-damaged",
        f"{path} cannot be used: {why}.",
        "Delete this file; the weights stay. `weights download` or `weights verify --record` makes it anew.",
    )
