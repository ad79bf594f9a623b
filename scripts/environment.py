# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the virtual environments that the scripts run in, with the standard library alone.

What goes into one is written once, in pyproject.toml (dependency groups and extras, with the ranges that the
code supports); constraints.txt pins every package exactly, so that everybody gets the same. A stamp in the
environment's folder says what it holds. The stamp is withdrawn before the first change and written again after
the last, so that an environment whose making was cut short is never taken for a whole one.

Blender exists as a Python module for two versions of Python. Each has a folder of its own in the checkout, and the
Python that runs a script chooses: 3.11 gets Blender 4.5 LTS, 3.13 gets the newest that is supported.

By hand: `python3 scripts/environment.py` makes the folder with everything that a contributor needs.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backend.install import pins as pinned
from backend.install.packages import pip_install
from backend.install.pins import package
from backend.install.troubles import explain
from backend.safe_files import replacing

ROOT = Path(__file__).resolve().parents[1]
STAMP = "hi3dgen-environment.json"
LOG = "hi3dgen-install.log"
FOLDERS = {(3, 11): ".venv", (3, 13): ".venv-3.13"}  # bpy 4.2 to 5.0 has wheels for the first, 5.1 to 5.3 for the other
THIS = sys.version_info[:2]


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds the backend's own dependencies and more."""

    folder: str  # in the checkout
    groups: tuple[str, ...]  # dependency groups or extras of pyproject.toml
    overrides: tuple[str, ...] = ()  # pins (name==version) in place of those of constraints.txt


_OWN = FOLDERS.get(THIS, ".venv")
DEMO = Environment(_OWN, ("blender", "files"))
DEVELOPMENT = Environment(
    _OWN, ("alone", "blender", "evaluation", "files", "hi3dgen", "lint", "ray", "test", "training")
)
OLDEST = Environment(".venv-bpy-4.2", ("blender", "files", "test"), ("bpy==4.2.0", "numpy==1.24.3"))
NEWEST = Environment(FOLDERS[3, 13], ("blender", "files", "test"))
EDGE = OLDEST if THIS == (3, 11) else NEWEST  # the oldest or newest that is supported: what this Python can make


class SetupError(Exception):
    """Something that a person has to mend: `sentence` says what happened, `advice` what to do."""

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__(f"{sentence}\n{advice}")
        self.sentence = sentence
        self.advice = advice


def make(environment: Environment) -> Path:
    """Makes `environment`, or lets it grow, if needed, and returns the path of its Python.

    Instant if the environment is whole already. One that holds more groups than asked for keeps them.
    Prints a line when it starts and one when it is done. Raises SetupError if it cannot be made: the wrong
    Python, a folder that somebody else made, no network, no space.
    """
    require_python()
    folder = ROOT / environment.folder
    try:
        return _make(environment, folder)
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be used: {error}.", "Move it away or delete it, and run this again."
        ) from error


def _make(environment: Environment, folder: Path) -> Path:
    stamp = _read_stamp(folder)
    known = read_requirements()[1]
    kept = [group for group in stamp.groups if group in known] if stamp else []
    groups = tuple(sorted({*environment.groups, *kept}))
    requirements, pins = contents(environment, groups, THIS)
    whole = _Stamp(groups, _digest(requirements, pins))
    python = python_of(folder)
    if stamp == whole and python.exists():
        return python

    started = time.monotonic()
    grows = stamp is not None and stamp.digest != "" and python.exists()
    versions = {package(pin): pin.partition("==")[2] for pin in pins}
    listed = ", ".join(f"{package(wanted)} {versions.get(package(wanted), '')}" for wanted in requirements)
    print(f"{'Completing' if grows else 'Making'} {environment.folder}: {listed}", flush=True)
    if not grows:
        _start_afresh(folder)
    _write_stamp(folder, _Stamp(groups, ""))
    log = folder / LOG
    output = _install(python, requirements, pins, log)
    if output is not None:
        if grows and stamp and "Installing collected packages" not in output:
            _write_stamp(folder, stamp)  # pip fetches everything before it changes anything: still what it was
        trouble = explain(output)
        print(trouble.evidence, file=sys.stderr)
        sentence = f"{environment.folder} could not be made. {trouble.sentence}"
        raise SetupError(sentence, f"{trouble.advice} The whole log: {log}")
    _write_stamp(folder, whole)
    print(f"{environment.folder} is ready after {time.monotonic() - started:.0f} s", flush=True)
    return python


def contents(environment: Environment, groups: tuple[str, ...], python: tuple[int, int]) -> tuple[list[str], list[str]]:
    """What pip is given for `environment` with these groups on a Python: the requirements and the pins."""
    always, named = read_requirements()
    requirements = [*always, *(requirement for group in groups for requirement in named[group])]
    return requirements, read_pins(python, environment.overrides)


def require_python() -> None:
    """Raises SetupError if this is no Python that bpy's wheels are for, saying which one to get and how."""
    if THIS in FOLDERS:
        return
    names = [_dotted(version) for version in FOLDERS]
    here = [name for name in names if shutil.which(f"python{name}")]
    wanted = [*here, *reversed(names)][0]
    install = {
        "darwin": f"brew install python@{wanted}, or python.org",
        "win32": f"winget install Python.Python.{wanted}, or python.org",
    }.get(sys.platform, f"your system's package python{wanted} or python{wanted}-venv, or python.org")
    command = f"py -{wanted}" if sys.platform == "win32" else f"python{wanted}"
    raise SetupError(
        f"Blender as a Python module needs Python {' or '.join(names)}, and this is Python {_dotted(THIS)}.",
        f"{f'Python {wanted} is here' if here else f'Get {wanted} ({install})'}; run: {command} {sys.argv[0]}",
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def python_of(folder: Path) -> Path:
    """The Python inside the virtual environment in `folder`."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def read_requirements() -> tuple[list[str], dict[str, list[str]]]:
    """What pyproject.toml asks for: the backend's own dependencies, and those of each extra and dependency group."""
    return pinned.read_requirements(ROOT)


def read_pins(python: tuple[int, int], overrides: tuple[str, ...] = ()) -> list[str]:
    """The pins of constraints.txt for a Python, those of `overrides` in place of the ones for the same packages."""
    return pinned.read_pins(ROOT, python, overrides)


@dataclass(frozen=True)
class _Stamp:
    groups: tuple[str, ...]
    digest: str  # of the requirements and pins that were installed; empty while they are being installed


def _digest(requirements: list[str], pins: list[str]) -> str:
    return hashlib.sha256(json.dumps([requirements, pins]).encode()).hexdigest()


def _read_stamp(folder: Path) -> _Stamp | None:
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return _Stamp(tuple(stamp["groups"]), stamp["digest"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):  # not as it was written: trust nothing in the folder
        return _Stamp((), "")


def _write_stamp(folder: Path, stamp: _Stamp) -> None:
    text = json.dumps({"groups": stamp.groups, "digest": stamp.digest})
    with replacing(folder / STAMP) as file:
        file.write(text.encode())


def _start_afresh(folder: Path) -> None:
    """An empty virtual environment in `folder`, in place of a half-made one."""
    if folder.exists() and any(folder.iterdir()) and not (folder / STAMP).exists():
        raise SetupError(f"{folder} was not made by this script.", "Move it away or delete it, then run this again.")
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "This Python cannot make virtual environments: its module ensurepip is missing.",
            f"On Debian and Ubuntu: apt-get install python{_dotted(THIS)}-venv (or python3-venv). Then run this again.",
        )
    base = getattr(sys, "_base_executable", sys.executable)  # not the Python inside the folder that goes
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        _write_stamp(folder, _Stamp((), ""))  # from here on the folder is known as ours
        made = subprocess.run([base, "-m", "venv", folder], capture_output=True, text=True, check=False)
    except OSError as error:
        raise SetupError(f"{folder} cannot be written: {error}.", "Close what uses it and run this again.") from error
    if made.returncode != 0:
        raise SetupError(f"Python could not make {folder}.", f"It says: {made.stdout}{made.stderr}".rstrip())


def _install(python: Path, requirements: list[str], pins: list[str], log: Path) -> str | None:
    """Runs pip with its output in `log`; None if all went well, else what pip wrote."""
    constraints = log.with_name("hi3dgen-constraints.txt")
    constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
    alone = [requirement for requirement in requirements if package(requirement) in pinned.WITHOUT]
    together = [requirement for requirement in requirements if requirement not in alone]
    output = pip_install(python, ["--constraint", constraints, *together], log, _show)
    if output is None and alone:
        output = pip_install(python, ["--constraint", constraints, "--no-deps", *alone], log, _show, append=True)
    _show("")
    return output


def _show(line: str) -> None:
    """What pip does at the moment, on one line of a terminal that the next call overwrites."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line.strip()[:width]:<{width}}\r", end="", flush=True)


def main() -> None:
    """Makes the environment that a contributor works in."""
    try:
        print(make(DEVELOPMENT))
    except SetupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    argparse.ArgumentParser(description=f"Make {DEVELOPMENT.folder} with all that a contributor needs.").parse_args()
    main()
