# SPDX-License-Identifier: GPL-3.0-or-later
"""In a window: the preferences say where things are, and their buttons do what they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui.blender import NOWHERE, SCAN_PIXELS, Blender
from tests.gui.screen import wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

POINTED = """
def pointed():
    manager = bpy.context.window_manager
    place = {"area": area("PREFERENCES"), "region": region("PREFERENCES", "WINDOW")}
    with bpy.context.temp_override(window=manager.windows[0], **place):
        for copy in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
            if copy.poll():
                manager.clipboard = ""
                copy()
                return manager.clipboard
    return ""
"""
MENU = """
def open_menu():
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area("PREFERENCES")):
        bpy.ops.wm.call_menu(name="HI3DGEN_MT_device")
"""
OPENER = '#!/bin/sh\necho "$1" >> "{opened}"\n'
RESULTS = "bpy.ops.hi3dgen.generate(filepath={picture!r}, seed=4, resolution=96)"
ENGINE = """
setup().plan["installed"] = {"torch": "2.13.0", "device": "NVIDIA GeForce RTX 3060"}
setup().plan["up_to_date"] = True
setup().doctor["devices"] = [["cpu", "the processor"], ["cuda:0", "NVIDIA GeForce RTX 3060"]]
redraw()
"""


@pytest.fixture
def data(resources: Path) -> Path:
    """The folder of environment and weights, with some megabytes of each."""
    folder = resources / "data"
    for name, megabytes in (
        ("environments/cpu-1a2b3c4d/torch.so", 6),
        ("weights/trellis-normal-v0-1/pipeline.json", 9),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * megabytes * 1_000_000)
    return folder


@pytest.fixture
def preferences(blender: Blender, data: Path) -> Iterator[Blender]:
    """The extension's preferences where the viewport was, with all of their questions answered."""
    blender.ask("area('VIEW_3D').type = 'PREFERENCES'")
    blender.ask("show_preferences()")
    blender.ask(POINTED)
    blender.ask("setup().asked = False; redraw()")
    blender.wait("setup().asked and not setup().live")
    yield blender
    blender.ask("area('PREFERENCES').type = 'VIEW_3D'")


def find(blender: Blender, button: str, across: float) -> tuple[float, float]:
    """Where a button of the preferences is: the wheel goes to the top, and down as far as it must."""
    left, top, width, height = blender.ask("box('PREFERENCES', 'WINDOW')")
    x, line = left + width * across, range(top + 8, top + height - 8, SCAN_PIXELS)

    def turn(page: int) -> None:
        blender.screen.point(x, top + height / 2)
        blender.screen.do("click --repeat 30 --delay 10 4", *["click --repeat 8 --delay 20 5"] * page)

    return x, blender.look(button, x, line, "pointed()", turn, 4)


def press(blender: Blender, button: str, across: float) -> None:
    """Click a button of the preferences."""
    blender.screen.click(*find(blender, button, across))


def test_they_show_where_things_are_and_how_large(preferences: Blender, data: Path, shots: Path) -> None:
    places = preferences.ask("setup().places")
    assert places["environment"] == {**places["environment"], "folder": str(data / "environments"), "bytes": 6_000_000}
    assert places["weights"]["bytes"] == 9_000_000
    preferences.screen.point(*NOWHERE)
    preferences.shoot(shots / "preferences top.png")
    find(preferences, "hi3dgen.copy_report", 0.75)
    preferences.shoot(shots / "preferences bottom.png")


def test_the_report_is_copied_and_the_log_is_opened(preferences: Blender, tmp_path: Path) -> None:
    press(preferences, "hi3dgen.copy_report", 0.75)
    preferences.wait("'engine Draft: ready' in bpy.context.window_manager.clipboard")
    report = preferences.ask("bpy.context.window_manager.clipboard")
    assert "graphics: " in report
    assert str(tmp_path) not in report
    opened, program = tmp_path / "opened", tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(OPENER.format(opened=opened), encoding="utf-8")
    program.chmod(0o755)
    preferences.ask(f"os.environ['PATH'] = {str(program.parent)!r} + os.pathsep + os.environ['PATH']")
    press(preferences, "hi3dgen.open_log", 0.35)
    wait_until(opened.exists, "the log is opened")
    assert "backend-" in opened.read_text("utf-8")


def test_caches_are_cleared(preferences: Blender, toadstool: Path) -> None:
    preferences.ask(RESULTS.format(picture=str(toadstool)))
    preferences.wait_for_job()
    preferences.ask("redraw()")
    preferences.wait("session().cached_bytes > 0")
    press(preferences, "hi3dgen.clear_caches", 0.5)
    preferences.wait("session().cached_bytes == 0 and not setup().live")
    assert preferences.ask("setup().places['bytecode']['bytes']") == 0


def test_the_engine_is_not_removed_while_a_mesh_is_made_and_then_it_is_asked(
    preferences: Blender, data: Path, toadstool: Path, shots: Path
) -> None:
    library, weights = data / "environments", data / "weights" / "trellis-normal-v0-1"
    preferences.ask("diary.stop_at = 'normals'")
    preferences.ask(RESULTS.format(picture=str(toadstool)).replace("seed=4", "seed=5"))
    preferences.wait("not diary.stop_at")
    press(preferences, "hi3dgen.remove_engine", 0.75)
    preferences.shoot(shots / "remove is refused.png")
    assert "A mesh is being made." in preferences.ask("reports()")[-1]
    preferences.ask("thaw()")
    preferences.wait_for_job()
    preferences.screen.press("Escape")  # the popup
    assert any(library.iterdir())

    press(preferences, "hi3dgen.remove_engine", 0.75)
    preferences.ask("0")
    preferences.shoot(shots / "remove asks.png")
    preferences.screen.press("Return")
    wait_until(lambda: not library.exists(), "the environment is removed")
    assert weights.exists()
    preferences.wait("setup().asked and not setup().live")


def test_a_device_is_chosen_and_the_backend_starts_with_it(preferences: Blender, shots: Path) -> None:
    preferences.ask(MENU)
    preferences.ask(ENGINE)
    preferences.wait("session().phase.name == 'READY'")
    before = preferences.ask("session().pid")
    left, top, width, height = preferences.ask("box('PREFERENCES', 'WINDOW')")
    preferences.screen.point(left + width * 0.6, top + height * 0.4)
    preferences.screen.do("click --repeat 30 --delay 10 4")
    preferences.shoot(shots / "engine is installed.png")
    preferences.ask("open_menu()")
    preferences.shoot(shots / "devices.png")
    preferences.screen.press("Down", "Down", "Return")
    name = f"bpy.context.preferences.addons[{preferences.ask('MODULE')!r}].preferences.device"
    preferences.wait(name)
    preferences.shoot(shots / "device chosen.png")
    preferences.wait(f"session().phase.name == 'READY' and session().pid != {before}")
    assert preferences.ask("session()._process.options.device") == preferences.ask(name)
    preferences.ask(f"{name} = ''")


def test_another_computer_is_chosen_by_mouse_and_the_boxes_are_about_it(preferences: Blender, shots: Path) -> None:
    ours = f"bpy.context.preferences.addons[{preferences.ask('MODULE')!r}].preferences"
    preferences.ask("session().close()")
    left, top, width, height = preferences.ask("box('PREFERENCES', 'WINDOW')")
    for y in range(top + height // 3, top + height // 2, SCAN_PIXELS):  # such a row of buttons gives no command to copy
        preferences.screen.click(left + width * 0.75, y)
        if preferences.ask(f"{ours}.computer") == "SSH":
            break
    else:
        pytest.fail("no click chose the other computer")
    preferences.screen.point(*NOWHERE)
    preferences.shoot(shots / "computer unnamed.png")
    preferences.ask(f"{ours}.ssh_name = 'nowhere.invalid'")
    preferences.ask("redraw()")
    preferences.shoot(shots / "computer named.png")
    press(preferences, "hi3dgen.copy_to_computer", 0.5)
    preferences.shoot(shots / "computer offline.png")
    assert "not allowed to go online" in preferences.ask("reports()")[-1]
    preferences.screen.press("Escape")
    preferences.ask(f"{ours}.ssh_name = ''; {ours}.computer = 'THIS'")
    preferences.wait("setup().asked and not setup().live")
