# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh with colours all round shows them by a UV map of their own, beside the picture's."""

from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.results import UV, add, png_bytes, result
from tests.blender_addon.support import disc, image_of


@pytest.fixture
def thing(scene: Any) -> Any:
    """A tetrahedron with colours all round."""
    colours = png_bytes(np.full((8, 8, 3), 90, np.uint8))
    corners = np.random.default_rng(0).random((4, 3, 2), np.float32)
    ((made,), _) = add(scene, result(mesh={"uv": None, "corner_uv": corners, "picture_uv": UV, "base_colour": colours}))
    return made


def shown_by(thing: Any) -> tuple[str, str]:
    """The UV maps of solid shading and of other programs."""
    layers = thing.data.uv_layers
    return layers.active.name, next(layer.name for layer in layers if layer.active_render)


def test_it_is_shown_first_and_each_position_by_its_own_map(thing: Any) -> None:
    material = thing.active_material
    assert [layer.name for layer in thing.data.uv_layers] == ["UVMap", "All Round"]
    for shows, layer, image in (
        ("ALL_ROUND", "All Round", "plum base colour"),
        ("PICTURE", "UVMap", "plum"),
        ("NORMAL_MAP", "UVMap", "plum normals as colours"),
        ("ALL_ROUND", "All Round", "plum base colour"),
    ):
        if image != "plum base colour" or material.hi3dgen_shows != "ALL_ROUND":
            material.hi3dgen_shows = shows
        assert material.hi3dgen_shows == shows
        assert shown_by(thing) == (layer, layer)
        assert material.node_tree.nodes.active.image.name == image


def test_the_normal_map_lights_the_colours_all_round(thing: Any) -> None:
    surface = thing.active_material.node_tree.nodes["Detail Surface"]
    assert surface.inputs["Base Color"].links[0].from_node.name == "All Round"


def test_an_unwrapping_leaves_it_and_a_remesh_goes_back_to_the_picture(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    bpy.ops.hi3dgen.generate(faces=2000)
    made = bpy.context.object
    bpy.ops.hi3dgen.unwrap()
    assert shown_by(made)[0] == "All Round"
    bpy.ops.hi3dgen.remesh(faces=2000)
    assert [layer.name for layer in made.data.uv_layers] == ["UVMap"]
    assert made.active_material.hi3dgen_shows == "PICTURE"


def test_make_again_takes_the_colours_away_and_brings_them_back(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    bpy.ops.hi3dgen.generate(faces=2000)
    made = bpy.context.object
    bpy.ops.hi3dgen.make_again(colours="front")
    assert made.active_material.hi3dgen_shows == "PICTURE"
    assert shown_by(made) == ("UVMap", "UVMap")
    bpy.ops.hi3dgen.make_again(colours="all_round")
    assert shown_by(made) == ("All Round", "All Round")
    assert made.active_material.hi3dgen_shows == "ALL_ROUND"
    assert made.active_material.node_tree.nodes["All Round"].image["hi3dgen_product"] == "mesh"
