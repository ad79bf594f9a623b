# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes files from the cache that all programs which use huggingface_hub share on this machine.

The cache names each file's content by its hash (huggingface_hub's guide, "Understand caching").
"""

import re
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.file_download import repo_folder_name

from ..flow.products import Report
from .catalogue import Package
from .linking import link
from .record import Entry, Record
from .verification import matches


def cached_record(package: Package) -> Record | None:
    """The package as the cache has it, if it has every file of the catalogue's revision; else None.

    For a branch that is the newest commit that the cache saw. The hub is not asked: the hashes are those that it
    gave when the files came into the cache.
    """
    entries: dict[str, Entry] = {}
    revision = ""
    for file in package.files:
        found = try_to_load_from_cache(package.repository, file, revision=package.revision)
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
    """Link the file to `path` if the cache has it with the hash that `wanted` names; returns whether it has.

    Raises OSError, and what `report` raises.
    """
    entry = wanted.files[file]
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=package.repository, repo_type="model")
    snapshot = folder / "snapshots" / wanted.revision / file
    for source in (folder / "blobs" / entry.digest, snapshot):
        if matches(source, entry, report):
            link(source.resolve(), path)
            return True
    return False
