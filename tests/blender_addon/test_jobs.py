# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of jobs, and what becomes of it when the backend hangs."""

import weakref
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import psutil
import pytest

from tests.blender_addon.scripted import write_backend
from tests.blender_addon.support import MODULE, disc, image_of, tick_until

Submit = Callable[..., Any]
STATUS = 'messages.Status("0.0.0", os.getpid(), 0, "", 0, 1.0)'
IN_TURN = f"""
def request():
    while isinstance(message := receive(), messages.GetStatus):
        send({STATUS})
    return message

while True:
    send(messages.Result(request().job, 0, 0, 1, {{}}, {{}}, (), {{}}))
"""
HANGS_ONCE = f"""
import pathlib
once = pathlib.Path(__file__).with_name("hung")
first = receive()
send(messages.Progress(first.job, "normals", "Estimating normals", 0, 1, 1, 2, None))
if not once.exists():
    once.touch()
    time.sleep(600)
send(messages.Result(first.job, 0, 0, 1, {{}}, {{}}, (), {{}}))
{IN_TURN}
"""
COMPUTES = f"""
request = receive()
for _ in range(30):
    assert isinstance(receive(), messages.GetStatus)
    send({STATUS})
send(messages.Result(request.job, 0, 0, 1, {{}}, {{}}, (), {{}}))
sys.stdin.read()
"""


@pytest.fixture
def messages(scene: Any) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.backend.wire.messages")


@pytest.fixture
def new_session(scene: Any, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Makes a session with a backend that greets and then does what a script says."""
    module = import_module(f"{MODULE}.blender_addon.link.session")
    (tmp_path / "user").mkdir()
    made: list[Any] = []

    def new(script: str) -> Any:
        extension = write_backend(tmp_path, script)
        made.append(module.Session(extension, tmp_path / "user", lambda: "", module.Options))
        return made[-1]

    yield new
    for session in made:
        session.close()


@pytest.fixture
def submit(messages: Any) -> Submit:
    """Submits a job to a session; the seeds of its results come into a list."""
    job_module = import_module(f"{MODULE}.blender_addon.link.job")

    def submit(session: Any, seed: int, landed: list[int], **options: Any) -> Any:
        def land(results: list[Any]) -> list[Any]:
            landed.extend(seed for _ in results)
            return []

        pictures = {"picture": np.zeros((4, 4, 4), np.uint8)}
        request = messages.Request(session.next_name(), "draft", seed, pictures)
        return session.submit(job_module.Job("plum", request, land, **options))

    return submit


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience is short."""
    pulse = import_module(f"{MODULE}.blender_addon.link.pulse")
    monkeypatch.setattr(pulse, "ASK_SECONDS", 0.05)
    monkeypatch.setattr(pulse, "SILENT_SECONDS", 1.0)


def test_jobs_that_wait_change_places(new_session: Callable[[str], Any], submit: Submit) -> None:
    session, landed = new_session(IN_TURN), []
    first, second, third, fourth = (submit(session, seed, landed) for seed in (1, 2, 3, 4))
    assert session.queue == [first, second, third, fourth]
    session.move(fourth, -1)
    session.move(fourth, -1)
    session.move(first, -1)  # is the first already
    session.move(third, 1)  # is the last already
    assert session.queue == [first, fourth, second, third]
    session.cancel(second)
    tick_until(session, lambda: not session.live)
    assert landed == [1, 4, 3]
    session.move(first, 1)
    assert session.queue == [], "what is done waits for nothing"


def reads(value: int, gate: list[int], watched: list[Any], fault: str = "") -> Any:
    """The steps of reading a picture, as many as the gate has; `watched` gets what tells whether its pixels live.

    A value of 0 is a fault of ours.
    """
    pixels = np.full((4, 4, 4), value, np.uint8)
    watched.append(weakref.ref(pixels))
    while gate:
        gate.pop()
        yield
    if fault:
        raise import_module(f"{MODULE}.blender_addon.errors").AddonError(fault, "Mend it.")
    return {"picture": pixels[: 4 // value]}


def test_a_job_goes_to_the_backend_when_its_pictures_are_read(
    new_session: Callable[[str], Any], submit: Submit
) -> None:
    session, landed, gate = new_session(IN_TURN), [], [0] * 3
    first = submit(session, 1, landed, reading=reads(1, gate, []))
    assert len(gate) == 2, "the first step is that of the click"
    second = submit(session, 2, landed)
    session.move(second, -1)
    tick_until(session, lambda: not session.live)
    assert landed == [2, 1], "it was read while the other one was made"
    assert (gate, first.is_reading, first.request.inputs["picture"][0, 0, 0]) == ([], False, 1)


def test_what_was_read_is_let_go_when_its_job_fails_or_is_cancelled(
    new_session: Callable[[str], Any], submit: Submit
) -> None:
    session, watched = new_session(IN_TURN), []
    failing = submit(session, 1, [], reading=reads(1, [0], watched, "It is torn."))
    broken = submit(session, 2, [], reading=reads(0, [0], []))
    cancelled, stopped = (submit(session, 3, [], reading=reads(1, [0] * 9, watched)) for _ in range(2))
    session.cancel(cancelled)
    session.stop(stopped)
    session.tick()
    assert [job.state.name for job in (failing, broken, cancelled, stopped)] == [*["FAILED"] * 2, *["CANCELLED"] * 2]
    assert failing.error.sentence == "It is torn."
    assert broken.error.sentence == "The picture of “plum” could not be read."
    assert {pixels() is None for pixels in watched} == {True}
    assert not any(job.needs_no_backend for job in session.jobs)


def test_a_picture_that_cannot_be_read_hides_no_backend_that_is_given_up(
    new_session: Callable[[str], Any], submit: Submit
) -> None:
    session = new_session(IN_TURN)
    submit(session, 1, [])
    torn = submit(session, 2, [], reading=reads(1, [0], [], "It is torn."))
    session.deaths = 2
    session._died(import_module(f"{MODULE}.blender_addon.link.phase").ended_in_work(""))
    session.tick()
    assert (torn.state.name, torn.error.sentence) == ("FAILED", "It is torn.")
    assert session.error.sentence == "The backend ended unexpectedly 3 times in a row."


def test_jobs_have_names_by_what_is_made(messages: Any) -> None:
    job = import_module(f"{MODULE}.blender_addon.link.job")

    def land(_: Any) -> list[Any]:
        return []

    def name(seed: int, count: int = 1, *gives: str) -> str:
        return job.Job("plum", messages.Request("job-1", "draft", seed, {}, {}, count, gives), land).name

    assert name(5) == "plum, seed 5"
    assert name(5, 3) == "plum, seeds 5 to 7"
    assert name(5, 1, "normal_map") == "plum, normal map"


def test_a_backend_that_hangs_is_noticed_and_what_it_made_begins_again(
    new_session: Callable[[str], Any],
    submit: Submit,
    hurried: None,
) -> None:
    session, landed = new_session(HANGS_ONCE), []
    first, second = submit(session, 1, landed), submit(session, 2, landed)
    tick_until(session, lambda: session.silent_seconds >= 1)
    assert (first.state.name, session.error) == ("RUNNING", None), "nothing is given up by itself"
    hung = psutil.Process(session.pid)
    session.restart()
    assert session.silent_seconds == 0
    assert (first.state.name, first.progress) == ("WAITING", None)
    tick_until(session, lambda: not session.live)
    assert psutil.wait_procs([hung], timeout=20)[0], "it holds memory as long as it lives"
    assert landed == [1, 2]
    assert second.state.name == "DONE"
    assert session.deaths == 0


def test_a_backend_that_computes_and_answers_does_not_hang(
    new_session: Callable[[str], Any],
    submit: Submit,
    hurried: None,
) -> None:
    session, landed = new_session(COMPUTES), []
    job = submit(session, 1, landed)
    silences: set[int] = set()

    def done() -> bool:
        silences.add(session.silent_seconds)
        return not job.live

    tick_until(session, done)
    assert silences == {0}
    assert landed == [1]


def test_time_in_which_blender_stands_still_is_no_silence(scene: Any) -> None:
    pulse = import_module(f"{MODULE}.blender_addon.link.pulse")
    felt = pulse.Pulse()
    assert not felt.is_due(1000.0)
    now = 1000.0
    while not felt.is_due(now):
        now += 0.05
    assert not felt.is_due(now + 600.0), "it was asked already"
    assert not felt.silent
    for step in range(300):
        felt.is_due(now + 600.0 + step / 20)
    assert felt.silent
    felt.heard()
    assert not felt.silent


def test_memory_is_given_back_when_both_are_answered(new_session: Callable[[str], Any], hurried: None) -> None:
    """The answer to `unload` and that to a question about life look the same."""
    session = new_session(f"""
assert isinstance(receive(), messages.Unload)
assert isinstance(receive(), messages.GetStatus)
send({STATUS})
assert isinstance(receive(), messages.GetStatus)
send({STATUS})
send({STATUS})
sys.stdin.read()
""")
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    session.unload()
    for owed in (1, 0, 1):
        tick_until(session, lambda owed=owed: session._pulse.owed == owed)
        assert session.freeing
    tick_until(session, lambda: not session.freeing)
    assert session.notice == "The backend has given its memory back."


def test_the_queue_is_put_in_order_by_operators(scene: Any, session: Any, picture_file: Path) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    first, second, third = (generate.submit(scene, picture_file, "draft", seed) for seed in (1, 2, 3))
    assert bpy.ops.hi3dgen.move_job(job=third.request.job, places=-1) == {"FINISHED"}
    assert session.queue == [first, third, second]
    assert bpy.ops.hi3dgen.cancel(job=third.request.job) == {"FINISHED"}
    assert session.queue == [first, second]
    assert session.current is first
    assert bpy.ops.hi3dgen.cancel_current() == {"FINISHED"}
    assert first.state.name == "CANCELLED"
    bpy.ops.hi3dgen.cancel()
    assert not bpy.ops.hi3dgen.cancel_current.poll(), "there is nothing left"


def test_results_that_wait_for_the_scene_are_not_cancelled_by_a_key(
    scene: Any, session: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    monkeypatch.setattr(session, "occupied_until", lambda: "the test says so")
    job = generate.submit(scene, picture_file, "draft", 5, settings={"resolution": 96})
    tick_until(session, lambda: job.state.name == "LANDING")
    assert session.hindrance == "the test says so"
    assert not bpy.ops.hi3dgen.cancel_current.poll()


@pytest.mark.parametrize(
    ("mode", "when"),
    [
        ("EDIT", "you leave Edit Mode"),
        ("SCULPT", "you leave Sculpt Mode"),
        ("TEXTURE_PAINT", "you leave Texture Paint"),
    ],
)
def test_what_waits_for_a_mode_says_which(scene: Any, mode: str, when: str) -> None:
    occupied = import_module(f"{MODULE}.blender_addon.link.occupied")
    assert occupied.until() == ""
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode=mode)
    assert occupied.until() == when
    bpy.ops.object.mode_set(mode="OBJECT")
    assert occupied.until() == ""


def test_no_mesh_is_begun_while_a_render_runs(new_session: Callable[[str], Any], submit: Submit) -> None:
    session, landed = new_session(IN_TURN), []
    session.paused_until = lambda: "the render has ended"
    mesh = submit(session, 1, landed)
    look = submit(session, 2, landed, aside=True)
    tick_until(session, lambda: not look.live)
    assert landed == [2], "someone waits for a look"
    assert (mesh.state.name, session.pause) == ("WAITING", "the render has ended")
    waits_for = import_module(f"{MODULE}.blender_addon.ui.job_box").waits_for
    assert waits_for(session) == "1 job waits. It starts when the render has ended:"
    session.paused_until = lambda: ""
    tick_until(session, lambda: not mesh.live)
    assert (landed, session.pause) == ([2, 1], "")


@pytest.mark.parametrize(("job", "when"), [("RENDER", "the render has ended"), ("OBJECT_BAKE", "the bake has ended")])
def test_what_waits_for_a_render_says_so(scene: Any, monkeypatch: pytest.MonkeyPatch, job: str, when: str) -> None:
    occupied = import_module(f"{MODULE}.blender_addon.link.occupied")

    def is_job_running(kind: str) -> bool:
        return kind == job

    app = type("App", (), {"is_job_running": staticmethod(is_job_running)})
    monkeypatch.setattr(occupied, "bpy", type("Bpy", (), {"app": app}))
    assert occupied.until() == when


def test_generate_says_why_it_is_grey(scene: Any) -> None:
    module = import_module(f"{MODULE}.blender_addon.ui.generate_operator")
    assert "There is no picture yet" in module.why_grey(bpy.context)
    assert bpy.ops.hi3dgen.generate.poll(), "a script may name one"
    scene.hi3dgen.picture = image_of(disc(), "plum")
    assert module.why_grey(bpy.context) == ""


def test_the_log_of_the_setup_is_shown_too(session: Any, capfd: pytest.CaptureFixture[str]) -> None:
    setup = import_module(f"{MODULE}.blender_addon.link.setup")
    (session.user_folder / setup.LOG).unlink(missing_ok=True)
    bpy.ops.hi3dgen.show_log(of="SETUP")
    assert capfd.readouterr().out == "Nothing is written there yet.\n"
    (session.user_folder / setup.LOG).write_text("no space left on the disk\n", encoding="utf-8")
    bpy.ops.hi3dgen.show_log(of="SETUP")
    assert "no space left" in capfd.readouterr().out
    bpy.ops.hi3dgen.show_log()
    assert "no space left" not in capfd.readouterr().out
