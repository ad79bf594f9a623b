# SPDX-License-Identifier: GPL-3.0-or-later
"""The labels that a person gives: a line each, on the disk as soon as it is given; an object's last one counts."""

import time
from pathlib import Path

from ..batch.journal import Journal
from .world import read_lines


class Labels:
    """The labels of a file of JSON lines, which is made if it is missing."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path, path.with_name(f".{path.name}.lock"))
        self.given = labels_of(path)

    def give(self, name: str, *, keep: bool | None) -> None:
        """Keep or drop an object; None takes its label back. Raises `UserError` if it cannot be written."""
        with self._journal.locked():
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self._journal.append([{"name": name, "keep": keep, "at": at}], lasting=True)
        if keep is None:
            self.given.pop(name, None)
        else:
            self.given[name] = keep


def labels_of(path: Path) -> dict[str, bool]:
    """Each labelled object by name, and whether it is to be kept; nothing if there is no file. Raises `UserError`."""
    if not path.exists():
        return {}
    last = {line["name"]: line["keep"] for line in read_lines(path, ("name", "keep"))}
    return {name: keep for name, keep in last.items() if isinstance(keep, bool)}
