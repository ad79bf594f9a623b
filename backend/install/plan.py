# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installation would do: known, shown and agreed to before a byte is downloaded."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..hosts import PYTORCH, shown
from ..safe_files import read_small
from .builds import Build, ChosenBuild, choose
from .hardware import this_machine
from .pins import HASHES, package, read_pins, read_requirements

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ((3, 11), (3, 14))  # the oldest and the newest; pyproject.toml says so too
_SUPPORTED = " to ".join(f"{major}.{minor}" for major, minor in PYTHONS)
_ASK_SECONDS = 60.0
_LONGEST_LIST = 32 << 20  # bytes of a list of hashes
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
class InstallPlan:
    """Everything that decides what is installed.

    name: of the environment; another pin, hash, build, index or Python makes another name. requirements: the packages
    that the engine imports, `torch` among them in the very build. hashes: the list of pip's hashes for all packages
    but PyTorch and what it alone brings along. index: the one index that everything comes from, or empty for pip's
    own settings and PyTorch's host.
    """

    name: str
    build: Build
    why: str
    python: Python
    requirements: tuple[str, ...]
    pins: tuple[str, ...]
    hashes: Path
    index: str

    @property
    def torch(self) -> str:
        """The requirement that names the build of PyTorch."""
        return next(line for line in self.requirements if package(line) == "torch")

    @property
    def index_options(self) -> list[str]:
        """The options of pip that say where all packages but PyTorch come from."""
        return ["--index-url", self.index] if self.index else []

    @property
    def torch_index_options(self) -> list[str]:
        """The options of pip that say where PyTorch comes from."""
        if self.index or not self.build.name:
            return self.index_options
        return ["--extra-index-url", pytorch_index(self.build)]

    @property
    def hosts(self) -> list[str]:
        """The addresses that files are downloaded from, for a person to read: without a user's name and password."""
        own = os.environ.get("PIP_INDEX_URL") or "the Python Package Index"
        all_of_them = [self.index] if self.index else [own, *([pytorch_index(self.build)] if self.build.name else [])]
        return [shown(address) for address in all_of_them]


def make_plan(wanted: str = "auto", python: Path | None = None, index: str = "") -> InstallPlan:
    """Look at this machine and decide.

    wanted: a build, see `choose`. python: makes the environment, by default the Python that runs this. index: see
    `InstallPlan`. Raises `UserError` if it cannot be installed, with what to do.
    """
    chosen = choose(this_machine(), wanted)
    asked = _ask(python or Path(sys.executable))
    hashes = Path(os.environ.get("HI3DGEN_HASHES") or ROOT / HASHES).absolute()
    try:
        requirements, pins = _packages(chosen, asked.version, index)
    except OSError as error:
        advice = "Run this from the Blender extension or from a checkout."
        raise _unreadable(error.filename, error, advice) from error
    try:
        listing = read_small(hashes, _LONGEST_LIST)
        listing.decode()  # refuses what is not text
    except (OSError, ValueError) as error:
        raise _unreadable(hashes, error, "If HI3DGEN_HASHES names it, name another list, or none.") from error
    listed = hashlib.sha256(listing).hexdigest()
    recipe = json.dumps([requirements, pins, listed, index, asked.full])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
    name = f"{chosen.build.name or 'mps'}-{digest}"
    return InstallPlan(name, chosen.build, chosen.why, asked, requirements, pins, hashes, index)


def pytorch_index(build: Build) -> str:
    """The address of the index that holds a build."""
    return f"{os.environ.get('HI3DGEN_PYTORCH') or PYTORCH}/{build.name}"


def _packages(chosen: ChosenBuild, version: tuple[int, int], index: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The requirements and the pins. PyTorch's host is asked for the very build, not for the highest version."""
    always, named = read_requirements(ROOT)
    pins = read_pins(ROOT, version)
    pinned = {package(pin): pin for pin in pins}
    exact = f"{pinned['torch']}+{chosen.build.name}" if chosen.build.name and not index else pinned["torch"]
    wanted = (exact if package(line) == "torch" else line for line in (*always, *named["hi3dgen"], *named["alone"]))
    return tuple(wanted), (*pins, *chosen.build.pins)


def _unreadable(path: Path | str, error: OSError | ValueError, advice: str) -> UserError:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return UserError("no-pins", f"The list of packages {path} cannot be read: {reason}.", advice)


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
        answer = json.loads(ran.stdout)
        major, minor = answer["version"]
        found = Python(Path(answer["path"]), (int(major), int(minor)), str(answer["full"]))
        bits, has_venv = int(answer["bits"]), bool(answer["venv"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError("no-python", f"“{python}” is not a Python that runs.", another_python()) from error
    if not PYTHONS[0] <= found.version <= PYTHONS[1] or bits != 64:
        sentence = f"“{python}” is Python {found.full}, {bits} bits; the engine runs on {_SUPPORTED}, 64 bits."
        raise UserError("no-python", sentence, another_python())
    if not has_venv:
        sentence = f"“{python}” cannot make virtual environments: its modules venv and ensurepip are missing."
        version = ".".join(map(str, found.version))
        advice = f"On Debian and Ubuntu install python{version}-venv. Elsewhere: {another_python()}"
        raise UserError("no-venv", sentence, advice)
    return found


def another_python() -> str:
    """The advice to name another Python."""
    return f"Name another Python, {_SUPPORTED} from python.org or your system: in the preferences, or by --python PATH."
