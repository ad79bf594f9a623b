# SPDX-License-Identifier: GPL-3.0-or-later
"""In a window: a folder of pictures is one job, chosen in the file browser, and its meshes stand in a grid."""

from pathlib import Path

import numpy as np
import pytest

from tests.gui import pictures
from tests.gui.blender import Blender

pytestmark = [pytest.mark.window, pytest.mark.slow]

FOLDER = "hi3dgen.generate_folder("


@pytest.fixture(scope="module")
def toadstools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of toadstools in several colours, and one of noise."""
    folder = tmp_path_factory.mktemp("forest") / "Pilze"
    folder.mkdir()
    pixels = pictures.toadstool(256)
    for number in range(1, 12):
        turned = pixels.copy()
        turned[..., :3] = np.roll(pixels[..., :3], number % 3, axis=2) // (1 + number // 6)
        pictures.write(folder / f"toadstool {number}.png", turned)
    pictures.write(folder / "noise.png", pictures.noise(128))
    return folder


def test_explore(blender: Blender, toadstools: Path, shots: Path) -> None:
    blender.ask("bpy.context.scene.hi3dgen_draft.resolution = 96")
    blender.ask("bpy.context.preferences.view.filebrowser_display_type = 'SCREEN'")
    print(shots)
    blender.shoot(shots / "panel.png")
    blender.click(FOLDER)
    blender.wait("area('FILE_BROWSER').spaces.active.params")
    print(blender.ask("[[r.type, r.x, r.y, r.width, r.height] for r in area('FILE_BROWSER').regions]"))
    blender.screen.do("sleep 1")
    blender.screen.shoot(shots / "browser.png")
    left, top, width, height = blender.ask("box('FILE_BROWSER', 'UI')")
    blender.screen.click(left + width * 0.5, top + height * 0.3)
    blender.screen.press("ctrl+a")
    blender.screen.write(str(toadstools))
    blender.screen.do("sleep 0.5")
    blender.screen.shoot(shots / "browser1.png")
    blender.screen.press("Return", "Return")
    blender.screen.do("sleep 1")
    blender.screen.shoot(shots / "browser2.png")
    left, top, width, height = blender.ask("box('FILE_BROWSER', 'EXECUTE')")
    blender.screen.click(left + width * 0.92, top + height * 0.6)
    blender.screen.do("sleep 1")
    blender.screen.shoot(shots / "begun.png")
    print(blender.ask("session().jobs[-1].name"))
    blender.wait("len(session().jobs[-1].landed) > 2")
    blender.shoot(shots / "three.png")
    blender.wait("not session().jobs[-1].live")
    blender.screen.do("sleep 1")
    blender.shoot(shots / "all.png")
    print(blender.ask("session().jobs[-1].error"), blender.ask("reports()"))
    print(blender.undo_steps())
