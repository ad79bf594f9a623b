# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer as a person runs it, with an index of its own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.folders import IN_USE
from tests.backend.install.tiny_index import ROOT, TinyIndex, serve


class Installer:
    """`python -m backend install`, its user folder and the index that it knows."""

    def __init__(self, user: Path, index: TinyIndex) -> None:
        self.user = user
        self.index = index
        self.environment = {**index.environment, "HI3DGEN_USER_FOLDER": str(user)}

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "backend", "install", "--json", *arguments]

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """The lines that it prints, to its end."""
        ran = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        assert ran.returncode == (0 if "finished" in lines[-1] else 1), ran.stderr
        return lines

    def pointer(self) -> dict[str, str]:
        """The pointer to the environment in use."""
        return json.loads((self.user / IN_USE).read_text("utf-8"))

    def names(self) -> set[str]:
        """Of all environments, whole or not."""
        return {path.name for path in (self.user / "environments").glob("*")}

    def torch(self) -> str:
        """The version of PyTorch in the environment in use."""
        code = "import torch; print(torch.__version__)"
        python = self.user / self.pointer()["python"]
        return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def index() -> Iterator[TinyIndex]:
    """One index for all; a test gives back what it changes."""
    with serve() as index:
        yield index


@pytest.fixture(scope="session")
def made(index: TinyIndex, tmp_path_factory: pytest.TempPathFactory) -> tuple[Installer, list[dict[str, Any]]]:
    """A user folder in which the build for the CPU is installed, and the lines that were printed; not to be changed."""
    installer = Installer(tmp_path_factory.mktemp("made") / "Žofie's folder, 画像", index)
    index.asked.clear()
    return installer, installer.run("--torch", "cpu", "--agree")


@pytest.fixture
def installer(made: tuple[Installer, Any], index: TinyIndex, tmp_path: Path) -> Installer:
    """A user folder of its own with the build for the CPU in it."""
    user = tmp_path / "ü ser"
    shutil.copytree(made[0].user, user, symlinks=True)
    index.asked.clear()
    return Installer(user, index)


@pytest.fixture
def fresh(index: TinyIndex, tmp_path: Path) -> Installer:
    """A user folder that is not there yet."""
    index.asked.clear()
    return Installer(tmp_path / "new" / "user", index)
