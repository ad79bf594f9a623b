# SPDX-License-Identifier: GPL-3.0-or-later
"""In windows: a folder's job is watched and paused with the mouse, Blender is killed, and the next one goes on."""

from pathlib import Path

import numpy as np
import pytest

from tests.gui import pictures
from tests.gui.blender import NOWHERE, Blender, running_blender
from tests.gui.browser import accept, browse
from tests.gui.screen import Screen, Tool

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

PAUSE, GO_ON, FORGET = "hi3dgen.pause_folder(", "hi3dgen.go_on_folder(", "hi3dgen.forget_folder("
RESOLUTION = 96
LEFT = 0.25  # across the sidebar
MADE = "[thing.name for thing in bpy.context.scene.objects if 'hi3dgen' in thing]"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of three toadstools of their own colours, and one of noise, the second."""
    folder = tmp_path_factory.mktemp("shelf") / "shelf"
    folder.mkdir()
    pixels = pictures.toadstool(128)
    for number in (1, 3, 4):
        painted = pixels.copy()
        painted[..., :3] = np.roll(pixels[..., :3], number % 3, axis=2) // (1 + number // 4)
        pictures.write(folder / f"{number}.png", painted)
    pictures.write(folder / "2.png", pictures.noise(64))
    return folder


def ready(blender: Blender) -> None:
    """Wait for the engines, and open the tab."""
    blender.wait("hasattr(bpy.types.Scene, 'hi3dgen_draft')")
    blender.open_tab()


@pytest.mark.timeout(300)  # two Blenders start
def test_a_job_outlives_blender(
    screen: Screen, real_blender: Tool, resources: Path, shelf: Path, shots: Path, tmp_path: Path
) -> None:
    file = tmp_path / "scene.blend"
    (tmp_path / "first").mkdir()
    with running_blender(screen, real_blender, resources, tmp_path / "first") as blender:
        ready(blender)
        blender.ask("rest()")
        blender.open_tab()
        blender.ask("diary.stop_with = 2")
        browse(blender, shelf, RESOLUTION)
        accept(blender)
        blender.wait("len(session().jobs[-1].landed) == 1")
        blender.ask(f"bpy.ops.wm.save_as_mainfile(filepath={str(file)!r}) and None")
        blender.wait("not diary.stop_with")
        blender.screen.point(*NOWHERE)
        blender.shoot(shots / "half-way.png")
        blender.click(PAUSE, across=LEFT)
        blender.wait("session().jobs[-1].paused")
        blender.shoot(shots / "pauses.png")
        blender.ask("thaw()")
        blender.wait_for_job()
        assert blender.ask(MADE) == ["1", "3"]
        blender.screen.point(*NOWHERE)
        blender.shoot(shots / "paused.png")
        blender.process.kill()

    (tmp_path / "second").mkdir()
    with running_blender(screen, real_blender, resources, tmp_path / "second", file) as blender:
        ready(blender)
        assert blender.ask(MADE) == ["1"]
        blender.shoot(shots / "after Blender was killed.png")
        blender.click(GO_ON, across=LEFT)
        blender.wait("session().jobs")
        blender.wait_for_job("FAILED")
        assert blender.ask(MADE) == ["1", "3", "4"]
        assert "3 of 4 pictures are made. “2.png” failed: " in blender.ask("error()")[0]
        blender.shoot(shots / "gone on.png")

        blender.ask("bpy.ops.wm.read_homefile() and None")
        blender.open_tab()
        blender.screen.point(*NOWHERE)
        blender.shoot(shots / "a fresh file.png")
        blender.click(FORGET, across=1 - LEFT)
        blender.shoot(shots / "what would be lost.png")
        blender.screen.press("Escape")
        assert len(blender.ask("[saved.name for saved in saved_jobs()]")) == 1, "it asks first"
        blender.click(GO_ON, across=LEFT)
        blender.wait("session().jobs[-1].live")
        blender.wait_for_job("FAILED")
        assert blender.ask(MADE) == ["1", "3", "4"]
        blender.ask(f"bpy.ops.wm.save_as_mainfile(filepath={str(file)!r}) and None")
        assert not blender.ask("len(saved_jobs())")
