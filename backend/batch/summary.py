# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a batch, in order and for programs: `summary.jsonl`, a line a picture."""

import contextlib
from collections.abc import Iterable
from typing import Any

from ..errors import UserError
from ..safe_files import read_small, replacing
from .journal import encoded
from .lines import PICTURE
from .manifest import Entry, Manifest, State

SUMMARY = "summary.jsonl"


def write_summary(manifest: Manifest, names: Iterable[str]) -> None:
    """Write the summary of these pictures, unless it is there already. Raises `UserError`."""
    path = manifest.out / SUMMARY
    content = b"".join(encoded(described(manifest.entries[name])) for name in names)
    with contextlib.suppress(OSError, ValueError):
        if read_small(path, len(content)) == content:
            return
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError("not-written", f"“{path}” could not be written: {reason}.", "Make room.") from error


def described(entry: Entry) -> dict[str, Any]:
    """What a program learns of a picture; paths are relative to the folder. `error` is there if it failed."""
    error = {"code": entry.code, "sentence": entry.sentence, "advice": entry.advice}
    return {
        "name": entry.name,
        "picture": entry.request["inputs"][PICTURE],
        "state": str(entry.state),
        "files": list(entry.files),
        "seconds": entry.seconds,
        "notes": list(entry.notes),
        **({"error": error} if entry.code else {}),
    }


def taken_elsewhere(entries: Iterable[Entry]) -> str:
    """A sentence on the pictures that another process has taken and not ended; empty if there are none."""
    count = sum(entry.state in (State.WAITING, State.RUNNING) for entry in entries)
    if not count:
        return ""
    which, them = ("1 picture is", "it") if count == 1 else (f"{count} pictures are", "them")
    advice = "Run the same command again when that process has ended."
    return f"{which} not made yet: another process has taken {them}. {advice}"
