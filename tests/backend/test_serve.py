# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the backend process, as docs/wire.md describes it: how it starts, and everything that ends it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from backend.version import VERSION
from backend.wire import messages
from backend.wire.messages import Progress, Queued, Request, Result
from tests.backend.process import ROOT, SECONDS, SERVE, SERVE_PATIENT, TOKEN, Backend, Conversation, mesh_of, patient

PARENT = """
import json, os, subprocess, sys
token, command = sys.argv[1], sys.argv[3:]
backend = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
backend.stdin.write(json.dumps({"token": token}).encode() + b"\\n")
backend.stdin.flush()
wrote = json.loads(backend.stdout.readline())
if sys.argv[2] == "forks":
    wrote["sibling"] = os.fork()
    if wrote["sibling"] == 0:
        import time
        time.sleep(600)
print(json.dumps(wrote), flush=True)
backend.wait()
"""


def start(line: bytes) -> subprocess.CompletedProcess[bytes]:
    """A backend whose standard input is `line` and then ends."""
    return subprocess.run(SERVE, cwd=ROOT, input=line, capture_output=True, timeout=SECONDS, check=False)


def start_line(**changes: object) -> bytes:
    return json.dumps({"token": TOKEN, **changes}).encode() + b"\n"


@contextlib.contextmanager
def parent_of_a_backend(kind: str = "plain") -> Generator[tuple[subprocess.Popen[bytes], dict[str, int]]]:
    """A process that started a backend and drains nothing, and what the backend wrote."""
    command = (sys.executable, "-c", PARENT, TOKEN, kind, *SERVE_PATIENT)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        wrote = json.loads(parent.stdout.readline())
        try:
            yield parent, wrote
        finally:
            parent.kill()
            for name in ("pid", "sibling"):
                with contextlib.suppress(KeyError, psutil.NoSuchProcess):
                    psutil.Process(wrote[name]).kill()


def hang(port: int) -> Conversation:
    """A client with a job that is in the middle of a step of ten minutes."""
    client = Conversation(port)
    client.send(patient("deaf", steps=1, hang=600.0))
    while client.next(Progress, "deaf").stage != "geometry":
        pass
    return client


def has_ended(backend: psutil.Process) -> bool:
    """Wait until the process has ended; it may still be a zombie."""
    try:
        with contextlib.suppress(psutil.TimeoutExpired):
            backend.wait(SECONDS)
        return backend.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


WRONG = (
    b"",
    b"\n",
    b"hello\n",
    b"[]\n",
    b"null\n",
    b"7\n",
    b"[" * 4000 + b"\n",
    b"\xff\xfe\n",
    b"{}\n",
    start_line(token=None),
    start_line(token=7),
    start_line(token="x" * 31),
    start_line(token="x" * 129),
    start_line(token="x" * 32 + "\n"),
    start_line(token="ä" * 32),
    start_line(idle_seconds=-1),
    start_line(idle_seconds="900"),
    start_line(idle_seconds=True),
    start_line(idle_seconds=None),
    start_line(idle_seconds=float("nan")),
    start_line(idle_seconds=float("inf")),
    b" " * 33_000 + start_line(),
    start_line(log=7),
    start_line(log="backend.log"),
    start_line(log_level="loud"),
    start_line(log_level=["info"]),
    start_line(cache_bytes=-1),
    start_line(cache_bytes=1.5),
    start_line(cache_bytes=True),
)
ANSWERS = """
import io, sys
from backend.commands.serve import serve
from backend.flow.pipeline import Pipeline
for line in {lines}:
    sys.stdin = io.TextIOWrapper(io.BytesIO(line))
    print(serve(Pipeline({{}})), flush=True)
"""


def test_a_first_line_that_is_wrong_ends_it() -> None:
    ended = start(WRONG[2])
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert len(ended.stderr.splitlines()) == 1


def test_any_first_line_that_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    """In one process: a line that is taken would end it."""
    script = tmp_path / "answers.py"
    script.write_text(ANSWERS.format(lines=WRONG))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-s", script], env=environment, capture_output=True, check=False)
    assert ended.stdout.split() == [b"2"] * len(WRONG)
    told = ended.stderr.splitlines()
    assert len(told) == len(WRONG)
    assert all(b"docs/wire.md" in sentence for sentence in told)
    assert TOKEN.encode() not in ended.stderr


def test_it_writes_one_line_and_ends_with_its_input() -> None:
    ended = start(start_line())
    assert ended.returncode == 0
    wrote = json.loads(ended.stdout)
    assert ended.stdout.count(b"\n") == 1
    assert set(wrote) == {"port", "pid", "version"}
    assert wrote["version"] == VERSION
    assert TOKEN.encode() not in ended.stderr


def test_what_a_library_prints_goes_into_the_log() -> None:
    with Backend() as backend, backend.client() as client:
        client.send(patient("chatty", fail=7))  # more than a pipe holds
        assert isinstance(client.end_of("chatty"), Result)
        client.send(messages.Shutdown())
        backend.process.wait(SECONDS)
        assert backend.process.stdout
        assert backend.process.stdout.read() == b""
        assert "a library says something" in backend.log()


def test_the_token_is_not_in_the_command_line_or_the_environment() -> None:
    with Backend() as backend:
        process = psutil.Process(backend.first_line["pid"])
        assert process.pid == backend.process.pid
        assert TOKEN not in " ".join(process.cmdline())
        assert TOKEN not in " ".join([*process.environ(), *process.environ().values()])


def test_it_listens_on_this_computer_alone() -> None:
    with Backend() as backend:
        listening = psutil.Process(backend.process.pid).net_connections()
        assert [connection.laddr for connection in listening] == [("127.0.0.1", backend.port)]


def test_a_shutdown_ends_it_at_once_whatever_it_is_doing() -> None:
    with Backend() as backend, hang(backend.port) as client:
        client.send(patient("waiting"))
        client.next(Queued, "waiting")
        client.send(messages.Shutdown())
        assert backend.process.wait(SECONDS) == 0
        assert "Traceback" not in backend.log()


def test_the_end_of_its_input_ends_it_whatever_it_is_doing() -> None:
    with Backend() as backend, hang(backend.port):
        assert backend.process.stdin
        backend.process.stdin.close()
        assert backend.process.wait(SECONDS) == 0
        assert "Traceback" not in backend.log()


@pytest.mark.skipif(os.name != "posix", reason="other systems have no SIGINT to send")
def test_an_interrupt_ends_it_whatever_it_is_doing() -> None:
    with Backend() as backend, hang(backend.port):
        backend.process.send_signal(signal.SIGINT)
        assert backend.process.wait(SECONDS) == 130


def test_later_input_is_ignored() -> None:
    with Backend() as backend:
        assert backend.process.stdin
        backend.process.stdin.write(b"noise\n" * 10_000)
        backend.process.stdin.flush()
        with backend.client() as client:
            client.send(messages.GetStatus())
            client.next(messages.Status)


def test_it_ends_after_its_idle_time_though_a_client_is_there() -> None:
    with Backend(idle_seconds=0.5) as backend, backend.client():
        assert backend.process.wait(SECONDS) == 0


def test_it_does_not_end_while_it_works() -> None:
    with Backend(idle_seconds=0.3) as backend, backend.client() as client:
        client.send(patient("one", steps=150), patient("two", seed=1, steps=1))
        assert isinstance(client.end_of("one"), Result)
        assert isinstance(client.end_of("two"), Result)
        assert backend.process.wait(SECONDS) == 0


def test_it_does_not_end_while_a_picture_is_on_its_way() -> None:
    with Backend(idle_seconds=0.5) as backend, backend.stranger() as client:
        client.greet()
        assert isinstance(client.receive(), messages.Capabilities)
        data = b"".join(messages.encode(patient("one")))
        client.send_bytes(data[:-1])
        time.sleep(1.5)
        client.send_bytes(data[-1:])
        assert client.next(Result).job == "one"
        assert backend.process.wait(SECONDS) == 0


@pytest.mark.slow
def test_it_does_not_end_while_a_result_is_on_its_way() -> None:
    with Backend(idle_seconds=0.5) as backend, backend.stranger() as slow:
        slow.greet()
        slow.send(patient("large", rows=1_000_000))
        time.sleep(2)  # the job has ended and the idle time has passed; its result waits to be taken
        result = slow.next(Result)
        assert len(mesh_of(result).vertices) == 1_000_000
        assert backend.process.wait(SECONDS) == 0


def test_half_a_frame_does_not_keep_it_alive() -> None:
    with Backend((*SERVE_PATIENT, "--hasty"), idle_seconds=0.5) as backend, backend.stranger() as client:
        client.greet()
        assert isinstance(client.receive(), messages.Capabilities)
        client.send_bytes(b"".join(messages.encode(patient("one")))[:-1])
        assert backend.process.wait(SECONDS) == 0
        assert "its frame stopped arriving" in backend.log()


def test_it_ends_though_a_stranger_has_begun_to_greet() -> None:
    with Backend(idle_seconds=0.5) as backend, backend.stranger() as stranger:
        stranger.send_bytes(b"".join(messages.encode(messages.Hello(TOKEN, "x")))[:-1])
        assert backend.process.wait(SECONDS) == 0


def test_it_ends_when_its_parent_is_killed() -> None:
    with parent_of_a_backend() as (parent, wrote), hang(wrote["port"]):
        backend = psutil.Process(wrote["pid"])
        parent.kill()
        assert has_ended(backend)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_it_ends_when_its_parent_is_killed_and_a_sibling_holds_its_pipe() -> None:
    with parent_of_a_backend("forks") as (parent, wrote), hang(wrote["port"]):
        backend = psutil.Process(wrote["pid"])
        parent.kill()
        assert has_ended(backend)
        assert psutil.pid_exists(wrote["sibling"])


def test_the_draft_engine_serves_a_mesh_and_cancels() -> None:
    picture = np.zeros((120, 160, 4), np.uint8)
    rows, columns = np.mgrid[:120, :160]
    picture[(rows - 60) ** 2 + (columns - 80) ** 2 < 45**2] = (200, 120, 40, 255)
    with Backend(SERVE) as backend, backend.client() as client:
        client.send(Request("small", "draft", 3, {"picture": picture}, {"resolution": 64}))
        result = client.end_of("small")
        assert isinstance(result, Result)
        mesh = mesh_of(result)
        assert np.ptp(mesh.vertices, axis=0).max() == pytest.approx(1.0, abs=1e-5)
        assert mesh.vertices[:, 2].min() == pytest.approx(0.0, abs=1e-6)
        assert mesh.picture_uv is not None
        assert mesh.triangles.max() < len(mesh.vertices) == len(mesh.picture_uv)
        assert mesh.corner_uv is not None
        assert len(mesh.corner_uv) == len(mesh.triangles)
        assert mesh.base_colour is not None
        client.send(Request("large", "draft", 3, {"picture": picture}, {"resolution": 1024}))
        client.next(Progress, "large")
        client.send(messages.Cancel("large"))
        failure = client.end_of("large")
        assert isinstance(failure, messages.Failure)
        assert failure.code == "cancelled"


def pictures_without_an_object() -> Iterator[tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    yield "one opaque pixel", np.full((1, 1, 4), 255, np.uint8)
    yield "one clear pixel", np.zeros((1, 1, 4), np.uint8)
    yield "clear", np.zeros((40, 50, 4), np.uint8)
    yield "one row", np.full((1, 300, 4), 255, np.uint8)
    yield "one colour", np.full((40, 50, 4), (90, 120, 30, 255), np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 4), np.uint8)
    noise[..., 3] = 255
    yield "noise", noise


def test_the_draft_engine_refuses_pictures_without_an_object() -> None:
    with Backend(SERVE) as backend, backend.client() as client:
        for name, picture in pictures_without_an_object():
            client.send(Request(name, "draft", 0, {"picture": picture}, {"resolution": 64}))
            failure = client.end_of(name)
            assert isinstance(failure, messages.Failure), name
            assert failure.code not in ("internal", "out-of-memory", "bad-message"), (name, failure)
            assert failure.sentence.endswith("."), failure
            assert failure.advice.endswith("."), failure


def test_the_parent_bounds_the_memory_of_cached_results() -> None:
    held: list[int] = []
    for orders in ({}, {"cache_bytes": 0}):
        with Backend(**orders) as backend, backend.client() as client:
            client.send(patient("one", rows=20_000))
            client.end_of("one")
            client.send(messages.GetStatus())
            held.append(client.next(messages.Status).cached_bytes)
    assert held[0] > 0
    assert held[1] == 0


def test_the_parent_says_how_much_goes_into_the_log() -> None:
    logs: dict[str, str] = {}
    for level in ("warning", "info", "debug"):
        with Backend(log_level=level) as backend, backend.client() as client:
            client.send(patient("one"))
            client.end_of("one")
            logs[level] = backend.log()
    assert logs["warning"] == ""
    assert "job one: patient" in logs["info"]
    assert "is made" not in logs["info"]
    assert "is made" in logs["debug"]
