# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a plan: environment, packages, test, switch. Until the switch, what was in use stays in use.

pip compares every file with a list of hashes (backend/install/hashes.txt), but for those of PyTorch's host and what
PyTorch alone brings along: of them, it compares each with the hash that the index names.
"""

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
from .environments import Environments, Installed, unwritable
from .packages import pip_install
from .pins import package, read_hashes
from .plan import InstallPlan, another_python
from .troubles import explain

_GUARD = 0.2e9  # bytes that stay free on the disk
_DOWNLOADING = re.compile(r"\s*Downloading (\S+\.whl) \(([\d.]+) ([kMG]?)B\)")
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_INSTALLING = "Installing collected packages: "


class InstallProgress(Protocol):
    """Shows how far an installation is, as `backend.commands.progress` does."""

    def __call__(self, label: str, done: int, of: int, unit: Literal["bytes", "steps"] = "bytes") -> None:
        """`done` of `of` bytes or steps of what `label` names are done; `of` is 0 if the end is not known."""


def install(plan: InstallPlan, environments: Environments, progress: InstallProgress) -> Installed:
    """Make the environment that `plan` describes, test it and use it; one that is there and passes is not made again.

    Raises `UserError` if it cannot be made, and what `progress` raises. Either way, and after an interrupt, what was
    in use stays in use, nothing half-made is left, and whole downloads are kept for the next time.
    """
    with environments.locked():
        environments.prune(plan.name, *environments.kept())
        if not _still_passes(plan, environments, progress):
            _require_room(plan, environments)
            with _half_made(plan, environments):
                _make(plan, environments, progress)
                environments.stamp(_tested(plan, environments, progress))
        environments.switch(plan.name)
        shutil.rmtree(environments.downloads, ignore_errors=True)
    installed = environments.current()
    if installed is None:
        raise UserError("vanished", "The new environment has vanished.", "See what else writes into its folder.")
    return installed


def roll_back(environments: Environments, progress: InstallProgress) -> Installed:
    """Use the environment that was in use before, after its test. Raises `UserError` if there is none that works."""
    with environments.locked():
        before = environments.previous()
        if before is None or before.build not in BUILDS:  # an older version had other builds
            advice = "Install the engine again: python -m backend install"
            raise UserError("nothing-before", "There is no earlier environment to go back to.", advice)
        progress("Testing", 0, 1, "steps")
        smoke.test(environments.python(before.name), BUILDS[before.build], environments.bytecode)
        environments.switch(before.name)
    return before


def _make(plan: InstallPlan, environments: Environments, progress: InstallProgress) -> None:
    folder = environments.folder(plan.name)
    progress("Making the environment", 0, 1, "steps")
    _make_venv(plan.python.path, folder)
    progress("Making the environment", 1, 1, "steps")
    constraints, newer_pip, others = (folder / name for name in ("constraints.txt", "pip.txt", "packages.txt"))
    constraints.write_text("\n".join(plan.pins) + "\n", encoding="utf-8")
    listed = read_hashes(plan.hashes.read_text(encoding="utf-8"))
    newer_pip.write_text("".join(entry for name, entry in listed if name == "pip"), encoding="utf-8")
    others.write_text("".join(entry for name, entry in listed if name != "pip"), encoding="utf-8")
    (folder / "tmp").mkdir()
    # A newer pip goes on where a large file broke off; if the index has none, the one of this Python is used. No
    # bytecode is made: the backend keeps it in a folder of its own.
    hashed = [*plan.index_options, "--require-hashes", "--no-compile", "--requirement"]
    runs: list[list[str | Path]] = [
        [*hashed, newer_pip],
        ["--no-deps", *hashed, others],  # the list is whole; see `pins.WITHOUT`
        [*plan.torch_index_options, "--no-compile", "--constraint", constraints, plan.torch],
    ]
    reader = _PipReader(folder, progress)
    for number, arguments in enumerate(runs):
        output = pip_install(
            environments.python(plan.name),
            ["--cache-dir", environments.downloads, *arguments],
            environments.log,
            reader.read_line,
            on_silence=reader.read_files,
            append=number > 0,
            environment=_clean(folder),
        )
        trouble = explain(output) if output is not None else None
        if trouble and not (number == 0 and trouble.code == "no-such-package"):
            evidence = trouble.evidence.splitlines()[-1:] if trouble.code == "pip-failed" else []
            advice = " ".join([*evidence, trouble.advice, f"The whole log: {environments.log}"])
            raise UserError(trouble.code, f"The packages could not be installed. {trouble.sentence}", advice)
    shutil.rmtree(folder / "tmp", ignore_errors=True)


def _make_venv(python: Path, folder: Path) -> None:
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    made = subprocess.run(
        [python, "-m", "venv", folder],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=_clean(folder),
        creationflags=flags,
    )
    if made.returncode != 0:
        printed = (made.stdout + made.stderr).strip().splitlines()
        why = printed[-1] if printed else f"exit code {made.returncode}"
        sentence = f"“{python}” could not make a virtual environment: {why}."
        raise UserError("no-venv", sentence, another_python())


def _still_passes(plan: InstallPlan, environments: Environments, progress: InstallProgress) -> bool:
    if environments.whole(plan.name) is None:
        return False
    try:
        environments.stamp(_tested(plan, environments, progress))
    except UserError as error:
        if error.code != smoke.FAILED:
            raise
        return False  # its files were changed
    return True


def _tested(plan: InstallPlan, environments: Environments, progress: InstallProgress) -> Installed:
    progress("Testing", 0, 1, "steps")
    python = environments.python(plan.name)
    torch, device = smoke.test(python, plan.build, environments.bytecode)
    progress("Testing", 1, 1, "steps")
    return Installed(plan.name, plan.build.name or "mps", torch, device)


@contextmanager
def _half_made(plan: InstallPlan, environments: Environments) -> Generator[None]:
    """Begin with an empty folder, and delete it if the block raises."""
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


def _require_room(plan: InstallPlan, environments: Environments) -> None:
    free = shutil.disk_usage(environments.user).free
    needed = plan.build.download + plan.build.disk + _GUARD
    if free < needed:
        sentence = (
            f"The engine needs about {needed / 1e9:.1f} GB, and “{environments.user}” has {free / 1e9:.1f} GB left."
        )
        raise UserError("disk-full", sentence, "Make room on that disk and try again.")


def _clean(folder: Path) -> dict[str, str]:
    """The environment variables of Python and pip: without Blender's, and with temporary files on the same disk."""
    foreign = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name not in foreign}
    temporary = {name: str(folder / "tmp") for name in ("TMPDIR", "TEMP", "TMP") if (folder / "tmp").exists()}
    return {**kept, **temporary, "PIP_USER": "0", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


class _PipReader:
    """Reads from pip's output, from its temporary files and from what is installed how far it is."""

    def __init__(self, folder: Path, progress: InstallProgress) -> None:
        self._folder = folder
        self._progress = progress
        self._file, self._label, self._size = "", "", 0
        self._packages, self._before = 0, 0

    def read_line(self, line: str) -> None:
        """Take in a line of pip's output."""
        found = _DOWNLOADING.match(line)
        if self._file:
            self._progress(self._label, self._size, self._size)
            self._file = ""
        if found:
            self._file = unquote(found[1].rpartition("/")[2])
            self._label = f"Downloading {package(self._file.partition('-')[0])}"
            self._size = round(float(found[2]) * _UNITS[found[3]])
            self._progress(self._label, 0, self._size)
        elif line.startswith("Collecting "):
            self._progress("Looking up packages", 0, 0, "steps")
        elif line.startswith(_INSTALLING):
            self._packages = line.count(",") + 1
            self._before = self._count()
            self._progress("Unpacking packages", 0, self._packages, "steps")
        elif line.startswith("Successfully installed"):
            self._progress("Unpacking packages", self._packages, self._packages, "steps")
            self._packages = 0

    def read_files(self) -> None:
        """See how far pip is while it prints nothing."""
        if self._packages:
            done = min(max(self._count() - self._before, 0), self._packages)
            self._progress("Unpacking packages", done, self._packages, "steps")
        elif self._file:
            arrived = 0
            with suppress(OSError):  # it is moved away when it is complete
                arrived = max(
                    (path.stat().st_size for path in (self._folder / "tmp").glob(f"*/{self._file}*")), default=0
                )
            if arrived:
                self._progress(self._label, min(arrived, self._size), self._size)

    def _count(self) -> int:
        """The number of installed packages: the last file that pip writes of each is in such a folder."""
        place = next(self._folder.glob("lib/python*/site-packages"), self._folder / "Lib" / "site-packages")
        names = os.listdir(place)  # noqa: PTH208 - in one call, because pip moves files meanwhile
        return sum(name.endswith(".dist-info") for name in names)
