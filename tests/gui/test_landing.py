# SPDX-License-Identifier: GPL-3.0-or-later
"""In a window: what the scene did not take is offered again, memory is given back, and engines are learned."""

from pathlib import Path

import psutil
import pytest

from tests.gui.blender import MODULE, Blender, running_blender
from tests.gui.screen import Screen, Tool, wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow]

BROKEN = """
import dataclasses
job = session().jobs[-1]
whole = [*job.results]
mesh = whole[1].products["mesh"]
mesh = dataclasses.replace(mesh, triangles=mesh.triangles + 1_000_000)
job.results[1] = dataclasses.replace(whole[1], products={**whole[1].products, "mesh": mesh})
session().occupied_until = usual
"""


@pytest.mark.once
def test_what_did_not_land_can_be_landed_by_a_click(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, 256)")
    blender.ask("bpy.context.scene.hi3dgen.count = 3")
    blender.ask("usual = session().occupied_until; session().occupied_until = lambda: 'the test says so'")
    blender.click("hi3dgen.generate(")
    blender.wait("job_state() == 'LANDING'")
    blender.ask(BROKEN)
    blender.wait_for_job("KEPT")
    blender.shoot(shots / "kept.png", "VIEW_3D")
    assert "seed 1" in blender.ask("job.error.sentence")
    assert {"toadstool", "toadstool.001"} <= set(blender.ask("facts()['objects']"))
    steps = blender.undo_steps()
    blender.ask("job.results = [whole[1]]")
    blender.click("hi3dgen.land_again(")
    blender.wait_for_job()
    assert blender.undo_steps() == [*steps, "Generate toadstool"]
    assert blender.ask("bpy.context.object['hi3dgen']['seed']") == 1


def test_the_panel_reports_that_memory_was_given_back(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.wait("session().phase.name == 'READY'")
    blender.click("hi3dgen.unload", across=0.68)  # the one beside it restarts the backend
    blender.wait("session().notice")
    blender.shoot(shots / "memory.png", "VIEW_3D")
    assert blender.ask("error()") is None


CANNOT_FREE = """
messages = sys.modules[f"{MODULE}.backend.wire.messages"]
session().unload()
session()._hear(messages.Failure("", "unload-failed", "It stuck.", "End Hi3DGen's backend."))
"""


@pytest.mark.once
def test_a_backend_that_cannot_give_its_memory_back_is_ended_by_a_click(blender: Blender, shots: Path) -> None:
    blender.wait("session().phase.name == 'READY'")
    with pytest.raises(AssertionError, match="no button"):
        blender.find("hi3dgen.end_backend")
    backend = psutil.Process(blender.ask("session().pid"))
    blender.ask(CANNOT_FREE)
    blender.shoot(shots / "memory is held.png", "VIEW_3D")
    blender.click("hi3dgen.end_backend")
    wait_until(lambda: not backend.is_running(), "the backend has ended")
    assert blender.ask("error()") is None
    with pytest.raises(AssertionError, match="no button"):
        blender.find("hi3dgen.end_backend")


def test_the_preferences_say_what_would_be_installed_or_why_that_is_not_known(blender: Blender, shots: Path) -> None:
    blender.ask("area('VIEW_3D').type = 'PREFERENCES'")
    blender.ask("show_preferences()")
    blender.wait("setup().asked and not setup().live")
    assert blender.ask("setup().plan['why']")
    blender.shoot(shots / "preferences.png")
    blender.ask("usual, sys.executable = sys.executable, '/nowhere/python'")
    blender.ask("setup().asked = False; redraw()")
    blender.wait("setup().plan_error")
    blender.shoot(shots / "preferences without an answer.png")
    assert "could not be started" in blender.ask("setup().plan_error.sentence")
    blender.ask("sys.executable = usual")
    blender.ask("setup().asked = False; redraw()")
    blender.wait("setup().plan and setup().plan_error is None")


SLOW_PYTHON = """#!/bin/sh
until test -e "{go}"; do sleep 0.05; done
exec "{python}" "$@"
"""


def test_the_first_window_asks_what_the_engines_can_do_and_says_so_meanwhile(
    screen: Screen, real_blender: Tool, resources: Path, toadstool: Path, tmp_path: Path, shots: Path
) -> None:
    file = resources / "extensions" / ".user" / "user_default" / "hi3dgen" / "capabilities.json"
    with running_blender(screen, real_blender, resources, tmp_path) as blender:
        slow, go = tmp_path / "python", tmp_path / "go"
        slow.write_text(SLOW_PYTHON.format(go=go, python=blender.ask("sys.executable")))
        slow.chmod(0o755)
        blender.ask(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
        file.unlink()
        blender.ask(f"sys.executable = {str(slow)!r}")
        blender.ask(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
        blender.open_tab()
        blender.shoot(shots / "first window.png", "VIEW_3D")
        with pytest.raises(
            AssertionError,
            match=r"RuntimeError.* still starting: its engines are not known yet\. Try again in a moment\.",
        ):
            blender.ask(f"bpy.ops.hi3dgen.generate(filepath={str(toadstool)!r}, seed=8, faces=2_000)")
        go.touch()
        blender.wait("hasattr(bpy.context.scene, 'hi3dgen_draft')")
        blender.find("hi3dgen_draft.thickness")
        blender.ask(f"bpy.ops.hi3dgen.generate(filepath={str(toadstool)!r}, seed=8, faces=2_000)")
        blender.wait_for_job()
        assert blender.ask("bpy.context.object['hi3dgen']['settings']['faces']") == 2_000
    assert file.exists()
