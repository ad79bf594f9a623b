# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes files from the cache that all programs which use huggingface_hub share on this machine.

They are linked, not copied, where the disk can do that: they take no more space, and stay when the cache is cleared.
The cache names each file's content by its hash (huggingface_hub's guide, "Understand caching").
"""

import os
import re
import shutil
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.file_download import repo_folder_name

from .catalogue import Package
from .record import Entry, Record
from .verification import Report, matches


def whole(package: Package) -> Record | None:
    """The package as the cache has it, when it has every file of the newest revision that it saw; else None.

    The hub is not asked: the hashes are those that it told when the files came into the cache.
    """
    entries: dict[str, Entry] = {}
    revision = ""
    for file in package.files:
        found = try_to_load_from_cache(package.repository, file)
        if not isinstance(found, str):
            return None
        path = Path(found)
        revision = path.parents[file.count("/")].name
        content = path.resolve()
        if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", content.name):  # Windows without links
            return None
        algorithm = "sha256" if len(content.name) == 64 else "git-sha1"
        entries[file] = Entry(content.stat().st_size, algorithm, content.name, verified=False)
    return Record(package.repository, revision, "", entries)


def take(package: Package, wanted: Record, file: str, path: Path, report: Report) -> bool:
    """Link the file to `path` if the cache has it with the hash that `wanted` names; gives whether it had."""
    entry = wanted.files[file]
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=package.repository, repo_type="model")
    snapshot = folder / "snapshots" / wanted.revision / file
    for source in (folder / "blobs" / entry.digest, snapshot):
        if matches(source, entry, report):
            _link(source.resolve(), path)
            return True
    return False


def _link(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    for way in (os.link, os.symlink):
        try:
            way(source, beside)
            break
        except OSError:  # another disk, or a system that does not let everybody link
            continue
    else:
        shutil.copyfile(source, beside)
    beside.replace(path)
