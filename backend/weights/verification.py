# SPDX-License-Identifier: GPL-3.0-or-later
"""Says whether a file of weights is what it should be: by its hash if one is known, else by its own header.

`report` is called with the bytes that are read and the bytes of the file.
"""

import hashlib
import json
from pathlib import Path

from ..flow.products import Report
from ..safe_files import read_json
from .disk import file_size
from .record import Algorithm, Entry

_CHUNK = 1 << 22
_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit, and enough for any .json file


def digest(path: Path, algorithm: Algorithm, report: Report) -> str:
    """The file's hash in hexadecimal digits: SHA-256, or the one by which git names a blob. Raises OSError."""
    size = path.stat().st_size
    start = b"" if algorithm == "sha256" else b"blob %d\0" % size
    computed = hashlib.new(algorithm.removeprefix("git-"), start, usedforsecurity=False)
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            computed.update(piece)
            done += len(piece)
            report(done, size)
    return computed.hexdigest()


def matches(path: Path, entry: Entry, report: Report) -> bool:
    """Whether the file is there with the size and the hash that the record says. Raises OSError."""
    return file_size(path) == entry.size and digest(path, entry.algorithm, report) == entry.digest


def fault(path: Path) -> str:
    """What is wrong with a file that no record has, as a clause; "" if it looks whole.

    A .json file has to hold JSON. A .safetensors file begins with the length of its header (8 bytes, little-endian)
    and the header, JSON with the place of each tensor in the rest; the last tensor has to end at the end of the file.
    """
    try:
        if path.suffix == ".json":
            read_json(path, _LONGEST_HEADER)
        elif path.suffix == ".safetensors":
            return _safetensors_fault(path)
    except (OSError, ValueError, RecursionError) as error:
        return f"it cannot be read: {error}"
    return ""


def _safetensors_fault(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
            return "it is no safetensors file, or it is cut short"
        header = json.loads(file.read(length))
    try:
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        end = 8 + length + max(ends, default=0)
    except (AttributeError, TypeError, KeyError, IndexError):
        return "it is no safetensors file"
    return "" if end == size else f"by its header it has {end} bytes, and it has {size}"
