# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory comes back if the artist asks for it, and when a render wants it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import psutil
import pytest

from tests.blender_addon.scripted import write_backend
from tests.blender_addon.support import MODULE, tick_until


@pytest.fixture
def made_again(scene: Any, session: Any, picture_file: Path) -> Callable[[], bool]:
    """Whether making the mesh of a picture is work: it is not while the backend remembers it."""
    generate = import_module(f"{MODULE}.blender_addon.generate")

    def is_work() -> bool:
        job = generate.submit(scene, picture_file, "draft", 11, settings={"resolution": 96})
        tick_until(session, lambda: not job.live)
        assert job.error is None
        return job.progress is not None

    is_work()
    assert not is_work(), "else this page shows nothing"
    return is_work


def render(scene: Any) -> None:
    bpy.ops.object.camera_add()
    scene.camera = bpy.context.object
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 8
    bpy.ops.render.render()


def test_memory_is_freed_when_it_is_asked_for(made_again: Callable[[], bool], session: Any) -> None:
    assert bpy.ops.hi3dgen.unload() == {"FINISHED"}
    assert session.notice == "The backend has given its memory back."
    assert made_again()
    assert session.notice == "", "the next job forgets it"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ('send(messages.Failure("", "unload-failed", "It stuck.", "Restart Blender."))', "It stuck. Restart Blender."),
        ("raise SystemExit", "ended before it answered"),
    ],
)
def test_memory_that_was_not_freed_is_reported(session: Any, tmp_path: Path, answer: str, sentence: str) -> None:
    session.close()
    session.extension, usual = write_backend(tmp_path, f"receive()\n{answer}\nsys.stdin.read()"), session.extension
    try:
        session.start()
        tick_until(session, lambda: session.phase.name == "READY")
        with pytest.raises(RuntimeError, match=sentence):
            bpy.ops.hi3dgen.unload()
        assert session.notice == ""
        assert not session.freeing
        assert session.holds_memory == ("unload-failed" in answer)
    finally:
        session.close()
        session.extension = usual


def test_a_backend_that_holds_memory_can_be_ended(session: Any, tmp_path: Path) -> None:
    session.close()
    assert not bpy.ops.hi3dgen.end_backend.poll(), "there is none"
    script = 'receive()\nsend(messages.Failure("", "unload-failed", "It stuck.", "End it."))\nsys.stdin.read()'
    session.extension, usual = write_backend(tmp_path, script), session.extension
    try:
        session.start()
        tick_until(session, lambda: session.phase.name == "READY")
        backend = psutil.Process(session.pid)
        with pytest.raises(RuntimeError, match="It stuck"):
            bpy.ops.hi3dgen.unload()
        assert bpy.ops.hi3dgen.end_backend() == {"FINISHED"}
        assert (session.phase.name, session.error, session.holds_memory) == ("STOPPED", None, False)
        assert psutil.wait_procs([backend], timeout=20)[0]
    finally:
        session.close()
        session.extension = usual


def test_ending_the_backend_keeps_an_error_that_is_not_about_its_memory(
    scene: Any, session: Any, picture_file: Path, tmp_path: Path
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    session.close()
    script = """
receive()
send(messages.Failure("", "unload-failed", "It stuck.", "End it."))
send(messages.Failure(receive().job, "bad-picture", "It is torn.", "Choose another."))
sys.stdin.read()
"""
    session.extension, usual = write_backend(tmp_path, script), session.extension
    try:
        session.start()
        tick_until(session, lambda: session.phase.name == "READY")
        with pytest.raises(RuntimeError, match="It stuck"):
            bpy.ops.hi3dgen.unload()
        job = generate.submit(scene, picture_file, "draft", 13)
        tick_until(session, lambda: not job.live)
        assert not session.holds_memory, "the error is another one, beside which the button makes no sense"
        assert bpy.ops.hi3dgen.end_backend() == {"FINISHED"}
        assert session.error.sentence == "It is torn."
    finally:
        session.close()
        session.extension = usual


def test_a_backend_that_makes_a_mesh_is_not_ended_by_its_button(scene: Any, session: Any, picture_file: Path) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    job = generate.submit(scene, picture_file, "draft", 12, settings={"resolution": 1024})
    tick_until(session, lambda: job.state.name == "RUNNING")
    with pytest.raises(RuntimeError, match="A mesh is being made"):
        bpy.ops.hi3dgen.end_backend()
    session.cancel(job)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_render_frees_memory_if_the_artist_wants_it(
    scene: Any,
    made_again: Callable[[], bool],
    wanted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    preferences = bpy.context.preferences.addons[MODULE].preferences
    assert preferences.free_when_rendering, "by default"
    preferences.free_when_rendering = wanted
    try:
        render(scene)
        assert made_again() == wanted
    finally:
        preferences.free_when_rendering = True


def test_there_is_nothing_to_free_without_a_backend(scene: Any, session: Any) -> None:
    session.close()
    assert not bpy.ops.hi3dgen.unload.poll()
    render(scene)
    assert session.phase.name == "STOPPED", "a render starts no backend"


def test_the_answer_to_a_render_is_read_while_nothing_else_goes_on(
    scene: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = import_module(f"{MODULE}.blender_addon.link.runtime")
    session.start()
    tick_until(session, lambda: session.phase.name == "READY" and not session.live)
    monkeypatch.setattr(runtime, "has_window", lambda: True)
    is_registered = bpy.app.timers.is_registered
    try:
        assert (runtime._tick(), is_registered(runtime._look)) == (None, True)
        assert runtime._look() == runtime.REST_SECONDS
        render(scene)
        assert session.freeing
        assert not is_registered(runtime._tick), "a render's thread registers no timer"
        assert (runtime._look(), is_registered(runtime._tick)) == (None, True)
    finally:
        for timer in filter(is_registered, (runtime._tick, runtime._look)):
            bpy.app.timers.unregister(timer)
    tick_until(session, lambda: not session.freeing)
