# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh is made again by its recipe, with something changed: the object stays as the artist has it."""

from importlib import import_module
from typing import Any

import bmesh
import bpy
import numpy as np
import pytest

from tests.blender_addon.support import MODULE, disc, image_of, vertices_of


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


def in_the_scene(thing: Any) -> Any:
    """An object's vertices where they are in the scene."""
    bpy.context.view_layer.update()
    turn = np.array(thing.matrix_world)
    return vertices_of(thing) @ turn[:3, :3].T + turn[:3, 3]


def volume_of(thing: Any) -> float:
    """The signed volume of an object's mesh: positive if its faces look outwards."""
    solid = bmesh.new()
    solid.from_mesh(thing.data)
    volume = solid.calc_volume(signed=True)
    solid.free()
    return volume


def longest(thing: Any) -> float:
    return float(np.ptp(vertices_of(thing), axis=0).max())


def test_the_same_comes_again_and_then_with_one_thing_changed(scene: Any, plum: Any) -> None:
    first, data, name = vertices_of(plum), plum.data, plum.name
    plum["hi3dgen"]["settings"]["colours"] = "picture"  # as older versions called it
    assert bpy.ops.hi3dgen.make_again() == {"FINISHED"}
    assert plum["hi3dgen"]["settings"]["colours"] == "all_round"
    assert bpy.context.object == plum
    assert (plum.name, len([thing for thing in scene.objects if "hi3dgen" in thing])) == (name, 1)
    assert plum.data != data
    assert np.allclose(vertices_of(plum), first, atol=1e-6)
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
    for name in ("plum picture", "plum", "peach"):  # a disc is the same from its other side
        bpy.data.images.remove(bpy.data.images[name])
    with pytest.raises(RuntimeError, match="The picture that “plum” was made from is not in this file any more"):
        bpy.ops.hi3dgen.make_again()
    assert plum.data == data
    plum["hi3dgen"]["engine"] = "clay"
    assert not bpy.ops.hi3dgen.make_again.poll()


def test_a_picture_is_found_that_has_another_name_now(plum: Any) -> None:
    plum.data.materials.clear()
    for name in ("plum", "peach"):
        bpy.data.images.remove(bpy.data.images[name])
    bpy.data.images["plum picture"].name = "damson"
    assert bpy.ops.hi3dgen.make_again(seed=9) == {"FINISHED"}
    assert plum["hi3dgen"]["seed"] == 9
    assert plum["hi3dgen"]["picture"] == "damson"


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
    assert np.allclose(vertices_of(plum), first, atol=1e-6)
    for image in bpy.data.images:
        image.hi3dgen_cutout = None
    with pytest.raises(RuntimeError, match="The mask that “plum” was made with is not in this file any more"):
        bpy.ops.hi3dgen.make_again()


def test_it_stays_after_its_transform_was_applied_and_its_origin_moved(scene: Any, plum: Any) -> None:
    plum.location, plum.rotation_euler, plum.scale = (3, 1, 0), (0, 0, 1.2), (2, 2, 2)
    bpy.context.view_layer.update()
    bpy.ops.object.transform_apply()
    scene.cursor.location = (1, 2, 3)
    bpy.ops.object.origin_set(type="ORIGIN_CURSOR")
    before = in_the_scene(plum)
    for _ in range(2):
        bpy.ops.hi3dgen.make_again()
        assert np.allclose(in_the_scene(plum), before, atol=1e-4)


def test_a_decimated_one_is_made_again_whole_and_one_cut_in_half_is_refused(plum: Any) -> None:
    first = vertices_of(plum)
    plum.modifiers.new("Fewer", "DECIMATE").ratio = 0.3
    bpy.ops.object.modifier_apply(modifier="Fewer")
    assert len(vertices_of(plum)) < len(first)
    bpy.ops.hi3dgen.make_again()
    assert np.allclose(vertices_of(plum), first, atol=1e-6)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.bisect(plane_co=(0, 0, 0), plane_no=(1, 0, 0), clear_outer=True)
    bpy.ops.object.mode_set(mode="OBJECT")
    half = len(vertices_of(plum))
    with pytest.raises(RuntimeError, match="changed so much that another one cannot take its place"):
        bpy.ops.hi3dgen.make_again()
    assert len(vertices_of(plum)) == half


def test_every_time_the_material_follows_and_no_mesh_piles_up(plum: Any) -> None:
    meshes = len(bpy.data.meshes)
    shown = []
    for thickness in (0.7, 1.3):
        bpy.ops.hi3dgen.make_again(thickness=thickness)
        nodes = plum.active_material.node_tree.nodes
        assert nodes["Normal Map"].image == nodes["Picture"].image.hi3dgen_normal_map
        shown.append(nodes["Normal Map"].image)
    assert len(set(shown)) == 2
    assert len(bpy.data.meshes) == meshes


def test_a_copy_with_a_mesh_of_its_own_keeps_what_it_shows(scene: Any, plum: Any) -> None:
    copy = plum.copy()
    copy.data = plum.data.copy()
    scene.collection.objects.link(copy)
    before = copy.active_material.node_tree.nodes["Normal Map"].image
    bpy.ops.hi3dgen.make_again(seed=6)
    assert copy["hi3dgen"]["seed"] == 3
    assert copy.active_material.node_tree.nodes["Normal Map"].image == before
    assert plum.active_material != copy.active_material
    assert plum.active_material.node_tree.nodes["Normal Map"].image != before


def test_what_cannot_land_leaves_all_as_it_was(plum: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    again = import_module(f"{MODULE}.blender_addon.scene.again")
    data, nodes, recipe = plum.data, plum.active_material.node_tree.nodes, plum["hi3dgen"].to_dict()
    before = [nodes[name].image for name in ("Picture", "Normal Map", "Normal Map as Seen")]

    def broken(*_: object) -> object:
        return object()  # no ID property

    monkeypatch.setattr(again, "recipe_for", broken)
    with pytest.raises(RuntimeError, match="could not be put into the scene"):
        bpy.ops.hi3dgen.make_again(seed=8)
    assert bpy.data.objects["plum"].data == data
    assert plum["hi3dgen"].to_dict() == recipe
    assert [nodes[name].image for name in ("Picture", "Normal Map", "Normal Map as Seen")] == before


def test_a_mirrored_one_stays_mirrored_and_is_no_inside_out(plum: Any) -> None:
    plum.scale = (-1, 1, 1)
    bpy.ops.object.transform_apply()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.normals_make_consistent()
    bpy.ops.object.mode_set(mode="OBJECT")
    before, volume = vertices_of(plum), volume_of(plum)
    bpy.ops.hi3dgen.make_again()
    assert np.allclose(vertices_of(plum), before, atol=1e-5)
    assert volume_of(plum) == pytest.approx(volume, rel=1e-3)
    assert volume > 0


def test_an_own_material_stays_although_the_picture_is_another_copy(plum: Any) -> None:
    plum.data.materials[0] = gold = bpy.data.materials.new("Gold")
    picture = bpy.data.images["plum picture"]
    picture.pixels.foreach_set(np.full(len(picture.pixels), 0.5, np.float32))
    plum["hi3dgen"]["picture"] = "plum"
    bpy.ops.hi3dgen.make_again(seed=2)
    assert (plum.active_material, plum["hi3dgen"]["seed"]) == (gold, 2)


def test_in_edit_mode_it_waits(plum: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.hi3dgen.make_again.poll()


def test_what_will_be_lost_is_said(plum: Any) -> None:
    lost = import_module(f"{MODULE}.blender_addon.scene.again").lost
    assert lost(plum) == []
    bpy.ops.hi3dgen.unwrap()
    plum.vertex_groups.new(name="Arm")
    plum.data.materials.append(bpy.data.materials.new("Gold"))
    plum.data.polygons[0].material_index = 1
    assert lost(plum) == ["the vertex groups", "which faces have which material", "the UV map Unwrapped"]


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
