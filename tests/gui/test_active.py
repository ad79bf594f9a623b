# SPDX-License-Identifier: GPL-3.0-or-later
"""Which picture a click means, as the panel shows it, and pictures that come from elsewhere."""

from pathlib import Path

import pytest

from tests.gui import pictures
from tests.gui.blender import Blender
from tests.gui.screen import wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow]

GENERATE = "hi3dgen.generate("
QUICK = 128
SHOWN = "bpy.context.object.active_material.node_tree.nodes['Picture'].image"
DROP = """
with bpy.context.temp_override(
    window=bpy.context.window_manager.windows[0], area=area('VIEW_3D'), region=region('VIEW_3D', {region!r})
):
    bpy.ops.{operator}
"""


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG file of two boxes before plain grey."""
    return pictures.write(tmp_path_factory.mktemp("pictures") / "boxes.png", pictures.two_boxes())


def generate(blender: Blender) -> None:
    name = blender.ask("session().next_name()")
    blender.click(GENERATE)
    blender.wait(f"session().next_name() != {name!r}")
    blender.wait_for_job()


def drop_on_viewport(blender: Blender, path: Path) -> None:
    """What Blender does with a picture's file that is dropped on the viewport."""
    blender.ask(DROP.format(region="WINDOW", operator=f"object.empty_image_add(filepath={str(path)!r})"))
    blender.ask("push('Drop'); redraw()")


def test_a_selected_reference_comes_before_the_panels_picture_and_the_panel_says_so(
    blender: Blender, toadstool: Path, boxes: Path, shots: Path
) -> None:
    blender.ask("bpy.data.objects.remove(bpy.data.objects['Cube'])")
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.shoot(shots / "the panel's picture.png", "VIEW_3D")
    blender.ask("listen()")
    drop_on_viewport(blender, boxes)
    blender.shoot(shots / "selected reference.png")
    blender.shoot(shots / "selected reference panel.png", "VIEW_3D")
    blender.wait("'boxes.png' in diary.said")
    assert any("Deselect it to use the panel's" in sentence for sentence in blender.ask("diary.said"))
    generate(blender)
    assert blender.ask(f"{SHOWN}.name") == "boxes.png"
    blender.shoot(shots / "after the reference.png")

    blender.point_at()
    blender.screen.press("alt+a")  # deselect all
    blender.wait("not bpy.context.view_layer.objects.selected[:]")
    blender.shoot(shots / "nothing selected panel.png", "VIEW_3D")
    generate(blender)
    assert blender.ask(f"{SHOWN}.name") == "toadstool.png"


@pytest.mark.once
def test_another_seed_is_another_click_after_a_reference(blender: Blender, boxes: Path, shots: Path) -> None:
    drop_on_viewport(blender, boxes)
    generate(blender)
    blender.shoot(shots / "what it was made from panel.png", "VIEW_3D")
    blender.ask("bpy.context.scene.hi3dgen.seed = 2")
    generate(blender)
    assert blender.ask("bpy.context.object['hi3dgen']['seed']") == 2
    assert blender.ask(f"{SHOWN}.name") == "boxes.png"


@pytest.mark.once
def test_a_picture_is_held_through_undo_and_a_new_name(blender: Blender, toadstool: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.ask("push('Something')")
    blender.wait("session().phase.name == 'READY'")
    blender.ask("freeze()")
    name = blender.ask("session().next_name()")
    blender.click(GENERATE)
    blender.wait(f"session().next_name() != {name!r}")
    blender.point_at()
    blender.screen.press("g", "x", "2", "Return")
    blender.wait("bpy.data.objects['Cube'].location.x == 2.0")
    blender.screen.press("ctrl+z")
    blender.wait("bpy.data.objects['Cube'].location.x == 0.0")
    blender.ask("bpy.data.images['toadstool.png'].name = 'other.png'")
    blender.ask("bpy.data.images.new('toadstool.png', 8, 8)")
    blender.ask("thaw()")
    blender.wait_for_job()
    assert blender.ask(f"{SHOWN}.name") == "other.png"
    assert blender.ask("bpy.data.images['other.png'].hi3dgen_normal_map.name") == "toadstool normals"


def test_the_panel_takes_a_file_that_is_dropped_on_it_and_the_viewport_does_not(blender: Blender) -> None:
    """Blender asks what it is to be, if it would make a reference image of it as well."""
    handler = "bpy.types.FileHandler.bl_rna_get_subclass_py('HI3DGEN_FH_picture')"
    for place, takes in (("UI", True), ("WINDOW", False)):
        context = f"types.SimpleNamespace(region=region('VIEW_3D', {place!r}))"
        blender.ask("import types")
        assert blender.ask(f"{handler}.poll_drop({context})") == takes


def test_without_an_image_in_the_clipboard_it_says_so_and_the_editor_shows_what_it_showed(
    blender: Blender, toadstool: Path
) -> None:
    blender.ask("split()")
    blender.ask(f"area('IMAGE_EDITOR').spaces.active.image = bpy.data.images.load({str(toadstool)!r})")
    blender.open_tab()
    blender.click("hi3dgen.paste_picture", across=0.83)
    wait_until(lambda: "no image in the clipboard" in str(blender.ask("reports()")), "the report is there")
    assert blender.ask("shown()") == "toadstool.png"
    assert blender.ask("bpy.context.scene.hi3dgen.picture is None")
