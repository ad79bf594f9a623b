# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture becomes light by the mouse in a real window: generated, used as the world, and taken back by one undo."""

from pathlib import Path

import pytest

from tests.gui.blender import Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

CHOSEN = """
settings = bpy.context.scene.hi3dgen
settings.picture = bpy.data.images.load({path!r})
settings.engine_name = "world"
bpy.context.scene.hi3dgen_world.width = "1024"
bpy.context.scene.world = bpy.data.worlds.new("former")
push("Chosen")
redraw()
"""


def test_a_picture_becomes_the_world_by_a_click_and_one_undo_takes_it_back(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    blender.wait("session().phase.name == 'READY'")
    blender.ask(CHOSEN.format(path=str(toadstool)))
    blender.click("hi3dgen.generate(")
    blender.wait_for_job()
    assert blender.undo_steps()[-1] == "World of toadstool"
    assert blender.ask("bpy.context.scene.world.name") == "former"
    assert blender.ask("session().notice") == ""
    blender.click("hi3dgen.use_world(")
    blender.wait("bpy.context.scene.world.name == 'toadstool world'")
    blender.shoot(shots / "a world.png")
    assert blender.undo_steps()[-1] == "Use as World"
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait("bpy.context.scene.world.name == 'former'")
    assert blender.ask("'toadstool world' in bpy.data.worlds")
