# SPDX-License-Identifier: GPL-3.0-or-later
"""Which upscaler the user has chosen, and whether it can run here. Nothing heavy is imported."""

import hashlib
import importlib.util
import os
from functools import lru_cache
from pathlib import Path

UPSCALER = "HI3DGEN_UPSCALER"
"""The environment variable that names a file of an upscaler's weights."""
UPSCALE = "upscale"
"""The name of the setting that switches it on."""
LIBRARIES = ("torch", "spandrel", "safetensors")


def chosen_file() -> Path | None:
    """The file of weights that the user has chosen, whether it is there or not; None for none."""
    named = os.environ.get(UPSCALER, "").strip()
    return Path(named).absolute() if named else None


def lacking() -> list[str]:
    """Which libraries are missing that an upscaler needs."""
    return [library for library in LIBRARIES if importlib.util.find_spec(library) is None]


def versions() -> dict[str, str]:
    """What tells the chosen file from others, by name, for `flow.engine.Engine`; nothing if there is none."""
    path = chosen_file()
    if path is None or lacking():
        return {}
    try:
        if not path.is_file():  # a pipe would be waited for
            return {}
        about = path.stat()
        return {UPSCALE: f"{path.name} {_digest(path, about.st_size, about.st_mtime_ns)}"}
    except OSError:  # which is told by the job that needs it
        return {}


@lru_cache(maxsize=4)
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
