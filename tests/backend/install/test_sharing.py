# SPDX-License-Identifier: GPL-3.0-or-later
"""One environment serves Blenders with different Pythons: none of them finds that it is not up to date."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.__main__ import main
from backend.install.environments import Environments, Installed

OTHER = {"path": "/opt/blender/python", "version": [3, 12], "full": "3.12.9", "bits": 64, "venv": True}
ANSWERS = f"#!/bin/sh\ncat <<'END'\n{json.dumps(OTHER)}\nEND\n"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the other Python is a shell script")


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    """A user's folder with none."""
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    return Environments(tmp_path)


def use(environments: Environments, name: str, python: str) -> None:
    """Put a whole environment in use whose Python is a script."""
    program = environments.python(name)
    program.parent.mkdir(parents=True)
    program.write_text(python, encoding="utf-8")
    program.chmod(0o755)
    (environments.folder(name) / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n", encoding="utf-8")
    environments.stamp(Installed(name, "cpu", "2.13.0", "CPU"))
    environments.switch(name)


def planned(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What would be installed."""
    capsys.readouterr()
    assert main(["install", "--plan", "--json", "--torch", "cpu"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_python_of_the_environment_in_use_decides(
    environments: Environments, capsys: pytest.CaptureFixture[str]
) -> None:
    own = planned(capsys)
    use(environments, "cpu-0000", ANSWERS)
    other = planned(capsys)
    assert other["python"] == OTHER["path"]
    assert other["folder"] != own["folder"]
    assert not other["up_to_date"], "its packages are others"
    use(environments, Path(other["folder"]).name, ANSWERS)
    assert planned(capsys)["up_to_date"]


def test_if_it_does_not_run_this_python_decides(environments: Environments, capsys: pytest.CaptureFixture[str]) -> None:
    own = planned(capsys)
    use(environments, "cpu-0000", "#!/bin/sh\nexit 3\n")
    assert planned(capsys)["folder"] == own["folder"]
