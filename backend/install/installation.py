# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a plan: environment, packages, test, switch. Until the switch, what was in use stays in use."""

import os
import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote

from ..errors import UserError
from . import smoke
from .builds import BUILDS
from .environments import Environments, Installed, tested, unwritable
from .packages import pip_install
from .pins import package
from .plan import Plan
from .troubles import explain

_GUARD = 0.2e9  # bytes that stay free on the disk
_DOWNLOADING = re.compile(r"\s*Downloading (\S+\.whl) \(([\d.]+) ([kMG]?)B\)")
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_INSTALLING = "Installing collected packages: "


class Tell(Protocol):
    """How far it is; see `backend.commands.progress`."""

    def __call__(self, label: str, done: int, of: int, unit: Literal["bytes", "steps"] = "bytes") -> None:
        """Tell."""


def install(plan: Plan, environments: Environments, tell: Tell) -> Installed:
    """Make the environment that `plan` describes, test it and use it; one that is there and passes is not made again.

    Raises `UserError` where it cannot be made, and lets an interrupt through; either leaves what was in use as it was,
    nothing half-made, and what was downloaded completely for the next time.
    """
    with environments.locked():
        environments.prune(plan.name, *environments.kept())
        if not _still_passes(plan, environments, tell):
            _require_room(plan, environments)
            with _half_made(plan, environments):
                _make(plan, environments, tell)
                environments.stamp(_tested(plan, environments, tell))
        environments.switch(plan.name)
        shutil.rmtree(environments.downloads, ignore_errors=True)
    installed = environments.current()
    if installed is None:
        raise UserError("vanished", "The new environment has vanished.", "See what else writes into its folder.")
    return installed


def roll_back(environments: Environments, tell: Tell) -> Installed:
    """Use the environment that was in use before, after its test. Raises `UserError` where there is none that works."""
    with environments.locked():
        before = environments.previous()
        if before is None:
            advice = "Install the engine again: python -m backend install"
            raise UserError("nothing-before", "There is no earlier environment to go back to.", advice)
        tell("Testing", 0, 1, "steps")
        smoke.test(environments.python(before.name), BUILDS[before.build], environments.user / "bytecode")
        environments.switch(before.name)
    return before


def _make(plan: Plan, environments: Environments, tell: Tell) -> None:
    folder = environments.folder(plan.name)
    tell("Making the environment", 0, 1, "steps")
    command = [plan.python.path, "-m", "venv", folder]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    made = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, env=_clean(folder), creationflags=flags
    )
    if made.returncode != 0:
        said = (made.stdout + made.stderr).strip().splitlines()
        sentence = (
            f"“{plan.python.path}” could not make a virtual environment: {said[-1] if said else 'it says nothing'}."
        )
        advice = "Name another Python, 3.11 to 3.13: in the extension's preferences, or by --python PATH."
        raise UserError("no-venv", sentence, advice)
    tell("Making the environment", 1, 1, "steps")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(plan.pins) + "\n", encoding="utf-8")
    (folder / "tmp").mkdir()
    python = environments.python(plan.name)
    places = [*plan.indices, "--cache-dir", environments.downloads, "--constraint", constraints]
    follow = _Follow(folder, tell)
    # A newer pip goes on where a large file broke off; where the index has none, the one of this Python serves. No
    # bytecode is made: the backend keeps it in a folder of its own.
    for wanted in (["pip"], ["--no-compile", *plan.requirements]):
        arguments = [*places, *wanted]
        output = pip_install(
            python, arguments, environments.log, follow.said, meanwhile=follow.look, environment=_clean(folder)
        )
        trouble = explain(output) if output is not None else None
        if trouble and not (wanted == ["pip"] and trouble.code == "no-such-package"):
            evidence = trouble.evidence.splitlines()[-1:] if trouble.code == "pip-failed" else []
            advice = " ".join([*evidence, trouble.advice, f"The whole log: {environments.log}"])
            raise UserError(trouble.code, f"The packages could not be installed. {trouble.sentence}", advice)
    shutil.rmtree(folder / "tmp", ignore_errors=True)


def _still_passes(plan: Plan, environments: Environments, tell: Tell) -> bool:
    if environments.whole(plan.name) is None:
        return False
    try:
        environments.stamp(_tested(plan, environments, tell))
    except UserError as error:
        if error.code != smoke.FAILED:
            raise
        return False  # something has been at its files
    return True


def _tested(plan: Plan, environments: Environments, tell: Tell) -> Installed:
    tell("Testing", 0, 1, "steps")
    python = environments.python(plan.name)
    torch, device = smoke.test(python, plan.build, environments.user / "bytecode")
    tell("Testing", 1, 1, "steps")
    return tested(Installed(plan.name, plan.build.name or "mps"), torch, device)


@contextmanager
def _half_made(plan: Plan, environments: Environments) -> Generator[None]:
    """Start from nothing, and leave nothing unless it is whole."""
    folder = environments.folder(plan.name)
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        yield
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise unwritable(folder, error) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _require_room(plan: Plan, environments: Environments) -> None:
    free = shutil.disk_usage(environments.user).free
    needed = plan.build.download + plan.build.disk + _GUARD
    if free < needed:
        sentence = (
            f"The engine needs about {needed / 1e9:.1f} GB, and “{environments.user}” has {free / 1e9:.1f} GB left."
        )
        raise UserError("disk-full", sentence, "Make room on that disk and try again.")


def _clean(folder: Path) -> dict[str, str]:
    """The surroundings of Python and pip: no trace of Blender's, and temporary files where there is room for them."""
    foreign = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name not in foreign}
    temporary = {name: str(folder / "tmp") for name in ("TMPDIR", "TEMP", "TMP") if (folder / "tmp").exists()}
    return {**kept, **temporary, "PIP_USER": "0", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


class _Follow:
    """Reads from pip's output, from its temporary files and from what is installed how far it is."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._file, self._label, self._size = "", "", 0
        self._packages, self._before = 0, 0

    def said(self, line: str) -> None:
        """Take in a line of pip's."""
        found = _DOWNLOADING.match(line)
        if self._file:
            self._tell(self._label, self._size, self._size)
            self._file = ""
        if found:
            self._file = unquote(found[1].rpartition("/")[2])
            self._label = f"Downloading {package(self._file.partition('-')[0])}"
            self._size = round(float(found[2]) * _UNITS[found[3]])
            self._tell(self._label, 0, self._size)
        elif line.startswith("Collecting "):
            self._tell("Looking up packages", 0, 0, "steps")
        elif line.startswith(_INSTALLING):
            self._packages = line.count(",") + 1
            self._before = self._count()
            self._tell("Unpacking packages", 0, self._packages, "steps")
        elif line.startswith("Successfully installed"):
            self._tell("Unpacking packages", self._packages, self._packages, "steps")
            self._packages = 0

    def look(self) -> None:
        """Look how far pip is while it says nothing."""
        if self._packages:
            done = min(max(self._count() - self._before, 0), self._packages)
            self._tell("Unpacking packages", done, self._packages, "steps")
        elif self._file:
            arrived = 0
            with suppress(OSError):  # it is moved away when it is complete
                arrived = max(
                    (path.stat().st_size for path in (self._folder / "tmp").glob(f"*/{self._file}*")), default=0
                )
            if arrived:
                self._tell(self._label, min(arrived, self._size), self._size)

    def _count(self) -> int:
        """Installed packages: pip writes such a folder for each, the last of its files."""
        place = next(self._folder.glob("lib/python*/site-packages"), self._folder / "Lib" / "site-packages")
        names = os.listdir(place)  # noqa: PTH208 - in one look, because pip moves things meanwhile
        return sum(name.endswith(".dist-info") for name in names)
