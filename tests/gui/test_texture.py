# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh that somebody else made gets a picture's colours, with the mouse in a real window."""

from pathlib import Path

import pytest

from tests.gui.blender import Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

QUICK = 256
FIND, LOOK, PAINT = "hi3dgen.texture_from_picture(", "hi3dgen.look_through(", "hi3dgen.paint_from_camera("
SPACE = "area('VIEW_3D').spaces.active"
GHOST = "next(each for each in bpy.data.objects if each.type == 'CAMERA' and 'hi3dgen_ghost_of' in each)"

FOREIGN = """
made = bpy.context.object
mesh = bpy.data.meshes.new("found")
made.data.calc_loop_triangles()
mesh.from_pydata([each.co[:] for each in made.data.vertices], [], [each.vertices[:] for each in made.data.polygons])
thing = bpy.data.objects.new("found", mesh)
thing.location = (1.5, 2.0, 0.25)
bpy.context.scene.collection.objects.link(thing)
bpy.data.objects.remove(made)
bpy.context.view_layer.objects.active = thing
thing.select_set(True)
bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 1600, 900
push("Found Mesh")
"""


def test_a_found_mesh_is_painted_by_hand_and_undone_in_one_step(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.click("hi3dgen.generate(")
    blender.wait("session().jobs")
    blender.wait_for_job()
    blender.ask(FOREIGN)
    blender.open_tab()
    blender.click(FIND)
    blender.wait("session().jobs[-1].request.gives == ('viewpoints',)")
    blender.wait_for_job()
    blender.wait(f"{SPACE}.region_3d.view_perspective == 'CAMERA'")
    assert blender.ask(f"{SPACE}.camera == {GHOST} != bpy.context.scene.camera")
    blender.shoot(shots / "the picture lies over the mesh.png")
    found = blender.ask(f"[*{GHOST}.matrix_world.col[2]][:3]")
    assert found[1] < -0.9, "it looks from the front, as the picture's camera did"

    blender.click("lock_camera", across=0.75)
    blender.wait(f"{SPACE}.lock_camera")
    blender.point_at()
    blender.screen.press("KP_6")
    blender.wait(f"[*{GHOST}.matrix_world.col[2]][:3] != {found}")
    blender.screen.press("ctrl+z")
    blender.wait(
        f"[round(each, 4) for each in {GHOST}.matrix_world.col[2][:3]] == {[round(each, 4) for each in found]}"
    )

    blender.click(PAINT)
    blender.wait("session().jobs[-1].request.gives == ('mesh',)")
    blender.wait_for_job()
    assert blender.undo_steps()[-2:] == ["Find the Camera of found", "Texture of found"]
    assert blender.ask("[each.name[:9] for each in bpy.context.object.data.materials]") == ["toadstool"]
    blender.shoot(shots / "painted.png")
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait("not bpy.context.object.data.materials and not bpy.context.object.data.uv_layers")
    blender.screen.press("ctrl+shift+z")
    blender.wait("'All Round' in bpy.context.object.data.uv_layers")
