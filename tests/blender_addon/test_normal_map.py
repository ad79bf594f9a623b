# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal map of a picture: it is kept, can be changed, and the next mesh is made from it if that is wanted."""

from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import PIL.Image
import pytest

from tests.blender_addon.support import MODULE, disc, image_of


def module(name: str) -> Any:
    return import_module(f"{MODULE}.blender_addon.{name}")


@pytest.fixture
def plum(scene: Any) -> Any:
    """The panel's picture."""
    scene.hi3dgen.picture = image_of(disc(), "plum")
    return scene.hi3dgen.picture


def flat(name: str) -> Any:
    """A normal map that looks at the viewer everywhere."""
    pixels = np.full((64, 64, 4), 255, np.uint8)
    pixels[..., :2] = 128
    return image_of(pixels, name)


def uses_own() -> bool:
    """Whether the active object was made from an own normal map."""
    return "own_normal_map" in bpy.context.object["hi3dgen"]["inputs"]


def test_it_stops_at_the_normal_map_and_goes_on_from_it(scene: Any, plum: Any) -> None:
    before = len(scene.objects), len(bpy.data.collections)
    assert bpy.ops.hi3dgen.make_normal_map() == {"FINISHED"}
    assert (len(scene.objects), len(bpy.data.collections)) == before, "nothing else has come"
    normal_map = plum.hi3dgen_normal_map
    assert normal_map.packed_file
    assert normal_map.colorspace_settings.name == "Non-Color"
    assert plum.hi3dgen_uses_normal_map
    bpy.ops.hi3dgen.generate()
    assert uses_own()
    assert plum.hi3dgen_normal_map == normal_map, "the one that is used stays"


def test_a_mesh_leaves_its_normal_map_with_the_picture_and_the_next_is_estimated_anew(plum: Any) -> None:
    bpy.ops.hi3dgen.generate()
    material = bpy.context.object.active_material
    assert plum.hi3dgen_normal_map == material.node_tree.nodes["Normal Map"].image
    assert not plum.hi3dgen_uses_normal_map
    bpy.ops.hi3dgen.generate()
    assert not uses_own()


def test_what_an_artist_chooses_is_used_until_it_is_switched_off(plum: Any) -> None:
    plum.hi3dgen_normal_map = flat("own")
    assert plum.hi3dgen_uses_normal_map
    bpy.ops.hi3dgen.generate()
    assert uses_own()
    assert plum.hi3dgen_normal_map.name == "own"
    plum.hi3dgen_uses_normal_map = False
    bpy.ops.hi3dgen.generate()
    assert not uses_own()


def test_a_map_of_other_pixels_is_not_used_and_stays(scene: Any, picture_file: Path) -> None:
    picture = scene.hi3dgen.picture = bpy.data.images.load(str(picture_file))
    bpy.ops.hi3dgen.make_normal_map()
    former = picture.hi3dgen_normal_map
    bpy.ops.hi3dgen.generate()
    assert uses_own()
    other = disc()
    other[:40, :, 3] = 0
    PIL.Image.fromarray(other).save(picture_file)
    picture.reload()
    bpy.ops.hi3dgen.generate()
    assert not uses_own()
    assert "“apple.png” has changed since its normal map was made" in bpy.context.object["hi3dgen"]["notes"]
    assert not picture.hi3dgen_uses_normal_map
    assert picture.hi3dgen_normal_map != former
    assert former.use_fake_user
    picture.hi3dgen_normal_map = former
    for _ in range(2):
        bpy.ops.hi3dgen.generate()
        assert uses_own(), "it was chosen for what the picture is now"
        assert not bpy.context.object["hi3dgen"]["notes"]
    picture.pixels.foreach_set(np.roll(np.array(picture.pixels[:], np.float32), 4))
    bpy.ops.hi3dgen.generate()
    assert not uses_own(), "the picture was painted over"


def test_it_belongs_to_its_picture(scene: Any, plum: Any) -> None:
    plum.hi3dgen_normal_map = flat("own")
    scene.hi3dgen.picture = image_of(disc()[:, ::-1], "peach")
    bpy.ops.hi3dgen.generate()
    assert not uses_own()
    assert module("scene.active").pictured(plum.hi3dgen_normal_map) == plum


def test_another_one_does_not_cost_the_one_that_was_painted_on(plum: Any, tmp_path: Any) -> None:
    plum.hi3dgen_normal_map = flat("painted")
    bpy.ops.hi3dgen.make_normal_map()
    assert plum.hi3dgen_normal_map.name != "painted"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert "painted" in bpy.data.images
    assert bpy.data.images["plum"].hi3dgen_uses_normal_map


def test_one_that_a_mesh_shows_is_copied_before_it_is_painted_on(plum: Any) -> None:
    normal_map = module("scene.normal_map")
    bpy.ops.hi3dgen.generate()
    shown = plum.hi3dgen_normal_map
    copy = normal_map.editable(plum)
    assert copy != shown
    assert plum.hi3dgen_uses_normal_map
    assert np.array_equal(np.array(copy.pixels[:]), np.array(shown.pixels[:]))
    assert normal_map.editable(plum) == copy


def test_the_copy_has_the_strokes_that_were_not_saved(plum: Any) -> None:
    bpy.ops.hi3dgen.generate()
    shown = plum.hi3dgen_normal_map
    shown.pixels.foreach_set(np.full(len(shown.pixels), 0.25, np.float32))
    copy = module("scene.normal_map").editable(plum)
    assert copy != shown
    assert np.allclose(copy.pixels[:], 0.25, atol=1 / 255)
    assert copy.packed_file.data != shown.packed_file.data


def test_the_cut_out_that_a_mesh_was_made_with_is_seen_in_the_panel(scene: Any, plum: Any) -> None:
    look, last_look = module("cutout.look"), module("ui.cutout_operators").last_look
    look._forget()
    bpy.ops.hi3dgen.generate()
    seen = last_look(scene, plum)
    assert seen is not None
    assert seen.thumbnail.product == "cutout"
    plum.hi3dgen_cutout = flat("everything")
    assert last_look(scene, plum) is None


def test_without_a_picture_it_says_so(scene: Any) -> None:
    with pytest.raises(RuntimeError, match="There is no picture"):
        bpy.ops.hi3dgen.make_normal_map()
