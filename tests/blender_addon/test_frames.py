# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies and image sequences: the frame that is seen is the picture, and the material shows it for ever."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon import moving
from tests.blender_addon.support import MODULE


@pytest.fixture
def pictures(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.pictures")


@pytest.fixture
def frames(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.frames")


def reference(image: Any) -> Any:
    """A selected empty that shows an image from frame 1 on."""
    thing = bpy.data.objects.new("Reference", None)
    bpy.context.scene.collection.objects.link(thing)
    thing.empty_display_type, thing.data = "IMAGE", image
    thing.image_user.frame_duration = moving.FRAMES
    thing.select_set(state=True)
    return thing


@pytest.mark.parametrize("make", [moving.sequence, moving.movie])
def test_each_frame_has_its_own_pixels(pictures: ModuleType, tmp_path: Path, make: Callable[[Path], Any]) -> None:
    image = make(tmp_path)
    for number in (3, 1, 2):
        found = pictures.pixels_of(image, frame=number)
        assert np.abs(found.astype(int) - moving.frame(number)).mean() < 3, "a movie is compressed"
    assert not bpy.data.textures


@pytest.mark.parametrize(
    ("now", "user", "expected"),
    [
        (1, {}, 1),
        (3, {}, 3),
        (9, {}, 3),
        (9, {"use_cyclic": True}, 3),
        (10, {"use_cyclic": True}, 1),
        (-5, {"use_cyclic": True}, 1),
        (7, {"frame_start": 6}, 2),
        (2, {"frame_offset": 100}, 102),
    ],
)
def test_an_image_user_sees_the_frame_that_blender_draws(
    scene: Any, frames: ModuleType, tmp_path: Path, now: int, user: dict[str, Any], expected: int
) -> None:
    thing = reference(moving.sequence(tmp_path))
    for name, value in user.items():
        setattr(thing.image_user, name, value)
    scene.frame_set(now)
    assert frames.frame_of(thing.data, thing.image_user, scene) == expected
    drawn = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).image_user.frame_current
    assert drawn == expected


def test_without_one_it_is_the_frame_that_the_path_names_or_the_scenes(
    scene: Any, frames: ModuleType, tmp_path: Path
) -> None:
    scene.frame_set(2)
    assert frames.frame_of(moving.movie(tmp_path), None, scene) == 2
    assert frames.frame_of(moving.sequence(tmp_path, named=3), None, scene) == 3
    scene.frame_set(99)
    assert frames.frame_of(bpy.data.images["walk.mp4"], None, scene) == 3
    assert frames.frame_of(bpy.data.images.new("still", 4, 4), None, scene) == 0


def test_a_frame_whose_file_is_gone_says_where_it_was(pictures: ModuleType, tmp_path: Path) -> None:
    image = moving.sequence(tmp_path)
    with pytest.raises(Exception, match="is missing") as caught:
        pictures.pixels_of(image, frame=7)
    assert str(tmp_path / "walk_0007.png") in str(caught.value)


@pytest.mark.parametrize("make", [moving.sequence, moving.movie])
def test_the_material_keeps_the_frame_that_was_sent(
    scene: Any, pictures: ModuleType, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    thing = reference(make(tmp_path))
    scene.frame_set(2)
    assert bpy.ops.hi3dgen.generate() == {"FINISHED"}
    shown = bpy.context.object.active_material.node_tree.nodes["Picture"].image
    scene.frame_set(3)
    assert shown != thing.data
    assert (shown.source, shown.packed_file is not None) == ("FILE", True)
    assert np.abs(pictures.pixels_of(shown).astype(int) - moving.frame(2)).mean() < 3
    assert thing.data.hi3dgen_normal_map is None, "another frame is another picture"
    assert shown.hi3dgen_normal_map is not None
