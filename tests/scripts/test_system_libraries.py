# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loader lacks is found and turned into the line that installs it."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest
import system_libraries
from environment import SetupError

PYTHON = Path(sys.executable)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux's wheels lean on the system's libraries")


@pytest.fixture
def lacking_bpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `bpy` that this Python finds first: a real shared object that now wants libq.so.6 in place of libc.so.6."""
    import numpy as np

    binary = next(Path(np.__file__).parent.rglob("_multiarray_umath*.so")).read_bytes()
    package = tmp_path / "site packages" / "bpy"
    package.mkdir(parents=True)
    (package / "__init__.so").write_bytes(binary.replace(b"\0libc.so.6\0", b"\0libq.so.6\0"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    return package / "__init__.so"


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH; touching a file there with `give` makes it a command."""
    folder = tmp_path / "bin"
    folder.mkdir()
    ldd = shutil.which("ldd")
    if ldd:
        (folder / "ldd").symlink_to(ldd)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def give(commands: Path, name: str) -> None:
    """Puts a command `name` on PATH."""
    (commands / name).write_text("#!/bin/sh\n")
    (commands / name).chmod(0o755)


def test_a_library_that_the_loader_lacks_is_named(lacking_bpy: Path) -> None:
    assert system_libraries.bpy_binary(PYTHON) == lacking_bpy
    assert "libq.so.6" in system_libraries.missing_libraries([PYTHON])


def test_the_same_library_lacking_twice_is_named_once(lacking_bpy: Path) -> None:
    assert lacking_bpy.exists()
    assert system_libraries.missing_libraries([PYTHON, PYTHON]).count("libq.so.6") == 1


@pytest.mark.usefixtures("lacking_bpy", "commands")
def test_a_system_without_a_known_package_manager_gets_the_names() -> None:
    with pytest.raises(SetupError) as caught:
        system_libraries.require_system_libraries(PYTHON)
    assert "libq.so.6" in caught.value.sentence
    assert caught.value.advice == "Install the packages that hold them and run this again."


@pytest.mark.usefixtures("lacking_bpy")
def test_the_line_that_installs_it_can_be_pasted_into_a_shell(commands: Path) -> None:
    give(commands, "dnf")
    with pytest.raises(SetupError) as caught:
        system_libraries.require_system_libraries(PYTHON)
    line = caught.value.advice.splitlines()[2]
    assert "libq.so.6()(64bit)" in shlex.split(line)


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", ["apt-get", "install", "-y", "libgl1", "libx11-6"]),
        ("pacman", ["pacman", "-S", "--needed", "mesa", "libx11"]),
        ("dnf", ["dnf", "install", "-y", "libGL.so.1()(64bit)", "libX11.so.6()(64bit)"]),
    ],
)
def test_each_package_manager_has_its_own_words(commands: Path, manager: str, command: list[str]) -> None:
    give(commands, manager)
    assert system_libraries.install_command(["libGL.so.1", "libX11.so.6"]) == command


def test_a_package_is_named_once(commands: Path) -> None:
    give(commands, "pacman")
    assert system_libraries.install_command(["libEGL.so.1", "libGL.so.1"]) == ["pacman", "-S", "--needed", "mesa"]


def test_no_command_is_better_than_half_a_command(commands: Path) -> None:
    give(commands, "apt-get")
    assert system_libraries.install_command(["libX11.so.6", "libq.so.6"]) is None


def test_other_systems_lack_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert system_libraries.missing_libraries([Path("no such python")]) == []
