# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages are wanted, from pyproject.toml, and in exactly which versions, from constraints.txt.

Both lie at the root. The hashes of the engine's packages are in `HASHES`, a requirements file of pip's.
"""

from __future__ import annotations  # scripts/environment.py must get as far as telling an older Python that it is one

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HASHES = "backend/install/hashes.txt"  # in the checkout
WITHOUT = {"spandrel": ("torchvision",)}
"""Packages that are installed by `--no-deps`, the group `alone`, and what they require that is left out.

Each version of torchvision fits one very build of PyTorch, and one that does not fit breaks other libraries.
`backend/upscale/library.py` says how spandrel does without. What else it requires, the extra `hi3dgen` has.
"""
_PIN = re.compile(r"""([^;\s]+==[^;\s]+)(?:\s*;\s*python_version\s*(<|>=)\s*"(\d+)\.(\d+)")?""")


def read_requirements(root: Path) -> tuple[list[str], dict[str, list[str]]]:
    """The requirements of `root`/pyproject.toml: those of the project, and those of each extra and group by its name.

    Raises OSError.
    """
    import tomllib  # noqa: PLC0415 - new in Python 3.11

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["dependencies"], {
        **project["project"]["optional-dependencies"],
        **project.get("dependency-groups", {}),
    }


def read_pins(root: Path, python: tuple[int, int], overrides: Sequence[str] = ()) -> list[str]:
    """The pins (name==version) of `root`/constraints.txt that hold for a version of Python.

    A line may end in `; python_version >= "3.13"`, or `<`. overrides: pins in place of those for the same packages.
    Raises OSError, and `ValueError` for a line that is no pin.
    """
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [_read(line, python) for line in lines if line.strip() and not line.startswith("#")]
    replaced = {package(pin) for pin in overrides}
    return [*(pin for pin in pins if pin and package(pin) not in replaced), *overrides]


def read_hashes(listing: str) -> list[tuple[str, str]]:
    """The entries of a list of hashes: a package's name, and its lines.

    listing: the text of a requirements file in which an entry begins at the start of a line and its hashes follow on
    indented lines.
    """
    entries = re.split(r"(?<=\n)(?=\S)", listing)
    return [(package(entry), entry) for entry in entries if entry.strip() and not entry.startswith("#")]


def package(requirement: str) -> str:
    """The normalised name (PEP 503) that a requirement begins with."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(line: str, python: tuple[int, int]) -> str:
    """The pin; empty if it is for another Python."""
    found = _PIN.fullmatch(line.strip())
    if found is None:
        raise ValueError(f"constraints.txt: “{line}” is no exact pin")
    pin, relation, major, minor = found.groups()
    if relation is None:
        return pin
    bound = (int(major), int(minor))
    return pin if (python < bound) == (relation == "<") else ""
