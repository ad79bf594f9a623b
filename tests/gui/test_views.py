# SPDX-License-Identifier: GPL-3.0-or-later
"""Views become a mesh, with the mouse in a real window.

This Blender has no PyTorch, and the panel says so. Then a backend whose tool needs none makes a block of the views: how
they are read, sent and brought into the scene is ours all the way.
"""

from pathlib import Path

import pytest

from tests.gui.blender import Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

CLICK = "hi3dgen.mesh_from_views("
SHEET = "owl views contact sheet"
VIEWS = """
import numpy as np
from mathutils import Matrix
sets = sys.modules[f"{MODULE}.blender_addon.scene.view_sets"]
lens = sys.modules[f"{MODULE}.blender_addon.scene.lens"]
home = bpy.data.collections.new("owl views")
bpy.context.scene.collection.children.link(home)
for number in range(3):
    image = bpy.data.images.new(f"owl views {number + 1}", 64, 48, alpha=True)
    pixels = np.zeros((48, 64, 4), np.float32)
    pixels[12:36, 16:48] = (0.8, 0.2 + 0.3 * number, 0.1, 1.0)
    image.pixels.foreach_set(pixels.reshape(-1))
    image.pack()
    turn = np.array(Matrix.Rotation(number * 2.0944, 4, "Z") @ Matrix.Rotation(1.5708, 4, "X"))
    turn[:3, 3] = 2.2 * turn[:3, 2]
    thing = bpy.data.objects.new(image.name, bpy.data.cameras.new(image.name))
    home.objects.link(thing)
    thing.matrix_world = Matrix(turn.tolist())
    sets.keep(bpy.context.scene, thing, sets.Kept(1.0, number, lens.Sight(turn, 40.0), 1.0, image))
push("Views")
redraw()
"""
BLOCK = """
import sys
del sys.modules["backend"]  # this folder's, which holds nothing else
sys.path.insert(0, {extension!r})
from dataclasses import replace
import numpy as np
import backend.__main__ as command
from backend.flow.products import Mesh
from backend.flow.stage import Stage

def block(cut, *, cells, report):
    report(1, 1)
    points = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32) / (1, 2, 2)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([each for a, b, c, d in quads for each in ((a, b, c), (a, c, d))], np.int32)
    return Mesh(points.astype(np.float32), triangles, np.zeros((8, 2), np.float32))

grid = command.TOOLS["grid"]
kept = {{stage.name: stage for stage in grid.stages}}
stages = [kept[name] for name in ("need_views", "cut_views", "place_normals")]
stages.append(Stage("build", "Making a block", "mesh", ("cut_views",), ("cells",), block))
stages += [kept["place_views"], kept["place"]]
command.TOOLS = {{**command.TOOLS, "grid": replace(grid, stages=tuple(stages), missing=str)}}
sys.exit(command.main(sys.argv[1:]))
"""
USED = """
from pathlib import Path
session().close()
session().extension = Path({folder!r})
session().start()
sys.modules[f"{{MODULE}}.blender_addon.link.runtime"].keep_ticking()
"""


def test_views_become_a_mesh_by_a_click_and_go_with_one_undo(blender: Blender, tmp_path: Path, shots: Path) -> None:
    blender.ask(VIEWS)
    blender.click("hi3dgen.contact_sheet(")
    blender.wait(f"{SHEET!r} in bpy.data.images")
    assert blender.ask(f"[*bpy.data.images[{SHEET!r}].size]") == [128, 96]
    assert blender.undo_steps()[-2:] == ["Views", SHEET]
    blender.wait("session().engine('grid') is not None")
    assert "PyTorch" in blender.ask("session().engine('grid').missing")
    blender.click(CLICK)
    blender.shoot(shots / "what the tool lacks.png")
    assert blender.ask("not session().jobs")

    extension = blender.ask("str(session().extension)")
    program = tmp_path / "backend" / "__main__.py"
    program.parent.mkdir()
    program.with_name("__init__.py").touch()
    program.write_text(BLOCK.format(extension=extension), "utf-8")
    try:
        blender.ask(USED.format(folder=str(tmp_path)))
        blender.wait("session().engine('grid') is not None and not session().engine('grid').missing")
        blender.ask("redraw()")
        blender.find("hi3dgen_grid.cells", across=0.75)
        blender.shoot(shots / "the settings.png")
        blender.click(CLICK)
        blender.wait("session().jobs")
        blender.wait_for_job()
        blender.shoot(shots / "a mesh of views.png")
        assert blender.undo_steps()[-2:] == [SHEET, "Generate owl views"]
        assert blender.ask(
            "[bpy.context.object.name, bpy.context.object.type, len(bpy.context.object.data.polygons)]"
        ) == [
            "owl views",
            "MESH",
            12,
        ]
        assert blender.ask("dict(bpy.context.object['hi3dgen']['settings'])['cells']") == 96
        blender.point_at()
        blender.screen.press("ctrl+z")
        blender.wait("not any(thing.type == 'MESH' and 'hi3dgen' in thing for thing in bpy.data.objects)")
        assert (
            blender.ask(
                "len([thing for thing in bpy.data.objects if thing.type == 'CAMERA' and 'hi3dgen_views' in thing])"
            )
            == 3
        )
    finally:
        blender.ask(USED.format(folder=extension))
