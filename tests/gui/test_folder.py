# SPDX-License-Identifier: GPL-3.0-or-later
"""In a window: a folder of pictures is one job, chosen in the file browser, and its meshes stand in a grid."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.gui import pictures
from tests.gui.blender import NOWHERE, Blender
from tests.gui.browser import accept, browse
from tests.gui.screen import wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

QUICK, FINE = 96, 384  # resolutions; the fine one takes long enough to be frozen on its way
HEAD, LINE = 37, 21  # pixels in the file browser, about: to the middle of the first line, and from one to the next


@pytest.fixture(autouse=True)
def awake(blender: Blender) -> Iterator[None]:
    """No frozen backend is left behind."""
    yield
    blender.ask("session().close()")


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of seven toadstools, of five colours, and one of noise."""
    folder = tmp_path_factory.mktemp("forest") / "Wäldchen"
    folder.mkdir()
    pixels = pictures.toadstool(256)
    for number in range(4, 11):
        painted = pixels.copy()
        painted[..., :3] = np.roll(pixels[..., :3], number % 3, axis=2) // (1 + number // 8)
        pictures.write(folder / f"toadstool {number}.png", painted)
    pictures.write(folder / "noise.png", pictures.noise(128))
    return folder


def made(blender: Blender) -> list[str]:
    """The names of the generated meshes in the scene, in the order in which they came."""
    return blender.ask("[thing.name for thing in bpy.context.scene.objects if 'hi3dgen' in thing]")


def test_a_folder_becomes_a_grid_that_is_framed_once(blender: Blender, forest: Path, shots: Path) -> None:
    browse(blender, forest, QUICK)
    blender.shoot(shots / "browser.png")
    accept(blender)
    blender.wait("session().jobs[-1].landed")
    framed = blender.ask("view()")
    blender.wait("len(session().jobs[-1].landed) > 2")
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "some have come.png")
    blender.wait_for_job("FAILED")
    blender.shoot(shots / "all have come.png")
    assert made(blender) == [f"toadstool {number}" for number in range(4, 11)]
    assert blender.ask("view()") == framed
    assert blender.ask("len(bpy.context.selected_objects)") == 7
    wait_until(
        lambda: "7 of 8 pictures are made. “noise.png” failed: " in blender.ask("reports()")[-1], "the report is there"
    )
    places = np.array(blender.ask("[list(bpy.data.objects[f'toadstool {n}'].location) for n in range(4, 11)]"))
    assert np.allclose(np.diff(places[:3], axis=0), (1.25, 0, 0), atol=1e-4)
    assert np.allclose(places[3] - places[0], (0, -1.25, 0), atol=1e-4)
    assert blender.undo_steps()[1:] == [f"Generate toadstool {number}" for number in range(4, 11)]
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait("'toadstool 10' not in bpy.data.objects")
    assert len(made(blender)) == 6


def test_some_files_are_chosen_with_the_mouse_and_nothing_comes_in_edit_mode(
    blender: Blender, forest: Path, shots: Path
) -> None:
    browse(blender, forest, FINE)
    left, top, _, _ = blender.ask("box('FILE_BROWSER', 'WINDOW')")
    first, line = top + HEAD, LINE
    blender.screen.click(left + 100, first + 2 * line)
    blender.screen.do("keydown ctrl")
    blender.screen.click(left + 100, first + 4 * line)
    blender.screen.do("keyup ctrl")
    blender.shoot(shots / "some are chosen.png")
    blender.ask("diary.stop_at = 'normals'")
    accept(blender)
    assert blender.ask("list(session().jobs[-1].names)") == ["toadstool 5.png", "toadstool 7.png"]
    blender.wait("not diary.stop_at")
    blender.point_at()
    blender.screen.press("Tab")
    blender.wait("bpy.context.mode == 'EDIT_MESH'")
    blender.ask("thaw()")
    blender.wait("session().jobs[-1].state.name == 'LANDING'")
    blender.shoot(shots / "edit mode.png")
    assert made(blender) == []
    blender.point_at()
    blender.screen.press("Tab")
    blender.wait_for_job()
    assert made(blender) == ["toadstool 5", "toadstool 7"]
    wait_until(lambda: "Wäldchen: 2 pictures made" in blender.ask("reports()")[-1], "the report is there")


def test_escape_cancels_all_and_what_has_come_stays(blender: Blender, forest: Path, shots: Path) -> None:
    browse(blender, forest, FINE - 1)
    accept(blender)
    blender.wait("session().jobs[-1].landed")
    blender.ask("diary.stop_at = 'normals'")
    blender.wait("not diary.stop_at")
    came = made(blender)
    blender.point_at()
    blender.screen.do("sleep 1.2")
    blender.screen.press("Escape")
    blender.wait("session().jobs[-1].state.name == 'CANCELLED'")
    blender.ask("thaw()")
    blender.shoot(shots / "cancelled.png")
    assert made(blender) == came != []
    assert not blender.ask("session().queue")
