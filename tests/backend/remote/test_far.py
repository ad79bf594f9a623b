# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the other computer, over a real sshd."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.errors import UserError
from backend.remote.copying import copy
from tests.backend.process import ROOT, SECONDS
from tests.other_computer import NAME, OtherComputer, wait_until


def remote(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", "remote", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)


def test_a_command_runs_there_and_its_output_and_exit_code_come_here(far: OtherComputer) -> None:
    ran = remote("run", NAME, "storage", "--json")
    assert ran.returncode == 0, ran.stderr
    places = {place["name"]: place["folder"] for place in json.loads(ran.stdout.splitlines()[-1])["places"]}
    assert places["environment"].startswith(f"{far.home}/data")
    wrong = remote("run", NAME, "storage", "--nonsense")
    assert wrong.returncode == 2
    assert "--nonsense" in wrong.stderr


def test_a_computer_without_this_version_says_so_and_a_closed_one_too(
    far: OtherComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = remote("run", "closed", "storage", "--json")
    assert closed.returncode == 1
    assert json.loads(closed.stdout)["error"] == "computer-unreachable"
    (far.home / ".hi3dgen").rename(far.home / "moved")
    try:
        missing = remote("run", NAME, "storage")
    finally:
        (far.home / "moved").rename(far.home / ".hi3dgen")
    assert missing.returncode == 1
    assert "This version of Hi3DGen is not on" in missing.stderr
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="no program"):
        copy(NAME, lambda _done, _of: None)


def test_other_versions_go_once_nothing_runs_from_them(far: OtherComputer) -> None:
    ours = far.home / ".hi3dgen"
    versions = {name: ours / f"hi3dgen-{name}" for name in ("used", "left", "young")}
    for folder in versions.values():
        folder.mkdir()
    (versions["used"] / f"running.{os.getpid()}").touch()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (versions["left"] / f"running.{ended.pid}").touch()
    for name in ("used", "left"):
        os.utime(versions[name], (0, 0))
    copy(NAME, lambda _done, _of: None)
    assert [name for name, folder in versions.items() if folder.exists()] == ["used", "young"]
    assert remote("run", NAME, "storage").returncode == 0
    [current] = [folder for folder in ours.glob("hi3dgen-*") if folder not in versions.values()]
    first = [*current.glob("running.*")]
    assert len(first) == 1
    assert remote("run", NAME, "storage").returncode == 0
    second = [*current.glob("running.*")]
    assert len(second) == 1, "marks of what has ended are removed"
    assert second != first


@pytest.mark.usefixtures("far")
def test_what_cannot_be_set_up_says_why_and_keeps_what_was_there() -> None:
    with pytest.raises(UserError, match=r"no Python 3\.11"):
        copy(NAME, lambda _done, _of: None, python="/bin/false")
    with pytest.raises(UserError, match="no absolute path"):
        copy(NAME, lambda _done, _of: None, folder="data")
    assert remote("run", NAME, "storage").returncode == 0


@pytest.mark.slow
def test_a_second_set_up_keeps_what_the_first_one_chose_and_an_interrupt_ends_it_at_once(far: OtherComputer) -> None:
    chosen = far.home / ".hi3dgen" / "folder"
    copy(NAME, lambda _done, _of: None, folder="/lasting/disk")
    copy(NAME, lambda _done, _of: None)
    assert chosen.read_text() == "/lasting/disk\n"
    chosen.write_text("\n")

    def interrupt(done: int, of: int) -> None:
        if done > of / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(NAME, interrupt)
    assert remote("run", NAME, "storage").returncode == 0


def test_an_interrupt_here_ends_the_command_there(far: OtherComputer, tmp_path: Path) -> None:
    picture = tmp_path / "ball.png"
    y, x = np.mgrid[:2048, :2048] - 1023.5
    Image.fromarray(np.dstack([np.uint8(255 * (np.hypot(x, y) < 900))] * 4)).save(picture)
    picture_and_mesh = (str(picture), "-o", str(tmp_path / "ball.glb"), "--set", "resolution=1024")
    command = [sys.executable, "-m", "backend", "remote", "run", NAME, "generate", *picture_and_mesh]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        wait_until(lambda: bool(far.running("generate")))
        time.sleep(1.0)  # until Python handles interrupts there
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
    wait_until(lambda: not far.running())
    assert not (tmp_path / "ball.glb").exists()


if os.name != "posix":  # the other computer is one with a POSIX shell, and here it is this one
    pytest.skip("needs a POSIX shell", allow_module_level=True)
