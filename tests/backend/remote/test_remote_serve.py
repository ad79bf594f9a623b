# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend on the other computer, for a parent that sees no difference."""

import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from backend.log import MAX_LINE
from backend.safe_files import MAX_LOG, older_log
from backend.wire.client import Closed
from backend.wire.messages import Cancel, Failure, Progress, Request, Result
from tests.backend.process import ROOT, SECONDS, SERVE, TOKEN, Backend
from tests.other_computer import NAME, OtherComputer, wait_until

SERVE_FAR = (*SERVE[:-1], "remote", "serve", NAME)


def request(job: str, side: int = 64) -> Request:
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    picture = np.full((side, side, 4), 255, np.uint8)
    picture[..., 3] *= np.hypot(x, y) < side * 0.4
    return Request(job, "draft", 0, {"picture": picture}, {"resolution": side})


def test_a_mesh_comes_from_there_and_the_end_of_the_parent_ends_it_there(
    far: OtherComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    with Backend(SERVE_FAR) as backend, backend.client() as client:
        client.send(request("ball"))
        assert isinstance(client.end_of("ball"), Result)
        (there,) = far.backends()
        listening = [one.laddr for one in there.net_connections() if one.status == "LISTEN"]
        assert [place.ip for place in listening] == ["127.0.0.1"]
        assert listening[0].port != backend.port
        assert TOKEN not in " ".join([*there.cmdline(), *there.environ().values(), *there.parent().cmdline()])
        assert there.environ()["HI3DGEN_DEVICE"] == "cpu"
        backend.process.stdin.close()
        assert backend.process.wait(SECONDS) == 0
    wait_until(lambda: not far.backends())


def test_a_cut_connection_ends_the_conversation_and_the_next_one_begins_anew(far: OtherComputer) -> None:
    with Backend(SERVE_FAR) as backend, backend.client() as client:
        client.send(request("large", 1024))
        client.next(Progress, "large")
        far.cut()
        with contextlib.suppress(AssertionError):
            client.end_of("large")
            pytest.fail("the job came to its end")
        assert backend.process.wait(SECONDS) == 1
    wait_until(lambda: not far.backends())
    with Backend(SERVE_FAR) as backend, backend.client() as client:
        client.send(request("ball"))
        assert isinstance(client.end_of("ball"), Result)
    wait_until(lambda: not far.backends())


def test_a_job_is_cancelled_over_the_line_and_the_same_backend_makes_the_next_one(far: OtherComputer) -> None:
    with Backend(SERVE_FAR) as backend, backend.client() as client:
        client.send(request("large", 1024))
        client.next(Progress, "large")
        client.send(Cancel("large"))
        end = client.end_of("large")
        assert isinstance(end, Failure)
        assert end.code == "cancelled"
        (there,) = far.backends()
        client.send(request("ball"))
        assert isinstance(client.end_of("ball"), Result)
        assert far.backends() == [there]
    wait_until(lambda: not far.backends())


def test_a_backend_that_is_killed_there_ends_the_conversation_and_the_connection(far: OtherComputer) -> None:
    with Backend(SERVE_FAR) as backend, backend.client() as client:
        (here,) = (one for one in psutil.Process(backend.process.pid).children() if one.name() == "ssh")
        listening = [one.laddr for one in here.net_connections() if one.status == "LISTEN"]
        assert [(place.ip, place.port) for place in listening] == [("127.0.0.1", backend.port)]
        client.send(request("large", 1024))
        client.next(Progress, "large")
        (there,) = far.backends()
        there.kill()
        with contextlib.suppress(AssertionError):
            client.end_of("large")
            pytest.fail("the job came to its end")
        assert backend.process.wait(SECONDS) != 0
        assert not here.is_running()


def test_what_a_login_prints_is_not_taken_for_the_backend(far: OtherComputer) -> None:
    greeting = far.home / ".bashrc"  # which bash reads behind ssh; other shells print nothing here
    greeting.write_text("echo Welcome\necho '[1]'\n")
    try:
        with Backend(SERVE_FAR) as backend, backend.client() as client:
            assert client.capabilities.engines
    finally:
        greeting.unlink()
    wait_until(lambda: not far.backends())


def test_the_log_here_of_what_is_said_there_is_bounded(far: OtherComputer, tmp_path: Path) -> None:
    path, greeting = tmp_path / "backend-1.log", far.home / ".bashrc"
    greeting.write_text("head -c 2500000 /dev/zero | tr '\\0' x | fold -w 999 >&2\n")
    try:
        with Backend(SERVE_FAR, log=path) as backend, backend.client():
            wait_until(lambda: "listens on port" in path.read_text())
            assert backend.log() == "", "all of it went to the file"
    finally:
        greeting.unlink()
    assert sorted(tmp_path.iterdir()) == [older_log(path), path]
    assert all(file.stat().st_size <= MAX_LOG + 2 * MAX_LINE for file in (path, older_log(path)))
    wait_until(lambda: not far.backends())


def test_it_ends_there_by_itself_when_nothing_is_asked(far: OtherComputer) -> None:
    with Backend(SERVE_FAR, idle_seconds=0.5) as backend, backend.client() as client:
        assert isinstance(client.receive(), Closed)
        assert backend.process.wait(SECONDS) == 0
    wait_until(lambda: not far.backends())


@pytest.mark.usefixtures("far")
def test_who_cannot_be_reached_is_told_in_the_place_of_the_port() -> None:
    start = json.dumps({"token": TOKEN}).encode() + b"\n"
    ran = subprocess.run(
        [*SERVE_FAR[:-1], "closed"], cwd=ROOT, input=start, capture_output=True, check=False, timeout=SECONDS
    )
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["error"] == "computer-unreachable"


def test_a_port_that_is_taken_is_no_failure_of_its_own() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        start = json.dumps({"token": TOKEN, "port": taken.getsockname()[1]}).encode() + b"\n"
        ran = subprocess.run(SERVE, cwd=ROOT, input=start, capture_output=True, check=False, timeout=SECONDS)
    assert ran.returncode == 3
    assert ran.stdout == b""


if sys.platform == "win32":
    pytest.skip("needs a POSIX shell", allow_module_level=True)
