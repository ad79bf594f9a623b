# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh is made again by its recipe, with something changed: the object stays as the artist has it."""

from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.support import disc, image_of, vertices_of


@pytest.fixture
def plum(scene: Any) -> Any:
    """A generated mesh, the active object; the panel has changed since."""
    scene.hi3dgen.picture = image_of(disc(), "plum")
    scene.hi3dgen.size, scene.hi3dgen.origin = 2.0, "CENTRE"
    bpy.ops.hi3dgen.generate(seed=3, thickness=1.2, faces=3000)
    thing = bpy.context.object
    scene.hi3dgen.picture, scene.hi3dgen.seed = image_of(disc()[:, ::-1], "peach"), 9
    scene.hi3dgen.size, scene.hi3dgen.origin = 1.0, "FLOOR"
    return thing


def longest(thing: Any) -> float:
    return float(np.ptp(vertices_of(thing), axis=0).max())


def test_the_same_comes_again_and_then_with_one_thing_changed(scene: Any, plum: Any) -> None:
    first, data, name = vertices_of(plum), plum.data, plum.name
    assert bpy.ops.hi3dgen.make_again() == {"FINISHED"}
    assert bpy.context.object == plum
    assert (plum.name, len([thing for thing in scene.objects if "hi3dgen" in thing])) == (name, 1)
    assert plum.data != data
    assert np.array_equal(vertices_of(plum), first)
    bpy.ops.hi3dgen.make_again(thickness=0.6)
    recipe = plum["hi3dgen"]
    assert (recipe["seed"], recipe["settings"]["faces"], recipe["picture"]) == (3, 3000, "plum picture")
    assert recipe["settings"]["thickness"] == pytest.approx(0.6)
    assert np.ptp(vertices_of(plum)[:, 1]) < 0.8 * np.ptp(first[:, 1])
    assert longest(plum) == pytest.approx(2.0, abs=0.1), "as large as it was"
    assert vertices_of(plum)[:, 2].min() == pytest.approx(first[:, 2].min(), abs=0.02), "on the same floor"
    bpy.ops.hi3dgen.make_again(seed=4)
    assert plum["hi3dgen"]["settings"]["thickness"] == pytest.approx(0.6), "what was changed before stays"
    assert scene.hi3dgen.seed == 9, "the panel is the next picture's"


def test_the_object_stays_as_it_is_now(scene: Any, plum: Any) -> None:
    hand = bpy.data.objects.new("Hand", None)
    scene.collection.objects.link(hand)
    hand.location = (5, 0, 0)
    plum.parent = hand
    plum.rotation_euler = (0.1, 0.2, 0.3)
    plum.scale = (1, 2, 1)
    plum.modifiers.new("Smoother", "SMOOTH").iterations = 7
    own = bpy.data.materials.new("Gold")
    plum.material_slots[0].material.node_tree.nodes["Surface"].inputs["Roughness"].default_value = 0.25
    plum.data.materials.append(own)
    shown = plum.material_slots[0].material
    bpy.context.view_layer.update()
    before = plum.matrix_world.copy()
    linked = plum.copy()
    scene.collection.objects.link(linked)
    bpy.ops.hi3dgen.make_again(seed=8)
    bpy.context.view_layer.update()
    assert plum.matrix_world == before
    assert plum.parent == hand
    assert plum.modifiers["Smoother"].iterations == 7
    assert [slot.material for slot in plum.material_slots] == [shown, own]
    assert shown.node_tree.nodes["Surface"].inputs["Roughness"].default_value == pytest.approx(0.25)
    assert linked.data == plum.data, "a linked duplicate follows"
    assert linked["hi3dgen"]["seed"] == 8
    assert len([each for each in bpy.data.materials if each.name.startswith("plum")]) == 1


def test_the_material_shows_the_new_normal_map(plum: Any) -> None:
    nodes = plum.active_material.node_tree.nodes
    former, seen, picture = (nodes[name].image for name in ("Normal Map", "Normal Map as Seen", "Picture"))
    painted = picture.hi3dgen_normal_map
    painted.pixels.foreach_set(np.tile(np.array((0.5, 0.5, 1.0, 1.0), np.float32), len(painted.pixels) // 4))
    painted.update()
    picture.hi3dgen_uses_normal_map = True
    plum["hi3dgen"]["inputs"]["own_normal_map"] = ""
    bpy.ops.hi3dgen.make_again()
    assert nodes["Normal Map"].image != former
    assert nodes["Normal Map as Seen"].image != seen
    assert nodes["Picture"].image == picture


def test_what_the_artist_put_into_the_material_stays(plum: Any) -> None:
    nodes = plum.active_material.node_tree.nodes
    nodes["Normal Map"].image = other = image_of(disc(), "mine")
    bpy.ops.hi3dgen.make_again(seed=5)
    assert nodes["Normal Map"].image == other


def test_what_is_gone_is_said_and_the_mesh_stays(plum: Any) -> None:
    data = plum.data
    plum.data.materials.clear()
    bpy.data.images.remove(bpy.data.images["plum picture"])
    with pytest.raises(RuntimeError, match="The picture that plum was made from is not in this file any more"):
        bpy.ops.hi3dgen.make_again()
    assert plum.data == data
    plum["hi3dgen"]["engine"] = "clay"
    assert not bpy.ops.hi3dgen.make_again.poll()


def test_a_mask_that_it_was_made_with_is_used_again(scene: Any) -> None:
    picture = scene.hi3dgen.picture = image_of(disc(), "plum")
    half = np.zeros((96, 96, 4), np.uint8)
    half[:, :48] = 255
    half[..., 3] = 255
    picture.hi3dgen_cutout = image_of(half, "half")
    bpy.ops.hi3dgen.generate()
    plum = bpy.context.object
    first = vertices_of(plum)
    scene.hi3dgen.picture = image_of(disc(), "peach")
    bpy.ops.hi3dgen.make_again()
    assert np.array_equal(vertices_of(plum), first)
    for image in bpy.data.images:
        image.hi3dgen_cutout = None
    with pytest.raises(RuntimeError, match="The cutout that plum was made with is not in this file any more"):
        bpy.ops.hi3dgen.make_again()


def test_an_older_mesh_has_its_size_and_floor_from_its_box(plum: Any) -> None:
    del plum["hi3dgen_frame"]
    first = vertices_of(plum)
    bpy.ops.hi3dgen.make_again()
    assert np.allclose(vertices_of(plum), first, atol=1e-3)


def test_shape_keys_are_not_lost(plum: Any) -> None:
    plum.shape_key_add(name="Basis")
    assert not bpy.ops.hi3dgen.make_again.poll()


def test_the_switch_acts_on_all_that_are_selected(scene: Any, plum: Any) -> None:
    bpy.ops.hi3dgen.generate()
    peach = bpy.context.object
    assert bpy.ops.hi3dgen.show(shows="CLAY") == {"FINISHED"}
    assert (peach.active_material.hi3dgen_shows, plum.active_material.hi3dgen_shows) == ("CLAY", "PICTURE")
    plum.select_set(state=True)
    bpy.ops.hi3dgen.show(shows="NORMAL_MAP")
    assert {peach.active_material.hi3dgen_shows, plum.active_material.hi3dgen_shows} == {"NORMAL_MAP"}
    with pytest.raises(TypeError):
        bpy.ops.hi3dgen.show(shows="GOLD")
    assert bpy.ops.hi3dgen.show(shows="COLOUR") == {"CANCELLED"}, "the engine gave no colours"
