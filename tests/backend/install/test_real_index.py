# SPDX-License-Identifier: GPL-3.0-or-later
"""The real thing: PyTorch's build for the CPU and everything else, from the package index that pip is set up for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.folders import IN_USE
from backend.install.builds import CPU
from tests.backend.install.tiny_index import ROOT, pinned

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_build_for_the_cpu_installs_runs_and_goes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    own = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    command = [sys.executable, "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]
    usual = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    user = tmp_path / "Zoë's engine, 引擎"
    environment = {**os.environ, "HI3DGEN_USER_FOLDER": str(user), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    index = os.environ.get("PIP_INDEX_URL") or own or usual

    def backend(python: str | Path, *arguments: str) -> str:
        ran = subprocess.run(
            [python, "-s", "-m", "backend", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        return ran.stdout

    lines = backend(sys.executable, "install", "--torch", "cpu", "--index-url", index, "--agree", "--json").splitlines()
    end = json.loads(lines[-1])
    if end.get("error") == "no-network":
        pytest.skip(f"the package index {index} cannot be reached")
    assert end["finished"] is True, end
    assert end["installed"]["torch"].partition("+")[0] == pinned("torch")
    labels = {json.loads(line)["label"] for line in lines[:-1]}
    assert {"Making the environment", "Looking up packages", "Unpacking packages", "Testing"} <= labels

    python = user / json.loads((user / IN_USE).read_text("utf-8"))["python"]
    freeze = subprocess.run([python, "-m", "pip", "freeze", "--all"], capture_output=True, text=True, check=True).stdout
    pins = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert {line.partition("==")[0].partition(" @")[0].lower() for line in freeze.splitlines()} <= pins
    taken = sum(path.lstat().st_size for path in user.rglob("*") if path.is_file() and not path.is_symlink())
    assert taken < CPU.disk, "more than what was agreed to"
    assert f"({python})" in backend(python, "doctor")

    assert json.loads(backend(sys.executable, "install", "--remove", "--json"))["removed"] is True
    assert not python.exists()
