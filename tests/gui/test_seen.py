# SPDX-License-Identifier: GPL-3.0-or-later
"""In a window: a result is seen, from the first minute on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.gui.blender import Blender
from tests.gui.screen import wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow]

GENERATE = "hi3dgen.generate("
QUICK = 128
BELOW_FACES = 54  # pixels, past "Advanced": the header "In the Scene" is no button to be found


SECOND_WINDOW = """
bpy.ops.wm.window_new_main()
first, second = bpy.context.window_manager.windows
second.view_layer = bpy.context.scene.view_layers.new("Other")
first.view_layer.layer_collection.children["Hi3DGen"].exclude = True
viewport = max(second.screen.areas, key=lambda area: area.width * area.height)
viewport.type = "VIEW_3D"
"""
GENERATE_THERE = """
with bpy.context.temp_override(window=second, area=viewport):
    bpy.ops.hi3dgen.generate()
"""


def generate(blender: Blender, picture: Path, editor: str = "VIEW_3D") -> None:
    """Click Generate for the picture, and wait for its mesh."""
    blender.ask(f"use({str(picture)!r}, {QUICK})")
    name = blender.ask("session().next_name()")
    blender.click(GENERATE, editor)
    blender.wait(f"session().next_name() != {name!r}")
    blender.wait_for_job()


def are_apart(blender: Blender, one: str, other: str) -> bool:
    (low, high), (other_low, other_high) = blender.ask(f"bounds({one!r}), bounds({other!r})")
    return bool(np.any((np.array(low) >= other_high) | (np.array(other_low) >= high)))


def reported(blender: Blender) -> Callable[[], object]:
    return lambda: any("is in the collection" in line for line in blender.ask("reports()"))


def redness(blender: Blender, path: Path) -> float:
    """The share of the screen's pixels that are of the toadstool's red."""
    with Image.open(blender.shoot(path)) as shot:
        red, green, blue = (np.asarray(shot.convert("RGB"), dtype=int)[..., channel] for channel in range(3))
    return float(np.mean((red > 90) & (green < red / 2) & (blue < red / 2)))


def test_the_first_minute(blender: Blender, toadstool: Path, shots: Path) -> None:
    before = blender.ask("view()")
    blender.ask("all_round()")
    generate(blender, toadstool)
    wait_until(reported(blender), "the report is there")
    assert blender.ask("reports()")[-1] == "toadstool is in the collection Hi3DGen."
    low, high = np.array(blender.ask("bounds('toadstool')"))
    assert are_apart(blender, "toadstool", "Cube")
    assert low[2] == pytest.approx(0, abs=1e-6), "on the floor"
    after = blender.ask("view()")
    assert after[1:] == ["SOLID", "TEXTURE"]
    assert np.allclose(np.array(after[0])[:3, :3], np.array(before[0])[:3, :3]), "from the same side"
    seen = np.array(after[0]) @ (*(low + high) / 2, 1)
    assert np.allclose(seen, (0, 0, -3, 1), atol=0.01), "in the middle of the view"
    assert redness(blender, shots / "first minute.png") > 0.005


@pytest.mark.once
def test_the_next_ones_stand_in_a_row_and_the_view_is_the_artists(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    generate(blender, toadstool)
    blender.point_at()
    blender.screen.press("KP_1")
    blender.wait("area('VIEW_3D').spaces.active.region_3d.view_perspective == 'ORTHO'")
    blender.ask("area('VIEW_3D').spaces.active.shading.color_type = 'MATERIAL'")
    before = blender.ask("view()")
    blender.ask("bpy.context.scene.hi3dgen.seed = 1")
    generate(blender, toadstool)
    blender.shoot(shots / "second.png")
    assert are_apart(blender, "toadstool", "toadstool.001")
    assert blender.ask("view()") == before


def test_in_place_hides_the_former_one_and_undo_shows_it(blender: Blender, toadstool: Path, shots: Path) -> None:
    generate(blender, toadstool)
    blender.ask("bpy.context.scene.hi3dgen.stands = 'IN_PLACE'")
    blender.ask("push('Choose Place')")
    generate(blender, toadstool)
    blender.shoot(shots / "in place.png")
    visible = "[bpy.data.objects[name].visible_get() for name in ('toadstool', 'toadstool.001')]"
    assert blender.ask(visible) == [False, True]
    former, latter = np.array(blender.ask("bounds('toadstool'), bounds('toadstool.001')"))
    assert np.allclose(former.mean(axis=0)[:2], latter.mean(axis=0)[:2], atol=1e-4)
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait("'toadstool.001' not in bpy.data.objects")
    assert blender.ask("bpy.data.objects['toadstool'].visible_get()")


@pytest.mark.parametrize("chosen", ["shading.type = 'WIREFRAME'", "shading.color_type = 'SINGLE'"])
def test_a_shading_that_was_chosen_stays(blender: Blender, toadstool: Path, chosen: str) -> None:
    blender.ask(f"area('VIEW_3D').spaces.active.{chosen}")
    before = blender.ask("view()")
    generate(blender, toadstool)
    after = blender.ask("view()")
    assert after[1:] == before[1:]
    assert after[0] != before[0]


def test_a_view_through_the_camera_stays(blender: Blender, toadstool: Path) -> None:
    blender.point_at()
    blender.screen.press("KP_0")
    space = "area('VIEW_3D').spaces.active"
    blender.wait(f"{space}.region_3d.view_perspective == 'CAMERA'")
    camera = blender.ask("bounds('Camera')")
    generate(blender, toadstool)
    assert blender.ask(f"{space}.region_3d.view_perspective") == "CAMERA"
    assert blender.ask("bounds('Camera')") == camera
    assert blender.ask(f"{space}.shading.color_type") == "TEXTURE"


@pytest.mark.once
def test_it_is_seen_where_a_few_objects_are_shown_alone(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.point_at()
    blender.screen.press("slash")
    blender.wait("area('VIEW_3D').spaces.active.local_view")
    generate(blender, toadstool)
    assert redness(blender, shots / "local view.png") > 0.005


@pytest.mark.once
def test_a_large_one_in_millimetres_lies_within_the_views_limits(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    blender.ask("bpy.context.scene.unit_settings.scale_length = 0.001")
    generate(blender, toadstool)
    low, high = blender.ask("bounds('toadstool')")
    assert max(np.array(high) - low) == pytest.approx(1000, rel=1e-4)
    assert redness(blender, shots / "millimetres.png") > 0.005


def test_a_click_in_the_image_editor_shows_it_in_the_viewport(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask("split()")
    before = blender.ask("view()")[0]
    blender.ask(f"area('IMAGE_EDITOR').spaces.active.image = bpy.data.images.load({str(toadstool)!r})")
    blender.open_tab("IMAGE_EDITOR")
    generate(blender, toadstool, "IMAGE_EDITOR")
    blender.shoot(shots / "both editors.png")
    after, _, colours = blender.ask("view()")
    assert colours == "TEXTURE"
    assert after != before
    low, high = np.array(blender.ask("bounds('toadstool')"))
    assert np.allclose(np.array(after) @ (*(low + high) / 2, 1), (0, 0, -3, 1), atol=0.01), "it is framed"


@pytest.mark.once
def test_the_first_one_is_framed_in_files_of_their_own_startup_file(
    blender: Blender, toadstool: Path, tmp_path: Path
) -> None:
    """What *Save Startup File* keeps after a mesh was made and deleted."""
    generate(blender, toadstool)
    blender.ask("bpy.data.objects.remove(bpy.data.objects['toadstool'])")
    startup = tmp_path / "startup.blend"
    blender.ask(f"bpy.ops.wm.save_as_mainfile(filepath={str(startup)!r}, copy=True)")
    blender.ask(f"bpy.ops.wm.open_mainfile(filepath={str(startup)!r})")
    blender.ask("area('VIEW_3D').spaces.active.region_3d.view_distance = 40")
    blender.open_tab()
    generate(blender, toadstool)
    assert blender.ask("area('VIEW_3D').spaces.active.region_3d.view_distance") == pytest.approx(3, rel=0.01)


@pytest.mark.once
def test_what_is_reported_is_of_the_window_that_was_clicked_in(blender: Blender, toadstool: Path) -> None:
    generate(blender, toadstool)
    blender.ask(SECOND_WINDOW)
    blender.ask("bpy.context.scene.hi3dgen.seed = 1")
    blender.ask(GENERATE_THERE)
    blender.wait_for_job()
    wait_until(lambda: "toadstool.001" in blender.ask("reports()")[-1], "the report is there")
    assert blender.ask("reports()")[-1] == "toadstool.001 is in the collection Hi3DGen."


def test_the_panel_says_so_as_long_as_its_collection_is_hidden(blender: Blender, toadstool: Path, shots: Path) -> None:
    generate(blender, toadstool)
    layer = "bpy.context.view_layer.layer_collection.children['Hi3DGen']"
    blender.ask(f"{layer}.exclude = True")
    generate(blender, toadstool)
    wait_until(lambda: "is excluded" in blender.ask("reports()")[-1], "the report is there")
    blender.shoot(shots / "excluded.png", "VIEW_3D")
    blender.ask("listen(); redraw()")
    blender.wait("any('toadstool.001 is not seen' in sentence for sentence in diary.said)")
    blender.ask(f"{layer}.exclude = False; redraw()")
    blender.wait("not any('is not seen' in sentence for sentence in diary.said)")
    assert blender.ask("bpy.data.objects['toadstool.001'].visible_get()")


def test_the_size_is_typed_into_the_panel(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    x, y = blender.find("hi3dgen_draft.faces")
    blender.screen.click(x, y + BELOW_FACES)
    blender.ask("0")
    x, y = blender.find("hi3dgen.size", across=0.7)
    blender.screen.point(x, y)
    blender.screen.press("Return")
    blender.screen.press("ctrl+a")
    blender.screen.write("50 cm")
    blender.screen.press("Return")
    blender.wait("abs(bpy.context.scene.hi3dgen.size - 0.5) < 1e-6")
    blender.shoot(shots / "in the scene.png")
    blender.click(GENERATE)
    blender.wait("session().jobs")
    blender.wait_for_job()
    low, high = blender.ask("bounds('toadstool')")
    assert max(np.array(high) - low) == pytest.approx(0.5, rel=1e-4)
