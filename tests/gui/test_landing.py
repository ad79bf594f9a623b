# SPDX-License-Identifier: GPL-3.0-or-later
"""In a window: what the scene did not take is offered again, memory is given back, and engines are learned."""

from pathlib import Path

import pytest

from tests.gui.blender import Blender, running_blender
from tests.gui.screen import Screen, Tool

pytestmark = [pytest.mark.window, pytest.mark.slow]

BROKEN = """
import dataclasses
job = session().jobs[-1]
whole = [*job.results]
mesh = whole[1].products["mesh"]
mesh = dataclasses.replace(mesh, triangles=mesh.triangles + 1_000_000)
job.results[1] = dataclasses.replace(whole[1], products={**whole[1].products, "mesh": mesh})
session().can_land = usual
"""


def test_what_did_not_land_can_be_landed_by_a_click(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, 256)")
    blender.ask("bpy.context.scene.hi3dgen.count = 3")
    blender.ask("usual = session().can_land; session().can_land = lambda: False")
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
    blender.click("hi3dgen.unload", across=0.83)
    blender.wait("session().notice")
    blender.shoot(shots / "memory.png", "VIEW_3D")
    assert blender.ask("error()") is None


def test_the_first_window_asks_what_the_engines_can_do_and_the_operator_waits_for_it(
    screen: Screen, real_blender: Tool, resources: Path, toadstool: Path, tmp_path: Path
) -> None:
    file = resources / "extensions" / ".user" / "user_default" / "hi3dgen" / "capabilities.json"
    file.unlink()
    with running_blender(screen, real_blender, resources, tmp_path) as blender:
        blender.ask(f"bpy.ops.hi3dgen.generate(filepath={str(toadstool)!r}, seed=7)")
        blender.wait_for_job()
        blender.wait("hasattr(bpy.context.scene, 'hi3dgen_draft')")
        blender.open_tab()
        blender.find("hi3dgen_draft.thickness")
        blender.ask(f"bpy.ops.hi3dgen.generate(filepath={str(toadstool)!r}, seed=8, faces=2_000)")
        blender.wait_for_job()
        assert blender.ask("bpy.context.object['hi3dgen']['settings']['faces']") == 2_000
    assert file.exists()
