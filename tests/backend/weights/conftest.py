# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub with small files under the published names, and the command line in a process that knows only it."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend.__main__ import main
from backend.weights.catalogue import BRANCH, EVERY, Package
from tests.backend.weights.hub import Hub

ROOT = Path(__file__).parents[3]
LARGE = 400_000  # bytes of a large file: it comes in several pieces

Content = dict[str, bytes]


@dataclass(frozen=True)
class Place:
    """A machine with an empty folder for the weights, on which `python -m backend weights …` runs."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start the command `weights` with these arguments."""
        return subprocess.Popen(
            [sys.executable, "-m", "backend", "weights", *arguments],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """The lines of `--json`."""
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]

    def states(self) -> dict[str, str]:
        """The state of each package, by `list`."""
        (listed,) = self.lines("list")
        return {package["name"]: package["state"] for package in listed["packages"]}

    def holds(self, package: Package, content: Content) -> bool:
        """Whether the package's folder holds these files and its record, and nothing else."""
        folder = self.folder / package.name
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        found.pop("hi3dgen-record.json", None)
        return {name: path.read_bytes() for name, path in found.items()} == content


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture
def contents(hub: Hub) -> dict[str, Content]:
    """The files of every package, as they are on the hub at the catalogue's revisions."""
    made = {package.name: content_of(package) for package in EVERY}
    for package in EVERY:
        revision = "" if package.revision == BRANCH else package.revision
        hub.publish(
            package.repository, made[package.name], (package.licence_there or package.licence).lower(), revision
        )
    return made


@pytest.fixture
def place(hub: Hub, tmp_path: Path) -> Place:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HI3DGEN_"))}
    own = {"HI3DGEN_WEIGHTS": str(tmp_path / "weights ä"), "HF_HOME": str(tmp_path / "hf"), "HOME": str(tmp_path)}
    return Place(tmp_path / "weights ä", kept | own | hub.environment)


@pytest.fixture
def here(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Place:
    """The same in this process: it starts faster, and what the command uses can be changed."""
    from huggingface_hub import constants

    for name in list(os.environ):
        if name.startswith(("HF_", "HI3DGEN_")):
            monkeypatch.delenv(name)
    for name in ("HI3DGEN_WEIGHTS", "HF_ENDPOINT", "NO_PROXY"):
        monkeypatch.setenv(name, place.environment[name])
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(Path(place.environment["HF_HOME"]) / "hub"))
    return Here(place.folder, place.environment, capsys)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were asked to be waited, which take no time here."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


@dataclass(frozen=True)
class Here(Place):
    """A place that runs commands in this process."""

    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        self.capsys.readouterr()
        code = main(["weights", *arguments])
        printed = self.capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)


def content_of(package: Package) -> Content:
    """Files of the package's names: JSON, and safetensors of random bytes."""
    return {file: b"{}" if file.endswith(".json") else tensors(package.name + file) for file in package.files}


def tensors(seed: str, size: int = LARGE) -> bytes:
    """A safetensors file with one tensor of `size` random bytes."""
    header = json.dumps({"weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + random.Random(seed).randbytes(size)  # noqa: S311
