# SPDX-License-Identifier: GPL-3.0-or-later
"""Check, Make It Stand and Save, with a real mouse in a real window."""

from pathlib import Path

import pytest

from tests.gui.blender import MODULE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

HEADER = (
    27  # pixels from the button below it up to the middle of the closed box's header, which is no button to be found
)
LEFT = 0.3  # across the sidebar
COUNT = "len(bpy.data.objects['Sphere'].data.vertices)"
INSPECTED = f"sys.modules['{MODULE}.blender_addon.scene.inspected']"
FOUND = f"{INSPECTED}.checked(bpy.context.scene, bpy.context.object)"


def test_a_ball_is_checked_stands_and_is_saved(blender: Blender, tmp_path: Path, shots: Path) -> None:
    blender.ask("bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 1))")
    blender.ask("push('Add Ball')")
    before = blender.ask(COUNT)
    x, y = blender.find("hi3dgen.texture_from_picture(")
    blender.screen.click(x, y - HEADER)
    blender.click("hi3dgen.check_mesh(", across=LEFT)
    blender.wait(f"{FOUND} is not None")
    assert not blender.ask(f"{FOUND}.found.stands")
    blender.shoot(shots / "checked.png", "VIEW_3D")

    steps = blender.undo_steps()
    blender.click("hi3dgen.make_stand(")
    blender.wait(f"{COUNT} != {before}")
    assert blender.undo_steps() == [*steps, "Make It Stand"]
    blender.shoot(shots / "stands.png")
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait(f"{COUNT} == {before}")

    blender.ask(f"bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / 'scene.blend')!r})")
    blender.click("hi3dgen.save_mesh(", across=LEFT)
    blender.wait("any('Sphere.glb' in each for each in reports())")
    assert (tmp_path / "Sphere.glb").stat().st_size > 1000
    blender.shoot(shots / "saved.png")
