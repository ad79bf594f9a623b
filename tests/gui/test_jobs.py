# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as an artist sees them: the line in the status bar, Escape, the queue, renders, a backend that hangs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui.blender import NOWHERE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow]

PREVIEW, MOVE, RESTART = "hi3dgen.preview_cutout", "hi3dgen.move_job(", "hi3dgen.restart_backend("
DOWN, LAST = 0.735, 0.81  # across the sidebar: the queue's buttons
ROW = 21  # pixels from a line of the queue to the next
HEADER = 26  # pixels above Preview
FINE = 384  # takes long enough to be frozen on its way


@pytest.fixture(autouse=True)
def awake(blender: Blender) -> Iterator[None]:
    """No frozen backend is left behind."""
    yield
    blender.ask("session().close()")


def begin(blender: Blender, picture: Path, jobs: int = 1, stage: str = "normals", resolution: int = FINE) -> None:
    """Start jobs as a script does, and freeze the backend in the first one."""
    blender.ask(f"diary.stop_at = {stage!r}")
    blender.ask(f"use({str(picture)!r}, {resolution})")
    for seed in range(1, jobs + 1):
        blender.ask(f"bpy.ops.hi3dgen.generate(seed={seed}) and None")
    blender.wait("not diary.stop_at")


def seeds(blender: Blender) -> list[int]:
    """Of the jobs that wait, in their order."""
    return blender.ask("[job.request.seed for job in session().queue]")


def test_generate_says_why_it_is_grey(blender: Blender, shots: Path) -> None:
    blender.ask("listen()")
    x, y = blender.find("hi3dgen.generate")
    blender.screen.point(x + 8, y)
    blender.screen.do("sleep 1.5")
    blender.screen.shoot(shots / "why generate is grey.png")
    assert blender.ask("any('There is no picture yet' in line for line in diary.said)")


def test_escape_cancels_what_the_status_bar_shows_and_nothing_else(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    begin(blender, toadstool, jobs=3)
    blender.point_at()
    blender.screen.do("sleep 1.2")
    blender.shoot(shots / "status bar.png")
    blender.screen.press("g", "x", "2")
    blender.wait("bpy.data.objects['Cube'].location.x == 2.0")
    blender.screen.press("Escape", "Escape")  # the second one is once too often
    blender.wait("bpy.data.objects['Cube'].location.x == 0.0")
    assert blender.ask("job_state()") == "WAITING"
    assert blender.ask("session().running.request.seed") == 1

    blender.screen.press("Tab")
    blender.wait("bpy.context.mode == 'EDIT_MESH'")
    blender.screen.do("sleep 1.2")
    blender.shoot(shots / "status bar in edit mode.png")
    blender.screen.press("Escape", "Tab")
    blender.wait("bpy.context.mode == 'OBJECT'")
    assert blender.ask("session().running.request.seed") == 1

    blender.screen.do("sleep 1.2")
    blender.screen.press("Escape")
    blender.wait("session().jobs[0].state.name == 'CANCELLED'")
    assert seeds(blender) in ([3], [2, 3])
    assert blender.ask("'toadstool, seed 1: cancelled' in reports()[-1]")
    blender.shoot(shots / "status bar after escape.png")
    blender.ask("thaw()")
    blender.wait_for_job()
    assert blender.ask("sorted(thing['hi3dgen']['seed'] for thing in bpy.data.objects if 'hi3dgen' in thing)") == [2, 3]


@pytest.mark.once
def test_escape_ends_a_playback_first(blender: Blender, toadstool: Path) -> None:
    begin(blender, toadstool)
    blender.point_at()
    assert not blender.ask("bpy.context.window_manager.windows[0].screen.is_animation_playing")
    blender.screen.press("space")
    blender.wait("bpy.context.window_manager.windows[0].screen.is_animation_playing")
    blender.screen.do("sleep 0.3")
    blender.screen.press("Escape")
    blender.wait("not bpy.context.window_manager.windows[0].screen.is_animation_playing")
    assert blender.ask("job_state()") == "RUNNING"
    blender.ask("thaw()")
    blender.wait_for_job()


@pytest.mark.once
def test_the_queue_is_put_in_order_with_the_mouse(blender: Blender, toadstool: Path, shots: Path) -> None:
    begin(blender, toadstool, jobs=4)
    x, y = blender.find(PREVIEW, across=0.25)
    blender.screen.click(x, y - HEADER)  # closes the box: else the queue is below the window
    blender.scroll(x, y)
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "queue.png")
    assert seeds(blender) == [2, 3, 4]
    blender.click(MOVE, across=DOWN)  # the topmost
    blender.wait("[job.request.seed for job in session().queue] == [3, 2, 4]")
    left, _, width, _ = blender.ask("box('VIEW_3D')")
    _, y = blender.find(MOVE, across=DOWN)
    blender.screen.click(left + width * LAST, y + ROW)
    blender.wait("[job.request.seed for job in session().queue] == [3, 4]")
    blender.ask("thaw()")
    blender.wait_for_job()
    made = "[thing['hi3dgen']['seed'] for thing in bpy.context.scene.objects if 'hi3dgen' in thing]"
    assert sorted(blender.ask(made)) == [1, 3, 4]


@pytest.mark.once
def test_nothing_begins_or_lands_while_a_render_runs(
    blender: Blender, toadstool: Path, shots: Path, tmp_path: Path
) -> None:
    blender.ask("all_round()")
    begin(blender, toadstool, jobs=2, stage="colour")
    blender.ask(f"render_slowly({str(tmp_path / 'frame')!r})")
    blender.wait("bpy.app.is_job_running('RENDER')")
    blender.ask("thaw()")
    blender.wait("session().jobs[0].state.name == 'LANDING'")
    blender.wait("session().hindrance == session().pause == 'the render has ended'")
    assert blender.ask("bpy.app.is_job_running('RENDER')"), "else this test shows nothing"
    assert "toadstool" not in blender.ask("facts()")["objects"]
    blender.shoot(shots / "waits for the render.png")
    blender.wait("session().jobs[0].state.name == 'DONE'")
    assert not blender.ask("bpy.app.is_job_running('RENDER')")
    blender.wait_for_job()
    assert {"toadstool", "toadstool.001"} <= set(blender.ask("facts()")["objects"])

    blender.wait("not session().live")
    blender.ask("setattr(session(), 'notice', '')")
    blender.ask(f"render_slowly({str(tmp_path / 'another')!r})")
    blender.wait("session().notice == 'The backend has given its memory back.'")
    blender.wait("not bpy.app.is_job_running('RENDER')")


@pytest.mark.once
def test_a_failure_is_told_in_the_status_bar(blender: Blender, noise: Path, shots: Path) -> None:
    blender.ask(f"use({str(noise)!r}, {FINE})")
    blender.ask("bpy.ops.hi3dgen.generate() and None")
    blender.wait_for_job("FAILED")
    blender.wait("any('background' in line for line in reports()[-2:])")
    blender.shoot(shots / "status bar after a failure.png")


@pytest.mark.once
def test_a_backend_that_hangs_is_said_and_restarted_by_a_click(blender: Blender, toadstool: Path, shots: Path) -> None:
    begin(blender, toadstool)
    former = blender.ask("session().pid")
    blender.wait("session().silent_seconds >= 10")
    assert blender.ask("job_state()") == "RUNNING"
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "no sign of life.png")
    blender.click(RESTART)
    blender.wait(f"session().pid not in (None, {former})")
    blender.wait_for_job()
    assert blender.ask("session().silent_seconds") == 0
    assert "toadstool" in blender.ask("facts()")["objects"]
