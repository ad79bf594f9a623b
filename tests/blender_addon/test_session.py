# SPDX-License-Identifier: GPL-3.0-or-later
"""The session with backends that misbehave: however one starts or ends, the session goes on."""

import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.blender_addon.scripted import write_backend, write_program
from tests.blender_addon.support import MODULE, tick_until

NewSession = Callable[[Path], Any]
DIES = "raise SystemExit(3)"


@pytest.fixture
def process(scene: Any) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.link.process")


@pytest.fixture
def module(scene: Any) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.link.session")


@pytest.fixture
def new_session(module: Any, tmp_path: Path) -> Iterator[NewSession]:
    """Makes sessions with a backend from a folder of the test's."""
    made: list[Any] = []
    (tmp_path / "user").mkdir()

    def new(extension: Path) -> Any:
        made.append(module.Session(extension, tmp_path / "user", lambda: "", module.Options))
        return made[-1]

    yield new
    for session in made:
        session.close()


def start(session: Any) -> None:
    """Start its backend, and wait until that has succeeded or failed."""
    session.start()
    tick_until(session, lambda: session.phase.name != "STARTING")


def test_a_child_that_dies_before_it_has_read_its_orders_ends_the_start(
    process: Any, new_session: NewSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_session(write_program(tmp_path, DIES))

    def when_it_is_dead(_count: int) -> str:
        while session.pid is None or psutil.Process(session.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.005)
        return "secret"

    if sys.platform != "win32":  # Windows has no zombies to wait for
        monkeypatch.setattr(process.secrets, "token_hex", when_it_is_dead)
    for deaths in (1, 2, 3):
        start(session)
        assert session.deaths == deaths
        assert session.error.in_log
    assert session.phase.name == "BROKEN"


@pytest.mark.parametrize("error", [PermissionError("another user's"), RecursionError("nested"), KeyError("python")])
def test_every_exception_while_starting_reaches_the_session(
    process: Any, new_session: NewSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def raises(_folder: Path) -> Any:
        raise error

    monkeypatch.setattr(process, "installed", raises)
    session = new_session(tmp_path)
    start(session)
    assert session.phase.name == "STOPPED"
    assert "could not be started" in session.error.sentence
    assert str(error) in "".join(process.log_tail(tmp_path / "user", 5))


def test_a_start_that_hangs_has_a_limit(
    process: Any, module: Any, new_session: NewSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    awake = threading.Event()

    def hangs(_folder: Path) -> Any:
        awake.wait()
        raise OSError("the network disk is back, too late")

    monkeypatch.setattr(process, "installed", hangs)
    monkeypatch.setattr(module, "STARTING_SECONDS", 0.1)
    session = new_session(tmp_path)
    start(session)
    assert session.phase.name == "STOPPED"
    assert "in time" in session.error.sentence
    awake.set()


def test_a_start_that_is_overtaken_by_its_end_leaves_no_process(process: Any, tmp_path: Path) -> None:
    """The child that may have been started in between ends by its closed standard input."""
    extension = write_backend(tmp_path, "sys.stdin.read()")
    backend = process.BackendProcess(extension, tmp_path, process.Options())
    backend.end()
    if backend.pid and psutil.pid_exists(backend.pid):
        assert psutil.wait_procs([psutil.Process(backend.pid)], timeout=20)[0]


def test_ending_a_backend_that_does_not_end_blocks_nobody(new_session: NewSession, tmp_path: Path) -> None:
    session = new_session(write_backend(tmp_path, "time.sleep(600)"))
    start(session)
    child = psutil.Process(session.pid)
    session.close()
    assert child.is_running(), "it has been waited for"
    assert session.phase.name == "STOPPED"
    assert psutil.wait_procs([child], timeout=20)[0], "it was not killed"


LATE = """
first = receive()
receive()  # its end is asked for
second = receive()
for job, note in ((first.job, "of the first"), (second.job, "of the second")):
    send(messages.Result(job, 0, 0, 1, {}, {}, (note,), {}))
sys.stdin.read()
"""


def test_what_a_cancelled_job_still_sends_reaches_no_other(new_session: NewSession, tmp_path: Path) -> None:
    messages = import_module(f"{MODULE}.backend.wire.messages")
    session = new_session(write_backend(tmp_path, LATE))
    landed: list[Any] = []

    def land(results: list[Any]) -> list[Any]:
        landed.extend(results)
        return []

    def submit() -> Any:
        pictures = {"picture": np.zeros((4, 4, 4), np.uint8)}
        return session.submit("plum", messages.Request(session.next_name(), "draft", 0, pictures), land)

    first = submit()
    tick_until(session, lambda: first.state.name == "RUNNING")
    session.cancel(first)
    second = submit()
    tick_until(session, lambda: not second.live)
    assert [result.notes for result in landed] == [("of the second",)]


IN_TURN = """
for _ in range(4):
    request = receive()
    send(messages.Result(request.job, 0, 0, 1, {}, {}, (), {}))
sys.stdin.read()
"""


@pytest.fixture
def submit(module: Any) -> Callable[..., Any]:
    """Submits a job to a session; its results land in a list."""
    messages = import_module(f"{MODULE}.backend.wire.messages")

    def submit(session: Any, landed: list[str] | None = None, **options: Any) -> Any:
        def land(results: list[Any]) -> list[Any]:
            if landed is not None:
                landed.extend(result.job for result in results)
            return []

        pictures = {"picture": np.zeros((4, 4, 4), np.uint8)}
        return session.submit("plum", messages.Request(session.next_name(), "draft", 0, pictures), land, **options)

    return submit


def test_what_an_artist_looks_at_goes_before_meshes_that_wait(
    new_session: NewSession, tmp_path: Path, submit: Callable[..., Any]
) -> None:
    session = new_session(write_backend(tmp_path, IN_TURN))
    landed: list[str] = []
    meshes = [submit(session, landed), submit(session, landed)]
    looks = [submit(session, landed, aside=True), submit(session, landed, aside=True)]
    tick_until(session, lambda: not session.live)
    assert landed == [job.request.job for job in (*looks, *meshes)]


def test_a_look_forgets_nothing_that_was_told_of_meshes(
    module: Any, new_session: NewSession, tmp_path: Path, submit: Callable[..., Any]
) -> None:
    session = new_session(write_backend(tmp_path, IN_TURN))
    mesh = submit(session)
    tick_until(session, lambda: not session.live)
    session.error, session.notice = module.AddonError("It failed.", "Try again."), "Free."
    look, other = submit(session, aside=True), submit(session, aside=True)
    tick_until(session, lambda: not session.live)
    third = submit(session, aside=True)
    assert session.jobs == [mesh, third], "looks that have ended are not collected"
    assert (look.state.name, other.state.name) == ("DONE", "DONE")
    assert (session.error.sentence, session.notice) == ("It failed.", "Free.")
    last = submit(session)
    assert session.jobs == [third, last]
    assert (session.error, session.notice) == (None, "")


def test_a_look_at_which_the_backend_dies_keeps_its_error(
    new_session: NewSession, tmp_path: Path, submit: Callable[..., Any]
) -> None:
    session = new_session(write_backend(tmp_path, "receive(); os._exit(1)"))
    looks: list[Any] = []
    for _ in range(3):
        assert session.error is None, "whoever looks shows it"
        looks.append(submit(session, aside=True))
        tick_until(session, lambda: not looks[-1].live)
        assert looks[-1].error.in_log
    assert session.phase.name == "BROKEN"
    assert session.error is looks[-1].error, "nothing can be generated either"


def test_the_log_is_the_users_alone(process: Any, new_session: NewSession, tmp_path: Path) -> None:
    session = new_session(write_program(tmp_path, DIES))
    log = process.log_file(tmp_path / "user")
    log.touch(0o644)
    start(session)
    assert log.read_text()
    if sys.platform != "win32":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_user_folder_is_the_users_alone(session: Any) -> None:
    assert stat.S_IMODE(session.user_folder.stat().st_mode) == 0o700
