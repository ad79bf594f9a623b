# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes backend/install/hashes.txt: the SHA-256 of every file that the engine's environment takes from the index.

pip is asked which file it would take for each package that constraints.txt pins, on each system and Python that the
engine runs on; nothing is installed. Run it with the development environment's Python after constraints.txt changed:

    .venv/bin/python scripts/pin_hashes.py
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backend.install.pins import HASHES, WITHOUT, package, read_pins, read_requirements
from backend.install.plan import PYTHONS, ROOT

HEADER = """\
# The SHA-256 of every file that the engine's environment takes from the package index, for each system and Python that
# the engine runs on. PyTorch's own files are here for macOS alone: the others come from PyTorch's host.
# Written by scripts/pin_hashes.py.
"""


@dataclass(frozen=True)
class System:
    """A system as pip's tags and as the markers of requirements name it."""

    tags: tuple[str, ...]
    sys_platform: str
    platform_system: str
    platform_machine: str
    os_name: str


_GLIBC = ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux_2_5")  # as PyTorch needs
SYSTEMS = (
    System(tuple(f"{tag}_x86_64" for tag in _GLIBC), "linux", "Linux", "x86_64", "posix"),
    System(tuple(f"{tag}_aarch64" for tag in _GLIBC), "linux", "Linux", "aarch64", "posix"),
    System(("macosx_14_0_arm64",), "darwin", "Darwin", "arm64", "posix"),
    System(("win_amd64",), "win32", "Windows", "AMD64", "nt"),
)


@dataclass(frozen=True)
class Target:
    """A system with a Python."""

    system: System
    python: tuple[int, int]

    @property
    def markers(self) -> dict[str, str]:
        """The values of the markers in a requirement."""
        version = ".".join(map(str, self.python))
        return {
            "python_version": version,
            "python_full_version": f"{version}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "sys_platform": self.system.sys_platform,
            "platform_system": self.system.platform_system,
            "platform_machine": self.system.platform_machine,
            "os_name": self.system.os_name,
            "extra": "",
        }

    def pins(self) -> dict[str, str]:
        """The pins of constraints.txt by the package's name."""
        return {package(pin): pin for pin in read_pins(ROOT, self.python)}

    def takes(self, name: str) -> bool:
        """Whether a package comes from the index there; PyTorch does on macOS alone."""
        return name in self.pins() and (name != "torch" or self.system.sys_platform == "darwin")


TARGETS = tuple(Target(system, (3, minor)) for system in SYSTEMS for minor in range(PYTHONS[0][1], PYTHONS[1][1] + 1))


def main() -> None:
    """Ask pip, and write the list."""
    needs = _needs()
    hashes: dict[str, dict[Target, str]] = {}
    for target in TARGETS:
        names = _closure(target, needs)
        pins = target.pins()
        files = _report(target, [pins[name] for name in names if target.takes(name)])
        for each in files:
            pin = pins[package(each["metadata"]["name"])]
            hashes.setdefault(pin, {})[target] = each["download_info"]["archive_info"]["hashes"]["sha256"]
        print(f"{target.system.tags[0]}, Python {target.markers['python_version']}: {len(files)} packages", flush=True)
    lines = [_line(pin, hashes[pin]) for pin in sorted(hashes, key=str.lower)]
    (ROOT / HASHES).write_text(HEADER + "".join(lines), encoding="utf-8", newline="\n")


def _needs() -> dict[str, list[Requirement]]:
    """What each package requires, by its name, for the engine's packages on any target."""
    needs: dict[str, list[Requirement]] = {}
    asked = {package(line) for line in (*_roots(), "pip")}
    while asked:
        target = TARGETS[0]
        pins = target.pins()
        for each in _report(target, [pins[name] for name in sorted(asked) if name in pins]):
            lines = each["metadata"].get("requires_dist", [])
            needs[package(each["metadata"]["name"])] = [Requirement(line) for line in lines]
        asked = {name for target in TARGETS for name in _closure(target, needs)} - set(needs)
        asked = {name for name in asked if name in pins}
    return needs


def _closure(target: Target, needs: dict[str, list[Requirement]]) -> set[str]:
    """The names of all packages that the engine needs on a target, pip among them."""
    found, new = set[str](), {package(line) for line in (*_roots(), "pip")}
    while new:
        found |= new
        new = set(_required(target, new, needs)) - found
    return found


def _required(target: Target, names: Iterable[str], needs: dict[str, list[Requirement]]) -> Iterator[str]:
    for name in names:
        for requirement in needs.get(name, []):
            if package(requirement.name) in WITHOUT.get(name, ()):
                continue
            if requirement.marker is None or requirement.marker.evaluate(target.markers):
                if name != "torch" and package(requirement.name) not in target.pins():
                    sys.exit(f"{name} requires {requirement.name}, which constraints.txt does not pin")
                yield package(requirement.name)


def _roots() -> list[str]:
    always, named = read_requirements(ROOT)
    return [*always, *named["hi3dgen"], *named["alone"]]


def _report(target: Target, pins: list[str]) -> list[dict[str, Any]]:
    """What pip would install of exactly these packages."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        options = [part for tag in target.system.tags for part in ("--platform", tag)]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--ignore-requires-python"]  # pip compares with the Python that it runs in, whatever is asked
        python = ["--target", folder, "--python-version", target.markers["python_version"]]
        subprocess.run([*command, "--only-binary", ":all:", "--report", report, *python, *options, *pins], check=True)
        return json.loads(report.read_text(encoding="utf-8"))["install"]


def _line(pin: str, hashes: dict[Target, str]) -> str:
    """A requirement of pip's, with a marker unless every target takes it."""
    options = "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(set(hashes.values())))
    marker = _marker(set(hashes))
    return f"{pin}{f' ; {marker}' if marker else ''}{options}\n"


def _marker(targets: set[Target]) -> str:
    """What holds for these targets and no others."""
    systems = {target.system.sys_platform for target in targets}
    pythons = sorted({target.python for target in targets})
    whole = {target for target in TARGETS if target.system.sys_platform in systems and target.python in pythons}
    if whole != targets:
        sys.exit(f"no marker says {targets}")
    parts: list[str] = []
    if systems != {system.sys_platform for system in SYSTEMS}:
        parts.append(" or ".join(f'sys_platform == "{name}"' for name in sorted(systems)))
    if pythons[0] > PYTHONS[0]:
        parts.append(f'python_version >= "{pythons[0][0]}.{pythons[0][1]}"')
    if pythons[-1] < PYTHONS[1]:
        parts.append(f'python_version < "{pythons[-1][0]}.{pythons[-1][1] + 1}"')
    return " and ".join(f"({part})" if " or " in part else part for part in parts)


if __name__ == "__main__":
    main()
