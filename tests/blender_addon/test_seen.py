# SPDX-License-Identifier: GPL-3.0-or-later
"""A result is seen: where it stands, how large, around which origin, in which collection, and what is said of it."""

import itertools
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import bpy
import numpy as np
import pytest
from mathutils import Vector

from backend.wire.products import Views
from tests.blender_addon.results import TETRAHEDRON, add, mesh_product, png_bytes, recipe, result
from tests.blender_addon.support import MODULE, disc, vertices_of


@pytest.fixture
def placing(extension: Any) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.placing")


@pytest.fixture
def collection(extension: Any) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.collection")


@pytest.fixture
def cube(scene: Any) -> Any:
    """The cube of the default scene."""
    bpy.ops.mesh.primitive_cube_add()
    return bpy.context.object


def box_of(thing: Any) -> Any:
    """The box around an object in the scene, (2, 3)."""
    bpy.context.view_layer.update()
    corners = np.array([thing.matrix_world @ Vector(corner) for corner in thing.bound_box])
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def are_apart(*things: Any) -> bool:
    pairs = itertools.combinations([box_of(thing) for thing in things], 2)
    return all(((a[0] >= b[1]) | (b[0] >= a[1])).any() for a, b in pairs)


def test_meshes_stand_beside_the_cube_and_beside_each_other(scene: Any, cube: Any, picture_file: Path) -> None:
    made: list[Any] = []
    for seed in (1, 2):
        bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=seed)
        made.append(bpy.context.object)
    assert are_apart(cube, *made)
    assert [thing.location.z for thing in made] == [0.0, 0.0], "on the level of the 3D cursor"
    assert made[0].location.x < made[1].location.x


def test_what_stands_free_stays_where_it_is_wanted(scene: Any, cube: Any) -> None:
    ((thing,), _) = add(scene, result(), cursor=(0, 5, 2))
    assert tuple(thing.location) == (0, 5, 2)


def test_what_hides_nothing_takes_no_place(scene: Any, cube: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.display_type = "WIRE"
    bpy.ops.object.camera_add()
    bpy.ops.object.light_add(type="POINT")
    scene.collection.objects.link(bpy.data.objects.new("empty", bpy.data.meshes.new("empty")))
    cube.hide_set(state=True)
    ((thing,), _) = add(scene, result())
    assert tuple(thing.location) == (0, 0, 0)


def test_an_instance_takes_its_place(scene: Any, cube: Any) -> None:
    library = bpy.data.collections.new("library")
    library.objects.link(cube)
    scene.collection.objects.unlink(cube)
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", library
    library.instance_offset = (-1, 0, 0)
    scene.collection.objects.link(instance)
    ((thing,), _) = add(scene, result())
    assert box_of(thing)[0, 0] == pytest.approx(2.25)


def test_many_small_things_that_are_scattered_take_no_place(scene: Any, cube: Any) -> None:
    bpy.ops.mesh.primitive_grid_add(size=20)
    lawn = bpy.context.object
    lawn.instance_type = "VERTS"
    cube.parent, cube.scale = lawn, (0.1, 0.1, 0.1)
    cube.hide_set(state=True)
    ((thing,), _) = add(scene, result())
    assert tuple(thing.location) == (0, 0, 0)


def test_a_turned_object_takes_the_place_that_it_fills(scene: Any, cube: Any) -> None:
    cube.rotation_euler.z = np.pi / 4
    ((thing,), _) = add(scene, result())
    assert box_of(thing)[0, 0] > np.sqrt(2)


def test_a_room_that_is_looked_at_from_within_is_no_obstacle(scene: Any, cube: Any) -> None:
    cube.scale = (9, 9, 9)
    ((thing,), _) = add(scene, result(), eye=(7, -6, 5))
    assert tuple(thing.location) == (0, 0, 0)


def test_at_the_cursor_whatever_stands_there_and_still_beside_each_other(scene: Any, cube: Any, placing: Any) -> None:
    chosen = {"stands": placing.Stands.CURSOR, "cursor": (0.5, 0, 0)}
    (made, _) = add(scene, result(), result(index=1), **chosen)
    assert tuple(made[0].location) == (0.5, 0, 0)
    assert are_apart(*made)


def test_another_one_in_place_is_turned_as_the_artist_has_turned_it_and_the_former_is_hidden(
    scene: Any, placing: Any
) -> None:
    ((former,), _) = add(scene, result())
    former.location, former.rotation_euler.z, former.scale = (3, 2, 1), np.pi / 2, (2, 2, 2)
    bpy.context.view_layer.update()
    flat = mesh_product(vertices=TETRAHEDRON * np.array([1, 1, 0.5], np.float32))
    ((thing,), _) = add(scene, result({"mesh": flat}), stands=placing.Stands.IN_PLACE)
    assert np.allclose(box_of(thing)[:, :2], box_of(former)[:, :2], atol=1e-5)
    assert box_of(thing)[0, 2] == pytest.approx(1, abs=1e-6)
    assert thing.rotation_euler.z == pytest.approx(np.pi / 2)
    assert former.name in scene.objects, "nothing is lost"
    assert (former.visible_get(), former.hide_render) == (False, True)
    assert thing.visible_get()


def test_in_place_is_in_the_place_of_the_active_one_of_the_same_picture(scene: Any, placing: Any) -> None:
    (made, _) = add(scene, result(), result(index=1))
    ((pear,), _) = add(scene, result(recipe=recipe("pear")))
    in_place = {"stands": placing.Stands.IN_PLACE}
    bpy.context.view_layer.objects.active = made[0]
    ((third,), _) = add(scene, result(), **in_place)
    assert third.location == made[0].location
    bpy.context.view_layer.objects.active = pear
    ((fourth,), _) = add(scene, result(), **in_place)
    assert fourth.location == third.location, "the latest one"
    assert [thing.visible_get() for thing in (*made, pear, third, fourth)] == [False, True, True, False, True]
    ((other,), _) = add(scene, result(recipe=recipe("fig")), **in_place)
    assert are_apart(made[1], pear, fourth, other), "the first one of a picture stands where there is room"


def test_the_cameras_of_a_former_one_are_hidden_with_it(scene: Any, placing: Any) -> None:
    picture = png_bytes(disc(8))
    views = Views((len(picture),), (50.0,), (0.0,), picture, np.eye(4, dtype=np.float32)[None])
    (former, _) = add(scene, result({"mesh": mesh_product(), "views": views}))
    add(scene, result(), stands=placing.Stands.IN_PLACE)
    assert [thing.visible_get() for thing in former] == [False, False]


def test_a_former_one_stays_in_sight_if_the_next_does_not_land(scene: Any, placing: Any) -> None:
    ((former,), _) = add(scene, result())
    with pytest.raises(Exception, match="broken"):
        add(scene, result(mesh={"uv": None, "colours": TETRAHEDRON[:3]}), stands=placing.Stands.IN_PLACE)
    assert former.visible_get()


@pytest.mark.parametrize(
    ("system", "unit", "metres", "height"),
    [
        ("METRIC", 1.0, 1.0, 1.0),
        ("METRIC", 0.001, 0.05, 50.0),
        ("IMPERIAL", 0.3048, 0.3048, 1.0),
        ("NONE", 0.001, 2, 2),
    ],
)
def test_the_scenes_units_count(
    scene: Any, picture_file: Path, system: str, unit: float, metres: float, height: float
) -> None:
    scene.unit_settings.system, scene.unit_settings.scale_length = system, unit
    scene.hi3dgen.size = height
    assert scene.hi3dgen.metres == pytest.approx(metres)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    thing = bpy.context.object
    assert np.ptp(vertices_of(thing), axis=0).max() == pytest.approx(height, rel=1e-5)
    assert tuple(thing.scale) == (1, 1, 1)


def test_a_metre_is_a_metre_in_a_scene_in_millimetres(scene: Any) -> None:
    scene.unit_settings.scale_length = 0.001
    assert scene.hi3dgen.size == pytest.approx(1000)


def test_size_counts_for_cameras_as_well(scene: Any) -> None:
    picture, pose = png_bytes(disc(8)), np.eye(4, dtype=np.float32)
    pose[:3, 3] = (0, -2, 0.5)
    views = Views((len(picture),), (0.0,), (1.5,), picture, pose[None])
    ((_, camera), _) = add(scene, result({"mesh": mesh_product(), "views": views}), size=100.0)
    bpy.context.view_layer.update()
    assert tuple(camera.matrix_world.translation) == (0, -200, 50)
    assert camera.data.ortho_scale == 150
    assert camera.data.clip_end > 200


@pytest.mark.parametrize("origin", ["FLOOR", "CENTRE", "CURSOR"])
def test_the_origin_moves_and_the_mesh_does_not(scene: Any, cube: Any, placing: Any, origin: str) -> None:
    cursor = (0.25, 0.5, 0.0)
    ((thing,), _) = add(scene, result(), cursor=cursor, size=2.0, origin=placing.Origin[origin])
    box = box_of(thing)
    assert np.allclose(box, [[1.5, 0.5, 0.0], [3.5, 2.5, 2.0]]), "a gap of a quarter beside the cube"
    wanted = {"FLOOR": (1.5, 0.5, 0.0), "CENTRE": box.mean(axis=0), "CURSOR": cursor}[origin]
    assert np.allclose(thing.location, wanted)


@pytest.mark.parametrize("shading", ["SMOOTH", "FLAT"])
def test_faces_are_smooth_or_flat(scene: Any, picture_file: Path, shading: str) -> None:
    scene.hi3dgen.shading = shading
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert {polygon.use_smooth for polygon in bpy.context.object.data.polygons} == {shading == "SMOOTH"}


def test_what_was_chosen_is_saved_with_the_file(scene: Any, tmp_path: Path) -> None:
    chosen = {"size": 0.25, "stands": "IN_PLACE", "origin": "CENTRE", "shading": "FLAT"}
    for name, value in chosen.items():
        setattr(scene.hi3dgen, name, value)
    scene.hi3dgen.collection = own = bpy.data.collections.new("Props")
    scene.collection.children.link(own)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    settings = bpy.context.scene.hi3dgen
    assert {name: getattr(settings, name) for name in chosen} == chosen
    assert settings.collection.name == "Props"


def test_the_chosen_collection_is_taken(scene: Any, picture_file: Path) -> None:
    scene.hi3dgen.collection = own = bpy.data.collections.new("Props")
    scene.collection.children.link(own)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert [each.name for each in bpy.context.object.users_collection] == ["Props"]
    scene.collection.children.unlink(own)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=1)
    assert [each.name for each in bpy.context.object.users_collection] == ["Hi3DGen"], "the other is not in this scene"


@pytest.fixture
def linked(scene: Any, tmp_path: Path) -> Iterator[Any]:
    """A collection Hi3DGen of another file, in the scene."""
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {bpy.data.collections.new("Hi3DGen")}, fake_user=True)
    bpy.data.collections.remove(bpy.data.collections["Hi3DGen"])
    libraries: Any = bpy.data.libraries
    with libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Hi3DGen"]
    found = wanted.collections[0]
    scene.collection.children.link(found)
    yield found
    bpy.ops.wm.read_factory_settings(use_empty=True)  # an override crashes some versions when its library goes


@pytest.mark.parametrize("overridden", [False, True])
def test_in_place_of_a_linked_collection_a_local_one_is_used(
    scene: Any,
    linked: Any,
    picture_file: Path,
    overridden: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    if overridden:
        linked = linked.override_hierarchy_create(scene, bpy.context.view_layer)
    assert bpy.ops.hi3dgen.generate(filepath=str(picture_file)) == {"FINISHED"}
    (found,) = bpy.context.object.users_collection
    assert found.name.startswith("Hi3DGen")
    assert (found.library, found.override_library) == (None, None)
    assert not linked.objects


def test_a_report_says_where_it_is(
    scene: Any, picture_file: Path, capfd: pytest.CaptureFixture[str], collection: Any
) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert "Info: apple is in the collection Hi3DGen." in capfd.readouterr().out
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), count=3)
    assert "Info: apple.001 and 2 more are in the collection Hi3DGen." in capfd.readouterr().out
    assert collection.whereabouts(scene, "apple", []) == "The images of apple are in this file."


def hide_by_tick(layer: Any) -> None:
    layer.exclude = True


def hide_by_eye(layer: Any) -> None:
    layer.hide_viewport = True


def hide_everywhere(layer: Any) -> None:
    layer.collection.hide_viewport = True


@pytest.mark.parametrize(
    ("hide", "what_to_do"),
    [
        (hide_by_tick, "is excluded. Tick it"),
        (hide_by_eye, "is hidden. Show it"),
        (hide_everywhere, "is hidden. Show it"),
    ],
)
@pytest.mark.parametrize("hidden", ["Above", "Hi3DGen"])
def test_the_sentence_says_which_collection_hides_it(
    scene: Any, collection: Any, hide: Any, what_to_do: str, hidden: str
) -> None:
    above, own = bpy.data.collections.new("Above"), bpy.data.collections.new("Hi3DGen")
    scene.collection.children.link(above)
    above.children.link(own)
    layers = {"Above": bpy.context.view_layer.layer_collection.children["Above"]}
    layers["Hi3DGen"] = layers["Above"].children["Hi3DGen"]
    hide(layers[hidden])
    ((thing,), _) = add(scene, result())
    said = collection.whereabouts(scene, "plum", [thing])
    assert said.startswith("plum is in the collection Hi3DGen. It is not seen: ")
    assert f"the collection {hidden} {what_to_do} in the Outliner." in said


@pytest.fixture
def other_layer(scene: Any) -> Any:
    """A view layer that is not the first one."""
    return scene.view_layers.new("Other")


def test_the_sentence_is_of_the_view_layer_that_shows_it(scene: Any, collection: Any, other_layer: Any) -> None:
    ((thing,), _) = add(scene, result())
    scene.view_layers[0].layer_collection.children["Hi3DGen"].exclude = True
    assert "is excluded" in collection.whereabouts(scene, "plum", [thing])
    said = collection.whereabouts(scene, "plum", [thing], other_layer)
    assert said == "plum is in the collection Hi3DGen."


def test_a_place_is_free_if_it_is_in_the_view_layer_that_was_clicked_in(
    scene: Any, cube: Any, other_layer: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    cube.hide_set(state=True, view_layer=other_layer)
    clicked = SimpleNamespace(window=SimpleNamespace(view_layer=other_layer), eye=None)
    monkeypatch.setattr(generate.viewing, "viewport", Mock(return_value=clicked))
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert tuple(bpy.context.object.location) == (0, 0, 0)


def test_a_mesh_that_the_artist_hides_is_no_news(scene: Any, collection: Any) -> None:
    ((thing,), _) = add(scene, result())
    thing.hide_set(state=True)
    assert collection.why_unseen(bpy.context.view_layer, thing) == ""


def test_the_sentence_names_a_scene_that_is_not_in_sight(scene: Any, collection: Any) -> None:
    other = bpy.data.scenes.new("Other")
    ((thing,), _) = add(other, result())
    said = collection.whereabouts(other, "plum", [thing])
    assert said == "plum is in the collection Hi3DGen of the scene Other."


def test_a_scene_that_goes_meanwhile_costs_no_mesh(scene: Any, picture_file: Path) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    other = bpy.data.scenes.new("Other")
    job = generate.submit(other, picture_file, "draft", 5, settings={"resolution": 96})
    bpy.data.scenes.remove(other)
    generate.wait(job)
    assert job.landed == [bpy.data.objects["apple"].session_uid]
    assert "apple" in scene.objects


def test_a_batch_knows_no_placing(scene: Any, command: Any, picture_file: Path, tmp_path: Path) -> None:
    scene.hi3dgen.size, scene.hi3dgen.origin, scene.hi3dgen.shading = 50, "CENTRE", "FLAT"
    scene.unit_settings.scale_length = 0.01
    bpy.ops.mesh.primitive_cube_add()
    assert command([str(picture_file), "-o", str(tmp_path / "out")]) == 0
    scene.unit_settings.scale_length = 1
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "out" / "apple.glb"))
    box = box_of(bpy.context.object)
    assert np.ptp(box, axis=0).max() == pytest.approx(1, abs=1e-4)
    assert np.allclose((box[0, 2], *box[:, :2].mean(axis=0)), 0, atol=0.02)
