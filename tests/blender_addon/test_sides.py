# SPDX-License-Identifier: GPL-3.0-or-later
"""More pictures of an object belong to its picture: they shape and paint its mesh, and make it again."""

from importlib import import_module
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.support import MODULE, disc, image_of


def blue() -> Any:
    pixels = disc()
    pixels[..., :3] = (30, 60, 200)
    return pixels


def share_of_blue(thing: Any) -> float:
    """How much of the image of the mesh's colours is rather blue than red."""
    nodes = thing.active_material.node_tree.nodes
    images = [node.image for node in nodes if node.type == "TEX_IMAGE" and node.image]
    pixels = [np.array(image.pixels[:]).reshape(-1, 4) for image in images if image.colorspace_settings.name == "sRGB"]
    return max(float((each[:, 2] > each[:, 0]).mean()) for each in pixels)


def test_a_back_picture_paints_the_back_and_makes_it_again(scene: Any) -> None:
    picture = scene.hi3dgen.picture = image_of(disc(), "plum")
    picture.hi3dgen_back = image_of(blue(), "plum from behind")
    assert bpy.ops.hi3dgen.generate(resolution=96, faces=2000) == {"FINISHED"}
    thing = bpy.context.object
    assert {*thing["hi3dgen"]["inputs"].keys()} == {"picture", "back"}
    assert share_of_blue(thing) > 0.05

    used = dict(thing["hi3dgen"]["inputs"])
    for image in bpy.data.images:  # the picture, and the copy of it that the mesh shows
        image.hi3dgen_back = None
    assert bpy.ops.hi3dgen.make_again(thickness=0.8) == {"FINISHED"}
    assert dict(thing["hi3dgen"]["inputs"]) == used
    bpy.data.images.remove(bpy.data.images["plum from behind"])
    with pytest.raises(RuntimeError, match="picture from behind"):
        bpy.ops.hi3dgen.make_again(thickness=0.9)


def test_who_looks_at_another_side_means_the_picture_that_has_it(scene: Any) -> None:
    pictured = import_module(f"{MODULE}.blender_addon.scene.active").pictured
    picture, back = image_of(disc(), "plum"), image_of(blue(), "plum from behind")
    assert pictured(back) == back
    picture.hi3dgen_back = back
    assert pictured(back) == picture
    assert pictured(picture) == picture
    back.hi3dgen_back = picture
    assert (pictured(back), pictured(picture)) == (back, picture), "each is a front, too"


def test_a_script_names_the_other_pictures(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    image_of(blue(), "other")
    assert bpy.ops.hi3dgen.generate(left="other", resolution=64, colours="front") == {"FINISHED"}
    assert {*bpy.context.object["hi3dgen"]["inputs"].keys()} == {"picture", "left"}
    with pytest.raises(RuntimeError, match="nowhere"):
        bpy.ops.hi3dgen.generate(right="nowhere", resolution=64)
