# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installation would do: known, shown and agreed to before a byte is fetched."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..hosts import PYTORCH
from .builds import Build, Choice, choose
from .hardware import this_machine
from .pins import package, read_pins, read_requirements

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest; pyproject.toml says so too
_ASK_SECONDS = 60.0
_QUESTION = """
import importlib.util, json, sys
print(json.dumps({
    "path": getattr(sys, "_base_executable", "") or sys.executable,
    "version": sys.version_info[:2],
    "full": sys.version.split()[0],
    "bits": sys.maxsize.bit_length() + 1,
    "venv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
}))
"""


@dataclass(frozen=True)
class Python:
    """The Python that makes the environment: its path, outside of any environment, and its version."""

    path: Path
    version: tuple[int, int]
    full: str


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is installed.

    name: of the environment; another pin, build, index or Python makes another name. index: the one index that
    everything comes from, or empty for pip's own settings and PyTorch's host.
    """

    name: str
    build: Build
    why: str
    python: Python
    requirements: tuple[str, ...]
    pins: tuple[str, ...]
    index: str

    @property
    def indices(self) -> list[str]:
        """Options of pip that say where packages come from."""
        if self.index:
            return ["--index-url", self.index]
        return ["--extra-index-url", pytorch_index(self.build)] if self.build.name else []

    @property
    def hosts(self) -> list[str]:
        """What is asked for files, for a person to read."""
        own = os.environ.get("PIP_INDEX_URL") or "the Python Package Index"
        return [self.index] if self.index else [own, *([pytorch_index(self.build)] if self.build.name else [])]


def make_plan(wanted: str = "auto", python: Path | None = None, index: str = "") -> Plan:
    """Look at this machine and decide.

    wanted: a build, see `choose`. python: what makes the environment, by default the Python that runs this. index:
    see `Plan`. Raises `UserError` where it cannot be installed, with what to do.
    """
    choice = choose(this_machine(), wanted)
    asked = _ask(python or Path(sys.executable))
    requirements, pins = _what(choice, asked.version, index)
    recipe = json.dumps([requirements, pins, index, asked.full])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
    name = f"{choice.build.name or 'mps'}-{digest}"
    return Plan(name, choice.build, choice.why, asked, requirements, pins, index)


def pytorch_index(build: Build) -> str:
    """The address of the index that holds a build."""
    return f"{os.environ.get('HI3DGEN_PYTORCH') or PYTORCH}/{build.name}"


def _what(choice: Choice, version: tuple[int, int], index: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The requirements and the pins. Of the PyTorch host the very build is asked for, not whatever sorts highest."""
    try:
        always, named = read_requirements(ROOT)
        pins = read_pins(ROOT, version)
    except FileNotFoundError as error:
        sentence = f"This copy of Hi3DGen came without its list of packages ({Path(error.filename).name})."
        raise UserError("no-pins", sentence, "Run this from the Blender extension or from a checkout.") from error
    pinned = {package(pin): pin for pin in pins}
    exact = f"{pinned['torch']}+{choice.build.name}" if choice.build.name and not index else pinned["torch"]
    wanted = (exact if package(line) == "torch" else line for line in (*always, *named["hi3dgen"]))
    return tuple(wanted), (*pins, *choice.build.pins)


def _ask(python: Path) -> Python:
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        ran = subprocess.run(
            [python, "-I", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            check=True,
            creationflags=flags,
        )
        told = json.loads(ran.stdout)
        found = Python(Path(told["path"]), (told["version"][0], told["version"][1]), told["full"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise UserError("no-python", f"“{python}” is no Python that runs.", _another_python()) from error
    if not PYTHONS[0] <= found.version <= PYTHONS[1] or told["bits"] != 64:
        sentence = f"“{python}” is Python {found.full}, {told['bits']} bits; the engine runs on 3.11 to 3.13, 64 bits."
        raise UserError("no-python", sentence, _another_python())
    if not told["venv"]:
        sentence = f"“{python}” cannot make virtual environments: its modules venv and ensurepip are missing."
        version = ".".join(map(str, found.version))
        advice = f"On Debian and Ubuntu install python{version}-venv. Else: {_another_python()}"
        raise UserError("no-venv", sentence, advice)
    return found


def _another_python() -> str:
    return "Name another Python, 3.11 to 3.13 from python.org or your system: in the preferences, or by --python PATH."
