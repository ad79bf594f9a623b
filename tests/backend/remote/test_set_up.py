# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine is installed on the other computer, and this one's terminal shows how far that is."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.backend.install.conftest import Installer
from tests.backend.install.conftest import index as index  # noqa: PLC0414 - a fixture
from tests.backend.install.conftest import made as made  # noqa: PLC0414
from tests.backend.process import ROOT, SECONDS
from tests.other_computer import NAME, OtherComputer

pytestmark = pytest.mark.slow

SET_UP = [sys.executable, "-m", "backend", "remote", "setup", NAME, "--torch", "cpu", "--agree"]


@pytest.fixture
def data(far: OtherComputer) -> Generator[Path]:
    """Where the engine lies there: nothing yet."""
    path = far.home / "data"
    shutil.rmtree(path, ignore_errors=True)
    yield path
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_why_it_cannot_be_installed_there_is_said_here(data: Path) -> None:
    data.write_text("a file in the folder's place")
    ran = subprocess.run(SET_UP, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert ran.returncode == 1
    assert ran.stdout == ""
    copied, said = ran.stderr.splitlines()
    assert copied.startswith("Copying Hi3DGen")
    assert said.startswith(f"“{data}” cannot be written")


def test_a_terminal_here_shows_how_far_it_is_there(
    far: OtherComputer, data: Path, made: tuple[Installer, object]
) -> None:
    import pty  # Windows has none

    shutil.copytree(made[0].user, data, symlinks=True)
    known = {name: made[0].environment[name] for name in ("PIP_INDEX_URL", "HI3DGEN_PYTORCH", "HI3DGEN_HASHES")}
    login = far.home / ".bashrc"  # which bash reads behind ssh
    login.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in known.items()))
    ours, theirs = pty.openpty()
    try:
        ran = subprocess.run(
            SET_UP, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, timeout=SECONDS
        )
    finally:
        login.unlink()
        os.close(theirs)
    with open(ours, "rb", closefd=True) as screen:  # noqa: PTH123 - a number
        shown = screen.read1(1 << 16).decode()
    assert ran.returncode == 0, shown
    assert ran.stdout.startswith(f"The engine on “{NAME}” is ready: PyTorch ")
    assert "\r\x1b[2K" in shown
    assert "Testing: 1 steps of" in shown or "Testing: 0 steps of" in shown


if os.name != "posix":  # the other computer is one with a POSIX shell, and here it is this one
    pytest.skip("needs a POSIX shell", allow_module_level=True)
