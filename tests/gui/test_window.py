# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension in a real Blender window: from the click to the mesh, and what may come between.

Mouse and keyboard drive it. The backend is frozen if a test needs it to be in the middle of its work.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.gui.blender import MODULE, Blender
from tests.gui.screen import wait_until

Channel = NDArray[np.int_]

pytestmark = [pytest.mark.window, pytest.mark.slow]

GENERATE, CANCEL = "hi3dgen.generate(", "hi3dgen.cancel("
RIGHT = 0.75  # across the sidebar
QUICK, FINE = 128, 512
F3 = "69"  # the code of the key: if it is named, newer systems press Alt with it


def press_generate(blender: Blender, picture: Path, resolution: int = QUICK) -> dict[str, Any]:
    """Choose the picture, press Generate, and return what was in the file before."""
    blender.ask(f"use({str(picture)!r}, {resolution})")
    before = blender.ask("facts()")
    click_generate(blender)
    return before


def click_generate(blender: Blender, editor: str = "VIEW_3D") -> None:
    """Press Generate, and wait until there is a new job."""
    name = blender.ask("session().next_name()")
    blender.click(GENERATE, editor)
    blender.wait(f"session().next_name() != {name!r}")


def press_generate_and_freeze(blender: Blender, picture: Path, stage: str = "geometry") -> dict[str, Any]:
    """The same, until the backend is frozen at a stage of a job that takes seconds."""
    blender.ask(f"diary.stop_at = {stage!r}")
    before = press_generate(blender, picture, FINE)
    blender.wait("not diary.stop_at")
    return before


def test_the_zip_installs_and_the_tab_opens_in_both_editors(blender: Blender, shots: Path) -> None:
    assert blender.ask("MODULE in bpy.context.preferences.addons")
    blender.shoot(shots / "tab in the viewport.png")
    blender.find("hi3dgen.generate")
    blender.ask("area('VIEW_3D').type = 'IMAGE_EDITOR'")
    blender.open_tab("IMAGE_EDITOR")
    blender.shoot(shots / "tab in the image editor.png")
    blender.find("hi3dgen.generate", "IMAGE_EDITOR")


def test_the_image_editors_picture_becomes_a_mesh(blender: Blender, toadstool: Path, noise: Path, shots: Path) -> None:
    blender.ask(f"use({str(noise)!r}, {QUICK})")
    blender.ask("area('VIEW_3D').type = 'IMAGE_EDITOR'")
    blender.ask(f"area('IMAGE_EDITOR').spaces.active.image = bpy.data.images.load({str(toadstool)!r})")
    blender.open_tab("IMAGE_EDITOR")
    click_generate(blender, "IMAGE_EDITOR")
    blender.wait_for_job()
    blender.shoot(shots / "image editor.png")
    assert blender.ask("bpy.context.object.name") == "toadstool"


def test_a_click_makes_a_mesh_and_shows_how_far_it_is(blender: Blender, toadstool: Path, shots: Path) -> None:
    before = press_generate_and_freeze(blender, toadstool, "normals")
    blender.wait("diary.shown and diary.shown[-1][0] == 'Estimating normals'")
    blender.ask("diary.stop_at = 'geometry'")
    blender.ask("thaw()")
    blender.wait("diary.shown[-1][0] == 'Building the surface'")
    blender.shoot(shots / "running.png")
    blender.shoot(shots / "running panel.png", "VIEW_3D")
    assert blender.ask("facts()") == before
    blender.ask("thaw()")
    blender.wait_for_job()
    blender.shoot(shots / "done.png")
    blender.shoot(shots / "done panel.png", "VIEW_3D")
    after = blender.ask("facts()")
    assert set(after["objects"]) - set(before["objects"]) == {"toadstool"}
    assert after["active"] == ["toadstool", "OBJECT"]
    seen = blender.ask("diary.shown")
    assert all(0 <= step <= of for _, step, of in seen)
    steps = [step for label, step, _ in seen if label == "Building the surface"]
    assert steps == sorted(steps)


@pytest.mark.once
def test_blender_is_at_work_while_the_backend_is(blender: Blender, toadstool: Path) -> None:
    press_generate_and_freeze(blender, toadstool)
    turns = blender.ask("diary.turns")
    blender.wait(f"diary.turns > {turns} + 20")
    blender.point_at()
    blender.screen.press("g", "x", "2", "Return")  # move the cube by 2 m
    blender.wait("bpy.data.objects['Cube'].location.x == 2.0")
    blender.ask("thaw()")
    blender.wait_for_job()
    assert blender.ask("facts()['objects']['Cube']") == [2.0, 0.0, 0.0]


def test_the_mesh_is_one_undo_step(blender: Blender, toadstool: Path) -> None:
    blender.ask("bpy.data.objects['Cube'].location.x = 2.0")
    before = press_generate(blender, toadstool)
    steps = blender.undo_steps()
    blender.wait_for_job()
    after = blender.ask("facts()")
    assert blender.undo_steps() == [*steps, "Generate toadstool"]

    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait("'toadstool' not in bpy.context.scene.objects")
    assert blender.ask("facts()") == before
    assert blender.ask("bpy.context.scene.hi3dgen.picture.name") == "toadstool.png"

    blender.screen.press("ctrl+shift+z")
    blender.wait("'toadstool' in bpy.context.scene.objects")
    assert blender.ask("facts()") == after
    nodes = "bpy.context.object.active_material.node_tree.nodes"
    assert blender.ask(f"{nodes}['Normal Map'].image.packed_file is not None")
    assert blender.ask(f"{nodes}['Picture'].image.name") == "toadstool.png"
    assert blender.ask("bpy.context.object['hi3dgen']['seed']") == 0

    blender.screen.press("ctrl+z", "ctrl+z")
    blender.wait("bpy.data.objects['Cube'].location.x == 0.0")


@pytest.mark.once
def test_variations_come_side_by_side_in_one_undo_step(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask("bpy.context.scene.hi3dgen.count = 3")
    before = press_generate(blender, toadstool)
    steps = blender.undo_steps()
    blender.wait_for_job()
    blender.shoot(shots / "variations.png")
    assert blender.undo_steps() == [*steps, "Generate toadstool"]
    objects = blender.ask("facts()['objects']")
    places = [place for name, place in objects.items() if name.startswith("toadstool")]
    assert len({x for x, _, _ in places}) == len(places) == 3
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait("'toadstool' not in bpy.context.scene.objects")
    assert blender.ask("facts()") == before


def test_the_other_engine_shows_its_settings_and_what_is_missing(blender: Blender, shots: Path) -> None:
    blender.wait("session().phase.name == 'READY'")
    blender.ask("bpy.context.scene.hi3dgen.engine = 'hi3dgen'")
    blender.shoot(shots / "other engine.png", "VIEW_3D")
    assert blender.ask("session().engine('hi3dgen').missing"), "Blender has no PyTorch"
    blender.find("hi3dgen_hi3dgen.quality")
    blender.find("preferences.addon_show")
    with pytest.raises(AssertionError, match="no button"):
        blender.find("hi3dgen_draft.thickness")
    blender.click("hi3dgen.unload", across=0.68)
    blender.ask("bpy.context.scene.hi3dgen.engine = 'draft'")
    blender.find("hi3dgen_draft.thickness")


@pytest.mark.once
def test_search_finds_it(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.point_at()
    blender.screen.press(F3)
    blender.screen.write("generate mesh")
    blender.ask("0")
    blender.shoot(shots / "search.png")
    blender.screen.press("Return")
    blender.wait("session().jobs")
    blender.wait_for_job()
    assert blender.ask("bpy.context.object.name") == "toadstool"


@pytest.mark.once
def test_cancel_ends_a_job_and_the_next_one_runs(blender: Blender, toadstool: Path, shots: Path) -> None:
    before = press_generate_and_freeze(blender, toadstool)
    blender.click(CANCEL, across=RIGHT)
    blender.wait_for_job("CANCELLED")
    blender.ask("thaw()")
    blender.shoot(shots / "cancelled.png", "VIEW_3D")
    assert blender.ask("error()") is None
    click_generate(blender)
    blender.wait_for_job()
    added = set(blender.ask("facts()")["objects"]) - set(before["objects"])
    assert added == {"toadstool"}, "one mesh: the second job's"


@pytest.mark.once
def test_jobs_wait_for_each_other(blender: Blender, toadstool: Path, shots: Path) -> None:
    press_generate_and_freeze(blender, toadstool)
    press_generate(blender, toadstool)
    blender.shoot(shots / "two jobs.png", "VIEW_3D")
    blender.ask("thaw()")
    blender.wait_for_job()
    assert {"toadstool", "toadstool.001"} <= set(blender.ask("facts()")["objects"])


@pytest.mark.once
def test_a_mesh_waits_for_object_mode(blender: Blender, toadstool: Path, shots: Path) -> None:
    before = press_generate_and_freeze(blender, toadstool)
    blender.point_at()
    blender.screen.press("Tab")
    blender.wait("bpy.context.mode == 'EDIT_MESH'")
    blender.ask("thaw()")
    blender.wait("job_state() == 'LANDING'")
    blender.shoot(shots / "waits for object mode.png")
    assert blender.ask("facts()") == {**before, "active": ["Cube", "EDIT"]}
    blender.screen.press("Tab")
    blender.wait_for_job()
    assert "toadstool" in blender.ask("facts()")["objects"]


def test_a_mesh_waits_for_the_end_of_a_drag(blender: Blender, toadstool: Path) -> None:
    press_generate_and_freeze(blender, toadstool)
    blender.point_at()
    blender.screen.press("g", "x", "2")  # the cube, 2 m along x, if the artist confirms it
    blender.wait("bpy.data.objects['Cube'].location.x == 2.0")
    steps = blender.undo_steps()
    blender.ask("thaw()")
    blender.wait("job_state() == 'LANDING'")
    blender.screen.press("Escape")
    blender.wait_for_job()
    assert blender.undo_steps() == [*steps, "Generate toadstool"]
    blender.screen.press("ctrl+z", "ctrl+shift+z")
    blender.wait("'toadstool' in bpy.context.scene.objects")
    assert blender.ask("facts()['objects']['Cube']") == [0.0, 0.0, 0.0]


@pytest.mark.once
def test_a_picture_without_an_object_says_what_to_do(blender: Blender, noise: Path, shots: Path) -> None:
    before = press_generate(blender, noise)
    steps = blender.undo_steps()
    blender.wait_for_job("FAILED")
    blender.shoot(shots / "no background.png", "VIEW_3D")
    sentence, advice = blender.ask("error()")
    assert "background" in sentence
    assert "Cut the object out" in advice
    assert blender.ask("facts()") == before
    assert blender.undo_steps() == steps


@pytest.mark.once
def test_three_deaths_open_the_breaker(blender: Blender, toadstool: Path, shots: Path) -> None:
    for death in (1, 2, 3):
        before = press_generate_and_freeze(blender, toadstool)
        psutil.Process(blender.ask("session().pid")).kill()
        blender.wait_for_job("FAILED")
        blender.shoot(shots / f"death {death}.png", "VIEW_3D")
        assert blender.ask("facts()") == before
        if death == 1:
            assert "ended in the middle" in blender.ask("error()")[0]
            blender.click("hi3dgen.show_log")
            blender.ask("0")
            blender.shoot(shots / "log.png")
            blender.screen.press("Escape")
    assert blender.ask("session().phase.name") == "BROKEN"
    blender.click("hi3dgen.try_again")
    blender.wait("session().phase.name == 'READY'")
    assert blender.ask("error()") is None
    click_generate(blender)
    blender.wait_for_job()


@pytest.mark.once
def test_another_file_does_not_receive_the_mesh(blender: Blender, toadstool: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.blend"
    blender.ask(f"bpy.ops.wm.save_as_mainfile(filepath={str(other)!r}, copy=True)")
    press_generate_and_freeze(blender, toadstool)
    blender.point_at()  # away from the button, which would else stay as it is drawn first: grey
    blender.ask(f"bpy.ops.wm.open_mainfile(filepath={str(other)!r})")
    blender.ask("thaw()")
    before = blender.ask("facts()")
    assert "toadstool.png" not in before["data"]["images"]
    blender.open_tab()
    press_generate(blender, toadstool)
    blender.wait_for_job()
    added = set(blender.ask("facts()")["objects"]) - set(before["objects"])
    assert added == {"toadstool"}, "one mesh: the one that was asked for here"


def test_it_can_be_disabled_in_the_middle_of_a_job(blender: Blender, toadstool: Path) -> None:
    before = press_generate_and_freeze(blender, toadstool)
    backend = psutil.Process(blender.ask("session().pid"))
    blender.ask(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
    wait_until(lambda: not backend.is_running(), "the backend has ended")
    assert blender.ask("facts()") == before
    blender.ask(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
    blender.open_tab()
    click_generate(blender)
    blender.wait_for_job()
    assert "toadstool" in blender.ask("facts()")["objects"]


@pytest.mark.once
def test_undo_while_a_job_runs_takes_nothing_from_it(blender: Blender, toadstool: Path) -> None:
    start = blender.ask("facts()")
    press_generate_and_freeze(blender, toadstool)
    blender.point_at()
    blender.screen.press("ctrl+z")  # the choice of the picture
    blender.wait("'toadstool.png' not in bpy.data.images")
    blender.ask("thaw()")
    blender.wait_for_job()
    assert blender.ask("bpy.data.images['toadstool picture'].packed_file is not None")
    blender.screen.press("ctrl+z")
    blender.wait("'toadstool' not in bpy.context.scene.objects")
    assert blender.ask("facts()") == start


@pytest.mark.once
def test_a_script_leaves_no_trace_in_the_button(blender: Blender, toadstool: Path, noise: Path) -> None:
    blender.ask(f"bpy.ops.hi3dgen.generate(filepath={str(toadstool)!r}, seed=7, resolution=64)")
    blender.wait_for_job()
    press_generate(blender, noise)
    blender.wait_for_job("FAILED")


def test_it_shows_the_picture_and_the_normal_maps_colours(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask("bpy.data.objects.remove(bpy.data.objects['Cube'])")
    blender.ask("all_round()")
    press_generate(blender, toadstool)
    blender.wait_for_job()
    blender.ask("area('VIEW_3D').spaces.active.shading.color_type = 'TEXTURE'")
    blender.ask("area('VIEW_3D').spaces.active.shading.light = 'FLAT'")
    blender.ask("area('VIEW_3D').spaces.active.region_3d.view_perspective = 'ORTHO'")
    blender.point_at()
    blender.screen.press("KP_1", "KP_Decimal")
    blender.ask("area('VIEW_3D').spaces.active.show_gizmo = False")
    wait_until(lambda: share(blender, shots / "picture.png", is_red) > 0.03, "the picture's red is seen")
    blender.click("hi3dgen.show(shows='NORMAL_MAP'", across=0.25)
    blender.wait("bpy.context.object.active_material.hi3dgen_shows == 'NORMAL_MAP'")
    wait_until(lambda: share(blender, shots / "normal map.png", is_blue) > 0.03, "the normal map's blue is seen")
    assert share(blender, shots / "normal map.png", is_red) < 0.01


def share(blender: Blender, path: Path, wanted: Callable[[Channel, Channel, Channel], NDArray[np.bool_]]) -> float:
    """The share of the screen's pixels that are of a colour."""
    with Image.open(blender.shoot(path)) as shot:
        red, green, blue = np.moveaxis(np.asarray(shot.convert("RGB"), dtype=int), -1, 0)
    return float(wanted(red, green, blue).mean())


def is_red(red: Channel, green: Channel, blue: Channel) -> NDArray[np.bool_]:
    """The toadstool's cap."""
    return (red > 90) & (green < red / 2) & (blue < red / 2)


def is_blue(red: Channel, green: Channel, blue: Channel) -> NDArray[np.bool_]:
    """What looks at the viewer in a normal map."""
    return (blue > 180) & (abs(red - 128) < 90) & (abs(green - 128) < 90)
