# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Again, with a real mouse and keyboard in a real window."""

import time
from pathlib import Path

import pytest

from tests.gui.blender import Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

QUICK = 128
CONFIRM = 27  # pixels from the window's lower border, which the dialog touches, up to its button
MADE = "bpy.context.object.data.session_uid"


def test_a_mesh_is_made_again_where_it_stands(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.click("hi3dgen.generate(")
    blender.wait("session().jobs")
    blender.wait_for_job()
    first = blender.ask(MADE)
    blender.ask("setattr(bpy.context.object, 'location', (0.5, 0, 0))")
    blender.ask("push('Move')")
    view = blender.ask("view()")
    x, y = blender.find("hi3dgen.make_again(", across=0.25)
    blender.screen.click(x, y)
    time.sleep(1.0)  # nothing tells that the dialog is there
    blender.shoot(shots / "make again.png")
    bottom = blender.ask("bpy.context.window_manager.windows[0].height")
    blender.screen.click(x, bottom - CONFIRM)
    blender.wait(f"{MADE} != {first}")
    assert blender.ask("view()") == view, "it is the artist's"
    assert blender.ask("list(bpy.context.object.location)") == [0.5, 0.0, 0.0]
    blender.shoot(shots / "made again.png")
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait(f"{MADE} == {first}")
