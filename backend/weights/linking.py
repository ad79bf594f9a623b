# SPDX-License-Identifier: GPL-3.0-or-later
"""The same file at two places, without taking the disk's space twice if that is possible."""

import os
import shutil
from pathlib import Path

from ..safe_files import replacing, unfinished


def link(source: Path, path: Path) -> None:
    """Make `path` the same as the file `source`, in place of what is there. Raises OSError.

    A hard link takes no space and stays when the source is removed. If the disk cannot do that, a symbolic link is
    made, which goes with the source, else a copy.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = unfinished(path)
    for make in (os.link, os.symlink):
        try:
            make(source, beside)
        except OSError:  # another disk, or a system that does not let everybody link
            continue
        try:
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return
    with source.open("rb") as original, replacing(path) as copy:
        shutil.copyfileobj(original, copy)
