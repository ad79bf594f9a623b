# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pictures of a folder were left out, as such files are not read from folders, and the sentence on them."""

from collections import Counter
from pathlib import PurePath

SUFFIXES = (
    *(".avif", ".cin", ".dds", ".dpx", ".exr", ".gif", ".hdr", ".heic", ".heif"),
    *(".j2c", ".jp2", ".jxl", ".psd", ".rgb", ".sgi", ".svg"),
)
"""Of files that a person takes for pictures. Of them single ones can be opened in Blender, as far as it knows them."""


def note(passed_over: Counter[str], name: str) -> None:
    """Count a file by its suffix if it is such a picture."""
    suffix = PurePath(name).suffix.lower()
    if suffix in SUFFIXES:
        passed_over[suffix] += 1


def told(passed_over: Counter[str]) -> str:
    """How many files of which kinds were left out, and what to do; empty if none was."""
    listed = ", ".join(f"{count} {suffix}" for suffix, count in sorted(passed_over.items()))
    return f"Left out, as such files are not read from folders: {listed}. Save them as PNG." if listed else ""
