# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pictures as one job: from the files to the meshes in a grid, through a real backend process."""

from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender_addon.support import MODULE, disc, tick_until


@pytest.fixture
def birds(scene: Any, tmp_path: Path) -> Path:
    """A folder with pictures of two birds and of a wall, a text, and another folder with a bird of the same name."""
    scene.hi3dgen_draft.resolution = 64
    folder = tmp_path / "Vögel 鳥"
    (folder / "night").mkdir(parents=True)
    for number, name in enumerate(("owl 10.png", "owl 2.png", "night/owl 2.png")):
        pixels = disc(48)
        pixels[..., number] = 100
        Image.fromarray(pixels).save(folder / name)
    Image.fromarray(np.full((48, 48, 3), 128, np.uint8)).save(folder / "wall.png")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    return folder


def titles() -> list[str]:
    return [thing.name for thing in bpy.data.objects]


def test_all_of_a_folder_is_made(scene: Any, session: Any, birds: Path) -> None:
    with pytest.raises(RuntimeError) as raised:
        bpy.ops.hi3dgen.generate_folder(directory=str(birds), below=True)
    print(raised.value)
    print(titles(), [tuple(thing.location) for thing in bpy.data.objects], bpy.context.selected_objects)
