# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the shared libraries that Blender wants from a Linux system and that are not there.

A bpy wheel brings most of its libraries along, but not those of the X server and of OpenGL, even though it never
opens a window; without one of them `import bpy` fails with a loader's message that helps nobody. The loader itself
is asked what it lacks (`ldd`), and the answer is turned into the one line that installs it.

By hand: `python3 scripts/system_libraries.py --install` runs that line for every bpy that this Python has, as root.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from environment import DEMO, EDGE, SetupError, make

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# library: its package in Debian and Ubuntu, in Arch Linux. Fedora's dnf finds packages by the library's name.
_PACKAGES = {
    "libEGL.so.1": ("libegl1", "mesa"),
    "libGL.so.1": ("libgl1", "mesa"),
    "libICE.so.6": ("libice6", "libice"),
    "libSM.so.6": ("libsm6", "libsm"),
    "libX11.so.6": ("libx11-6", "libx11"),
    "libXext.so.6": ("libxext6", "libxext"),
    "libXfixes.so.3": ("libxfixes3", "libxfixes"),
    "libXi.so.6": ("libxi6", "libxi"),
    "libXrender.so.1": ("libxrender1", "libxrender"),
    "libXxf86vm.so.1": ("libxxf86vm1", "libxxf86vm"),
    "libgomp.so.1": ("libgomp1", "gcc-libs"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
}


def require_system_libraries(*pythons: Path) -> None:
    """Raises SetupError with the line that installs them if the bpy of one of `pythons` lacks system libraries."""
    missing = missing_libraries(pythons)
    if not missing:
        return
    command = install_command(missing)
    if command is None:
        advice = "Install the packages that hold them and run this again."
    else:
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        advice = f"This installs them:\n\n    {shlex.join([*sudo, *command])}\n\nThen run this again."
    raise SetupError(f"Blender needs libraries that this system lacks: {', '.join(missing)}.", advice)


def missing_libraries(pythons: Iterable[Path]) -> list[str]:
    """Sorted names (such as `libX11.so.6`) of what bpy in these environments lacks; only Linux can lack any."""
    if not sys.platform.startswith("linux"):
        return []
    lacking = {library for python in pythons for library in _not_found(bpy_binary(python))}
    try:
        ctypes.CDLL("libEGL.so.1")  # rendering opens it by name, so that the loader does not list it
    except OSError:
        lacking.add("libEGL.so.1")
    return sorted(lacking)


def bpy_binary(python: Path) -> Path:
    """The shared object that `import bpy` loads, found without loading it."""
    code = "import importlib.util; print(importlib.util.find_spec('bpy').origin)"
    found = subprocess.run([python, "-c", code], capture_output=True, encoding="utf-8", check=True)
    return type(python)(found.stdout.strip())


def _not_found(binary: Path) -> list[str]:
    ldd = shutil.which("ldd")
    if ldd is None:  # every glibc system has it: let bpy speak for itself on others
        return []
    listed = subprocess.run([ldd, binary], capture_output=True, encoding="utf-8", errors="replace", check=False)
    return re.findall(r"^\s*(\S+) => not found", listed.stdout, re.MULTILINE)


def install_command(libraries: list[str]) -> list[str] | None:
    """The command that installs `libraries` on this system; None if no known package manager has them all."""
    known = all(library in _PACKAGES for library in libraries)
    if shutil.which("dnf"):
        return ["dnf", "install", "-y", *(f"{library}()(64bit)" for library in libraries)]
    for column, (manager, *arguments) in enumerate((("apt-get", "install", "-y"), ("pacman", "-S", "--needed"))):
        if known and shutil.which(manager):
            return [manager, *arguments, *dict.fromkeys(_PACKAGES[library][column] for library in libraries)]
    return None


def main() -> None:
    """The command line: says what is missing, or installs it."""
    parser = argparse.ArgumentParser(description="Find the system libraries that Blender as a Python module lacks.")
    parser.add_argument("--install", action="store_true", help="install them (as root) instead of saying how")
    install = parser.parse_args().install
    try:
        pythons = [make(environment) for environment in (EDGE, DEMO)]
        missing = missing_libraries(pythons)
        command = install_command(missing) if missing and install else None
        if command:
            print(shlex.join(command), flush=True)
            subprocess.run(command, check=False)
        require_system_libraries(*pythons)
    except SetupError as error:
        sys.exit(str(error))
    print("All system libraries are there.")


if __name__ == "__main__":
    main()
