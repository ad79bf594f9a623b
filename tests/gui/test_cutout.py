# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out as an artist looks at it and draws it, with a real mouse in a real window."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.gui import pictures
from tests.gui.blender import MODULE, NOWHERE, Blender
from tests.gui.screen import wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

PREVIEW, DRAW, MASK = "hi3dgen.preview_cutout", "hi3dgen.draw_cutout", "hi3dgen_cutout"
QUICK = 128
LEFT, RIGHT = (0.15, 0.35, 0.32, 0.65), (0.68, 0.35, 0.85, 0.65)  # of the picture: within the boxes
ACROSS_LEFT, ACROSS_RIGHT = ((0.18, 0.5), (0.3, 0.5)), ((0.7, 0.5), (0.83, 0.5))
Line = tuple[tuple[float, float], tuple[float, float]]


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures.write(tmp_path_factory.mktemp("pictures") / "boxes.png", pictures.two_boxes())


def begin(blender: Blender, picture: Path) -> None:
    """Press Draw Cut-out in the viewport's sidebar."""
    blender.ask(f"use({str(picture)!r}, {QUICK})")
    blender.wait("session().phase.name == 'READY'")
    blender.click(DRAW, across=0.75)
    blender.wait("is_answered()")
    blender.wait("abs(place(0, 0)[0] - place(1, 0)[0]) > 300")  # the editor shows all of the picture


def draw(blender: Blender, line: Line, button: int = 1, key: str = "") -> None:
    """Draw a stroke and wait for its answer."""
    strokes = blender.ask("len(drawing().strokes)")
    start, end = (blender.ask(f"place(*{point})") for point in line)
    blender.screen.drag(start, end, button, key)
    blender.wait(f"len(drawing().strokes) == {strokes} + 1 and is_answered()")


def covered(blender: Blender, part: tuple[float, ...]) -> float:
    return blender.ask(f"covered(*{part})")


def seen(blender: Blender, path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int_]]":
    """The screen's colours, int (H, W, 3)."""
    with Image.open(blender.shoot(path)) as shot:
        return np.asarray(shot.convert("RGB"), dtype=int)


def test_the_panel_shows_the_cut_out_before_there_is_a_mesh(blender: Blender, boxes: Path, shots: Path) -> None:
    blender.ask(f"use({str(boxes)!r}, {QUICK})")
    blender.wait("session().phase.name == 'READY'")
    before = blender.ask("facts()")
    without = seen(blender, shots / "before the look.png")
    blender.click(PREVIEW, across=0.25)
    blender.wait_for_job()
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "cut-out panel.png", "VIEW_3D")
    shown = seen(blender, shots / "look.png")
    reds = [((each[..., 0] > 150) & (each[..., 1] < 80) & (each[..., 2] < 80)).sum() for each in (without, shown)]
    assert reds[1] > reds[0] + 200, "the red box in the thumbnail"
    assert blender.ask("facts()") == before


def test_strokes_change_the_cut_out_and_enter_keeps_it(blender: Blender, boxes: Path, shots: Path) -> None:
    steps = [*blender.undo_steps(), "Choose Picture"]
    begin(blender, boxes)
    assert min(covered(blender, LEFT), covered(blender, RIGHT)) > 0.9
    draw(blender, ACROSS_RIGHT, button=3)
    shot = seen(blender, shots / "drawing.png")
    assert covered(blender, LEFT) > 0.9
    assert covered(blender, RIGHT) < 0.1
    x, y = blender.ask("place(0.75, 0.5)")
    red, green, blue = shot[y, x]
    assert red > green + 80, "the stroke is red"
    assert red > blue + 80
    x, y = blender.ask("place(0.5, 0.1)")
    assert shot[y, x].max() < 110, "the grey ground is dimmed"

    blender.screen.press("ctrl+z")
    blender.wait("not drawing().strokes and is_answered()")
    assert covered(blender, RIGHT) > 0.9
    draw(blender, ACROSS_LEFT, key="ctrl")
    draw(blender, ACROSS_RIGHT)
    shot = seen(blender, shots / "drawing two strokes.png")
    x, y = blender.ask("place(0.75, 0.5)")
    red, green, blue = shot[y, x]
    assert green > red + 80, "the stroke is green"
    assert covered(blender, LEFT) < 0.1
    assert covered(blender, RIGHT) > 0.9

    blender.screen.press("Return")
    blender.wait("drawing() is None and not session().live")
    assert blender.undo_steps() == [*steps, "Draw Cut-out"]
    mask = "bpy.data.images['boxes.png'].hi3dgen_cutout"
    assert blender.ask(f"{mask}.name") == "boxes cut-out"
    assert blender.ask(f"{mask}.packed_file is not None")
    blender.open_tab()  # the editor is a viewport again
    blender.find(MASK, across=0.7)
    blender.shoot(shots / "mask panel.png", "VIEW_3D")

    blender.click("hi3dgen.generate")
    blender.wait_for_job()
    blender.shoot(shots / "mesh of the cut-out.png")
    assert sorted(blender.ask("[*bpy.context.object['hi3dgen']['inputs'].keys()]")) == ["own_cutout", "picture"]
    blender.find(PREVIEW, across=0.25)
    blender.find(DRAW, across=0.75)

    blender.point_at()
    blender.screen.press("ctrl+z", "ctrl+z")
    blender.wait("bpy.data.images['boxes.png'].hi3dgen_cutout is None")
    blender.screen.press("ctrl+shift+z")
    blender.wait("bpy.data.images['boxes.png'].hi3dgen_cutout is not None")


def test_escape_leaves_everything_as_it_was(blender: Blender, boxes: Path) -> None:
    begin(blender, boxes)
    before, steps = blender.ask("facts()"), blender.undo_steps()
    draw(blender, ACROSS_LEFT)
    blender.screen.press("Escape")
    blender.wait("drawing() is None")
    assert blender.ask("facts()") == before
    assert blender.undo_steps() == steps
    assert blender.ask("bpy.data.images['boxes.png'].hi3dgen_cutout is None")
    blender.open_tab()
    blender.find(DRAW, across=0.75)


def test_it_is_drawn_where_no_object_is_found(blender: Blender, noise: Path, shots: Path) -> None:
    begin(blender, noise)
    blender.shoot(shots / "nothing found.png")
    draw(blender, ((0.05, 0.05), (0.95, 0.05)), button=3)
    draw(blender, ((0.4, 0.5), (0.6, 0.5)))
    assert covered(blender, (0.45, 0.47, 0.55, 0.53)) > 0.5
    assert covered(blender, (0.0, 0.0, 1.0, 0.04)) < 0.5
    blender.screen.press("Return")
    blender.wait("drawing() is None")
    assert blender.ask("bpy.data.images['noise.png'].hi3dgen_cutout is not None")


def test_an_image_editor_goes_back_to_what_it_showed(blender: Blender, boxes: Path, noise: Path) -> None:
    blender.ask("area('VIEW_3D').type = 'IMAGE_EDITOR'")
    blender.ask(f"bpy.context.scene.hi3dgen.picture = bpy.data.images.load({str(noise)!r})")
    blender.ask(f"area('IMAGE_EDITOR').spaces.active.image = bpy.data.images.load({str(boxes)!r})")
    blender.open_tab("IMAGE_EDITOR")
    blender.click(DRAW, "IMAGE_EDITOR", across=0.75)
    blender.wait("is_answered()")
    assert blender.ask("drawing().title") == "boxes.png", "the editor's picture, not the panel's"
    draw(blender, ((0.18, 0.4), (0.18, 0.6)), button=3)
    blender.screen.press("Return")
    blender.wait("drawing() is None")
    assert blender.ask("area('IMAGE_EDITOR').spaces.active.image.name") == "boxes.png"
    blender.ask("area('IMAGE_EDITOR').spaces.active.image = bpy.data.images['boxes.png'].hi3dgen_cutout")
    blender.click(DRAW, "IMAGE_EDITOR", across=0.75)
    blender.wait("is_answered()")
    assert blender.ask("drawing().title") == "boxes.png", "a mask means its picture"
    blender.screen.press("Escape")
    blender.wait("drawing() is None")
    assert blender.ask("area('IMAGE_EDITOR').spaces.active.image.name") == "boxes cut-out"


def test_who_looks_at_the_mask_sees_the_new_one_after_enter(blender: Blender, boxes: Path) -> None:
    blender.ask("split()")
    picture = f"bpy.data.images.load({str(boxes)!r}, check_existing=True)"
    blender.ask(f"area('IMAGE_EDITOR').spaces.active.image = {picture}")
    blender.open_tab("IMAGE_EDITOR")
    for mask in ("boxes cut-out", "boxes cut-out.001"):
        blender.click(DRAW, "IMAGE_EDITOR", across=0.75)
        blender.wait("is_answered()")
        draw(blender, ((0.18, 0.4), (0.18, 0.6)), button=3)
        blender.screen.press("Return")
        blender.wait("drawing() is None")
        assert blender.ask("bpy.data.images['boxes.png'].hi3dgen_cutout.name") == mask
        blender.ask("area('IMAGE_EDITOR').spaces.active.image = bpy.data.images['boxes.png'].hi3dgen_cutout")
        assert blender.ask("meant()") == "boxes.png"
    blender.click(DRAW, "IMAGE_EDITOR", across=0.75)
    blender.wait("is_answered()")
    blender.screen.press("Return")
    blender.wait("drawing() is None")
    assert blender.ask("bpy.data.images['boxes.png'].hi3dgen_cutout.name") == "boxes cut-out.002"
    assert blender.ask("shown()") == "boxes cut-out.002"
    assert blender.ask("meant()") == "boxes.png"
    assert blender.ask("bpy.data.images['boxes cut-out.001'].use_fake_user")


def test_nothing_is_drawn_on_a_picture_that_nobody_sees(blender: Blender, boxes: Path, noise: Path) -> None:
    begin(blender, boxes)
    draw(blender, ACROSS_RIGHT, button=3)
    blender.ask(f"area('IMAGE_EDITOR').spaces.active.image = bpy.data.images.load({str(noise)!r})")
    blender.screen.drag(*(blender.ask(f"place(*{point})") for point in ACROSS_LEFT))
    blender.ask("area('IMAGE_EDITOR').spaces.active.image = bpy.data.images['boxes.png']")
    draw(blender, ACROSS_LEFT)
    assert blender.ask("[stroke.keep for stroke in drawing().strokes]") == [False, True]
    blender.ask("bpy.data.images['boxes.png'].name = 'renamed.png'")
    blender.screen.press("Return")
    blender.wait("drawing() is None")
    assert blender.ask("bpy.data.images['renamed.png'].hi3dgen_cutout is not None")


def test_a_picture_that_is_removed_meanwhile_has_no_cut_out(blender: Blender, boxes: Path) -> None:
    begin(blender, boxes)
    draw(blender, ACROSS_LEFT)
    blender.ask("bpy.data.images.remove(bpy.data.images['boxes.png'])")
    blender.ask("bpy.data.images.new('boxes.png', 8, 8)")
    blender.screen.press("Return")
    blender.wait("drawing() is None")
    wait_until(lambda: "no image “boxes.png” any more" in str(blender.ask("reports()")), "the report is there")
    assert blender.ask("bpy.data.images['boxes.png'].hi3dgen_cutout is None")


def test_a_mask_that_does_not_fit_is_no_obstacle(blender: Blender, boxes: Path, noise: Path) -> None:
    blender.ask(f"use({str(boxes)!r}, {QUICK})")
    blender.ask(f"bpy.context.scene.hi3dgen.picture.hi3dgen_cutout = bpy.data.images.load({str(noise)!r})")
    begin(blender, boxes)
    blender.wait("drawing().answered")
    draw(blender, ACROSS_RIGHT, button=3)
    assert covered(blender, LEFT) > 0.9
    blender.screen.press("Return")
    blender.wait("drawing() is None")
    assert blender.ask("bpy.data.images['boxes.png'].hi3dgen_cutout.name") == "boxes cut-out"


def test_the_editor_that_was_clicked_in_is_drawn_in_and_shows_nothing_afterwards(blender: Blender, boxes: Path) -> None:
    blender.ask("area('DOPESHEET_EDITOR').type = 'IMAGE_EDITOR'")
    blender.ask("area('VIEW_3D').type = 'IMAGE_EDITOR'")
    blender.ask(f"use({str(boxes)!r}, {QUICK})")
    editors = "[area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == 'IMAGE_EDITOR']"
    clicked = f"max({editors}, key=lambda area: area.height)"
    other = f"min({editors}, key=lambda area: area.height)"
    blender.ask(f"clicked, other = {clicked}, {other}")
    blender.ask("other.spaces.active.image = bpy.context.scene.hi3dgen.picture")
    blender.ask("clicked.spaces.active.image = None")
    blender.ask(
        "exec('with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=clicked): "
        'bpy.ops.hi3dgen.draw_cutout("INVOKE_DEFAULT")\')'
    )
    blender.wait("is_answered()")
    assert blender.ask("clicked.spaces.active.image.name") == "boxes.png"
    blender.screen.press("Escape")
    blender.wait("drawing() is None")
    assert blender.ask("clicked.spaces.active.image") is None
    assert blender.ask("other.spaces.active.image.name") == "boxes.png"


def test_it_waits_while_the_artist_looks_at_another_workspace(blender: Blender, boxes: Path) -> None:
    begin(blender, boxes)
    show = "setattr(bpy.context.window_manager.windows[0], 'workspace', bpy.data.workspaces[{!r}])"
    blender.ask(show.format("Modeling"))
    blender.wait("bpy.context.window_manager.windows[0].workspace.name == 'Modeling'")
    turns = blender.ask("diary.turns")
    blender.wait(f"diary.turns > {turns + 60}")
    assert blender.ask("drawing() is not None")
    assert "Traceback" not in blender.console
    blender.ask(show.format("Layout"))
    blender.wait("bpy.context.window_manager.windows[0].workspace.name == 'Layout'")
    blender.wait("abs(place(0, 0)[0] - place(1, 0)[0]) > 300")
    draw(blender, ACROSS_RIGHT)
    assert blender.ask(f"covered(*{RIGHT})") > 0.9


def test_another_file_ends_it(blender: Blender, boxes: Path, tmp_path: Path) -> None:
    begin(blender, boxes)
    draw(blender, ACROSS_LEFT)
    other = tmp_path / "other.blend"
    blender.ask(f"bpy.ops.wm.save_as_mainfile(filepath={str(other)!r}, copy=True)")
    blender.ask(f"bpy.ops.wm.open_mainfile(filepath={str(other)!r})")
    blender.wait("drawing() is None")
    assert blender.ask("bpy.data.images['boxes.png'].hi3dgen_cutout is None")


def test_the_extension_can_be_disabled_while_it_is_drawn(blender: Blender, boxes: Path) -> None:
    begin(blender, boxes)
    blender.ask(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
    bar = "bpy.types.STATUSBAR_HT_header"
    assert blender.ask(f"{bar}.draw == {bar}._draw_orig"), "the status bar says no keys any more"
    blender.point_at("IMAGE_EDITOR")
    blender.screen.press("Escape")
    blender.ask("redraw()")
    blender.ask("area('IMAGE_EDITOR').type = 'VIEW_3D'")
    blender.ask(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
    blender.open_tab()
    begin(blender, boxes)
    blender.screen.press("Escape")
    blender.wait("drawing() is None")
