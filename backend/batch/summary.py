# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a batch, in order and for programs: `summary.jsonl`, a line a picture."""

from collections.abc import Iterable
from typing import Any

from ..errors import UserError
from ..safe_files import replacing
from .journal import encoded
from .lines import PICTURE
from .manifest import Entry, Manifest

SUMMARY = "summary.jsonl"


def write_summary(manifest: Manifest, names: Iterable[str]) -> None:
    """Write the summary of these pictures. Raises `UserError`."""
    path = manifest.out / SUMMARY
    try:
        with replacing(path) as file:
            file.writelines(encoded(described(manifest.entries[name])) for name in names)
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
