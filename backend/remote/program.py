# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as it is copied: the package `backend` and what it reads beside itself."""

import gzip
import hashlib
import io
import tarfile
from functools import cache
from pathlib import Path

from ..version import VERSION

_ROOT = Path(__file__).parents[2]
_BESIDE = ("pyproject.toml", "constraints.txt")  # what `install` reads
_LEFT_OUT = {"__pycache__", "detailverse", "training"}  # as the extension's zip does: they run in a checkout


@cache
def name() -> str:
    """The name of this program's folder on the other computer: another program has another name."""
    digest = hashlib.sha256(f"{VERSION}\n".encode())
    for path in _files():
        digest.update(f"{path} {(_ROOT / path).stat().st_size}\n".encode())
        digest.update((_ROOT / path).read_bytes())
    return f"hi3dgen-{VERSION}-{digest.hexdigest()[:12]}"


def packed() -> bytes:
    """The program as a tar archive, compressed; the same for the same files."""
    archive = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=archive, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as files,
    ):
        for path in _files():
            content = (_ROOT / path).read_bytes()
            entry = tarfile.TarInfo(path.as_posix())
            entry.size, entry.mode = len(content), 0o600
            files.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def _files() -> list[Path]:
    """The paths of the program's files below the root, in order."""
    found = (path.relative_to(_ROOT) for path in (_ROOT / "backend").rglob("*") if path.is_file())
    return [*map(Path, _BESIDE), *sorted(path for path in found if not _LEFT_OUT & {*path.parts})]
