# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh is measured, cut so that it stands, scaled to its print and saved beside the .blend file; any mesh is."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from backend.mesh.check import is_closed
from tests.blender_addon.support import MODULE, disc, image_of, vertices_of

trimesh = pytest.importorskip("trimesh", reason="trimesh reads meshes: pip install trimesh")


def inspected() -> Any:
    return import_module(f"{MODULE}.blender_addon.scene.inspected")


def check(thing: Any) -> Any:
    """Measure an object by a click, and return what is known of it then."""
    assert bpy.ops.hi3dgen.check_mesh() == {"FINISHED"}
    return inspected().checked(bpy.context.scene, thing).found


def no_rings(_: Any) -> list[Any]:
    return []


def no_timer(*_: Any, **__: Any) -> None:
    """None fires here: the test is the timer."""


def tick_while(module: Any, condition: Callable[[], Any]) -> None:
    """Tick as a timer would, as long as something is so."""
    deadline = time.monotonic() + 20
    while condition():
        assert time.monotonic() < deadline
        module._tick()
        time.sleep(0.005)


@pytest.fixture
def ball(scene: Any) -> Any:
    """A ball of radius 1 m, with UVs, a colour by corner and a material; the active object."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=16, radius=1.0, location=(3, 2, 1))
    thing = bpy.context.object
    colours = thing.data.color_attributes.new("Tint", "BYTE_COLOR", "CORNER")
    colours.data.foreach_set("color", np.tile([1.0, 0.5, 0.25, 1.0], len(thing.data.loops)))
    thing.data.materials.append(bpy.data.materials.new("Clay"))
    return thing


@pytest.fixture
def saved_file(scene: Any, tmp_path: Path) -> Iterator[Path]:
    """The file is saved in this folder."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    yield tmp_path
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def triangles_of(mesh: Any) -> Any:
    mesh.calc_loop_triangles()
    triangles = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    return triangles.reshape(-1, 3)


def test_a_mesh_is_measured_as_it_is_seen_and_known_until_it_changes(ball: Any) -> None:
    ball.scale = (0.02, 0.02, 0.02)
    ball.modifiers.new("Halves", "MIRROR").use_axis = (False, False, False)
    found = check(ball)
    assert found.size == pytest.approx((0.04, 0.04, 0.04), rel=1e-3)
    assert found.closed
    assert not found.stands
    bpy.context.scene.unit_settings.scale_length = 0.5
    assert inspected().checked(bpy.context.scene, ball) is None, "it is half as large by now"
    assert check(ball).size == pytest.approx((0.02, 0.02, 0.02), rel=1e-3)
    ball.location.x += 1
    bpy.context.view_layer.update()
    assert inspected().checked(bpy.context.scene, ball), "moved, it is the same"
    ball.data.vertices[0].co.x += 0.1
    ball.data.update()
    bpy.context.view_layer.update()
    assert inspected().checked(bpy.context.scene, ball) is None


@pytest.mark.parametrize("mirrored", [1, -1])
def test_a_ball_stands_and_keeps_place_uvs_colours_and_material(ball: Any, mirrored: int) -> None:
    ball.rotation_euler, ball.scale = (1.0, 0.5, 0.2), (mirrored * 1.0, 0.8, 0.9)
    bpy.context.view_layer.update()
    before = ball.matrix_world.copy()
    world = inspected().placed(vertices_of(ball), ball)
    assert bpy.ops.hi3dgen.make_stand() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert ball.matrix_world == before
    found = check(ball)
    assert found.closed
    assert not found.inside_out
    assert found.tilt > 9.5
    cut = inspected().placed(vertices_of(ball), ball)
    assert cut[:, 2].min() == pytest.approx(world[:, 2].min(), abs=1e-5), "it is set down where it was"
    mesh = ball.data
    assert is_closed(triangles_of(mesh))
    assert [layer.name for layer in mesh.uv_layers] == ["UVMap"]
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[0].uv.foreach_get("vector", uv)
    assert 0 <= uv.min() <= uv.max() <= 1.001
    colours = np.empty(len(mesh.loops) * 4, np.float32)
    mesh.color_attributes["Tint"].data.foreach_get("color", colours)
    np.testing.assert_allclose(colours.reshape(-1, 4), np.tile([1.0, 0.5, 0.25, 1.0], (len(mesh.loops), 1)), atol=0.01)
    assert [each.name for each in mesh.materials] == ["Clay"]


def test_a_cut_that_cannot_be_closed_is_tried_a_little_higher(ball: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    foot = import_module(f"{MODULE}.blender_addon.scene.foot")
    rings_of, asked = foot.rings_of, list[int]()

    def closed_at_the_second_height(edges: Any) -> Any:
        asked.append(len(edges))
        return [] if len(asked) == 1 else rings_of(edges)

    monkeypatch.setattr(foot, "rings_of", closed_at_the_second_height)
    assert bpy.ops.hi3dgen.make_stand() == {"FINISHED"}
    assert len(asked) == 2
    assert is_closed(triangles_of(ball.data))

    count = len(ball.data.vertices)
    monkeypatch.setattr(foot, "rings_of", no_rings)
    with pytest.raises(RuntimeError, match="could not be closed"):
        bpy.ops.hi3dgen.make_stand(tilt=25.0)
    assert len(ball.data.vertices) == count


def test_what_stands_safely_is_not_cut_and_what_cannot_stand_says_so(scene: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    assert bpy.ops.hi3dgen.make_stand() == {"FINISHED"}
    assert len(cube.data.vertices) == 8
    bpy.ops.mesh.primitive_cone_add(radius1=0.2, depth=2.0, rotation=(np.pi, 0, 0))
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match=r"No cut through the lowest tenth of “Cone” makes it stand"):
        bpy.ops.hi3dgen.make_stand()
    bpy.ops.mesh.primitive_grid_add()
    with pytest.raises(RuntimeError, match="“Grid” is not closed"):
        bpy.ops.hi3dgen.make_stand()


def test_a_generated_mesh_stands_and_can_be_made_again(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "apple")
    scene.hi3dgen_draft.faces = 2000
    bpy.ops.hi3dgen.generate()
    apple = bpy.context.object
    count = len(apple.data.vertices)
    assert bpy.ops.hi3dgen.make_stand(tilt=25.0) == {"FINISHED"}
    assert len(apple.data.vertices) != count
    axes = import_module(f"{MODULE}.blender_addon.scene.projection").axes_of
    assert axes(apple.data, (1, 1)) is not None, "the picture still lies over it"
    assert bpy.ops.hi3dgen.make_again() == {"FINISHED"}
    assert len(apple.data.vertices) == count


def test_several_are_scaled_each_on_its_floor(ball: Any, scene: Any) -> None:
    scene.unit_settings.scale_length = 0.01
    bpy.ops.mesh.primitive_cube_add(size=4, location=(9, 0, 7))
    cube = bpy.context.object
    child = cube.copy()
    scene.collection.objects.link(child)
    child.parent = cube
    for thing in (ball, child):
        thing.select_set(state=True)
    assert bpy.ops.hi3dgen.scale_to(millimetres=50) == {"FINISHED"}
    bpy.context.view_layer.update()
    assert max(ball.dimensions) == pytest.approx(5.0, rel=1e-3)
    assert max(cube.dimensions) == pytest.approx(5.0, rel=1e-3)
    assert ball.location.z - ball.dimensions.z / 2 == pytest.approx(0.0, abs=1e-3)
    assert cube.location.z - 2.5 == pytest.approx(5.0, abs=1e-3), "its floor was at 5"
    assert tuple(child.scale) == (1.0, 1.0, 1.0), "it comes with its parent"


@pytest.mark.parametrize("wrong", [-5, 0])
def test_no_mesh_is_scaled_to_nothing_and_without_a_number_to_the_panels(ball: Any, scene: Any, wrong: float) -> None:
    with pytest.raises(RuntimeError, match=f"Nothing is {wrong} mm long. Give a number above 0."):
        bpy.ops.hi3dgen.scale_to(millimetres=wrong)
    assert tuple(ball.scale) == (1.0, 1.0, 1.0)
    scene.hi3dgen.longest_side = 50.0
    assert bpy.ops.hi3dgen.scale_to() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert max(ball.dimensions) == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize("kind", ["GLB", "OBJ", "STL", "PLY", "USD"])
def test_a_mesh_is_saved_beside_the_file_and_none_is_written_over(saved_file: Path, ball: Any, kind: str) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "v1.2 Eiswürfel: 氷"
    for _ in range(2):
        assert bpy.ops.hi3dgen.save_mesh(save_as=kind) == {"FINISHED"}
    suffix = "usdz" if kind == "USD" else kind.lower()
    first, second = saved_file / f"v1.2 Eiswürfel_ 氷.{suffix}", saved_file / f"v1.2 Eiswürfel_ 氷_001.{suffix}"
    assert first.is_file()
    assert second.is_file()
    assert not [*saved_file.glob("Sphere*")], "it is not selected"
    if kind != "USD":
        mesh = trimesh.load(first, force="mesh")
        assert np.ptp(mesh.vertices, axis=0) == pytest.approx([2000.0 if kind == "STL" else 2.0] * 3)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("v1.2 final", "v1.2 final"),
        ("Vögel 鳥", "Vögel 鳥"),
        ('a/b\\c:d*e?f"g<h>i|j\tk', "a_b_c_d_e_f_g_h_i_j_k"),
        ("end. .", "end_"),
        ("...", "_"),
        (".hidden", "_.hidden"),
        ("Con", "_Con"),
        ("nul.5", "_nul.5"),
        ("console", "console"),
    ],
)
def test_a_file_has_the_objects_name_but_for_what_a_system_refuses(name: str, file: str) -> None:
    assert import_module(f"{MODULE}.blender_addon.scene.saving").file_name(name) == file


def test_an_obj_brings_the_images_that_it_names(saved_file: Path, scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "apple")
    scene.hi3dgen_draft.faces = 2000
    bpy.ops.hi3dgen.generate()
    before = {image.name: image.filepath_raw for image in bpy.data.images}
    bpy.context.object.active_material.hi3dgen_shows = "NORMAL_MAP"  # which no file holds
    (saved_file / "apple_texture.png").write_bytes(b"mine")
    bpy.ops.hi3dgen.save_mesh(save_as="OBJ")
    assert bpy.context.object.active_material.hi3dgen_shows == "NORMAL_MAP"
    assert {image.name: image.filepath_raw for image in bpy.data.images} == before
    mesh = trimesh.load(saved_file / "apple_001.obj", force="mesh")
    assert (saved_file / "apple_texture.png").read_bytes() == b"mine"
    assert mesh.visual.material.image.size == (96, 96)
    assert np.abs(np.asarray(mesh.visual.material.image)[48, 48, :3].astype(int) - (200, 80, 40)).max() < 3


def test_an_obj_has_what_was_painted_on_its_image(saved_file: Path, ball: Any) -> None:
    material = ball.active_material
    material.use_nodes = True
    image = bpy.data.images.new("paint", 8, 4)
    image.pixels.foreach_set(np.tile(np.float32([0, 1, 0, 1]), 32))
    shown = material.node_tree.nodes.new("ShaderNodeTexImage")
    shown.image = image
    material.node_tree.links.new(shown.outputs[0], material.node_tree.nodes["Principled BSDF"].inputs["Base Color"])
    assert bpy.ops.hi3dgen.save_mesh(save_as="OBJ") == {"FINISHED"}
    assert (image.source, image.is_dirty, image.filepath_raw) == ("GENERATED", True, "")
    assert len(bpy.data.images) == 1
    mesh = trimesh.load(saved_file / "Sphere.obj", force="mesh")
    assert (np.asarray(mesh.visual.material.image.convert("RGB")) == (0, 255, 0)).all()


def test_what_is_hidden_says_so(saved_file: Path, ball: Any) -> None:
    ball.hide_set(state=True)
    with pytest.raises(RuntimeError, match=r"“Sphere” was not saved: it is hidden. Show it first."):
        bpy.ops.hi3dgen.save_mesh(save_as="STL")
    assert not [*saved_file.glob("*.stl")]


def test_a_file_without_a_folder_says_so(ball: Any) -> None:
    with pytest.raises(RuntimeError, match=r"this file has no folder yet. Save the .blend file first"):
        bpy.ops.hi3dgen.save_mesh(save_as="STL")


def test_new_meshes_are_saved_if_the_preference_says_so(saved_file: Path, scene: Any) -> None:
    bpy.context.preferences.addons[MODULE].preferences.save_new = "STL"
    scene.hi3dgen.picture = image_of(disc(), "apple")
    scene.hi3dgen_draft.faces = 2000
    bpy.ops.hi3dgen.generate(count=2)
    assert {path.name for path in saved_file.glob("*.stl")} == {"apple.stl", "apple.001.stl"}


def test_a_script_saves_in_the_panels_format_if_it_names_none(saved_file: Path, ball: Any, scene: Any) -> None:
    scene.hi3dgen.save_as = "PLY"
    assert bpy.ops.hi3dgen.save_mesh() == {"FINISHED"}
    assert bpy.ops.hi3dgen.save_mesh(save_as="STL") == {"FINISHED"}
    assert bpy.ops.hi3dgen.save_mesh() == {"FINISHED"}
    assert {path.name for path in saved_file.glob("Sphere*")} == {"Sphere.ply", "Sphere.stl", "Sphere_001.ply"}


def test_in_a_window_new_meshes_are_saved_one_a_turn_after_they_have_come(
    saved_file: Path, ball: Any, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_new = import_module(f"{MODULE}.blender_addon.save_new")
    bpy.context.preferences.addons[MODULE].preferences.save_new = "STL"
    things = [ball, ball.copy(), ball.copy()]
    for thing in things[1:]:
        scene.collection.objects.link(thing)
    monkeypatch.setattr(bpy.app.timers, "register", no_timer)
    monkeypatch.setattr(save_new.runtime, "has_window", lambda: True)
    save_new.soon(scene, things)
    assert not [*saved_file.glob("*.stl")], "they land first"
    bpy.ops.object.mode_set(mode="EDIT")
    assert save_new._tick() == save_new.REST_SECONDS
    bpy.ops.object.mode_set(mode="OBJECT")
    assert (save_new._tick(), len([*saved_file.glob("*.stl")])) == (save_new.TICK_SECONDS, 1)
    bpy.data.objects.remove(things[1])
    assert save_new._tick() == save_new.TICK_SECONDS
    assert save_new._tick() is None
    assert {path.name for path in saved_file.glob("*.stl")} == {"Sphere.stl", "Sphere.002.stl"}


def test_several_are_measured_one_after_the_other_and_the_rest_can_be_cancelled(
    ball: Any, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = inspected()
    things = [ball, ball.copy(), ball.copy()]
    for thing in things[1:]:
        scene.collection.objects.link(thing)
        thing.select_set(state=True)
    bpy.context.view_layer.update()
    monkeypatch.setattr(bpy.app.timers, "register", no_timer)
    monkeypatch.setattr(import_module(f"{MODULE}.blender_addon.link.runtime"), "has_window", lambda: True)
    gate, begun = threading.Event(), list[int]()
    inspect = module.inspect

    def waits(*arguments: Any) -> Any:
        begun.append(len(begun))
        assert gate.wait(10)
        return inspect(*arguments)

    monkeypatch.setattr(module, "inspect", waits)
    assert bpy.ops.hi3dgen.check_mesh() == {"FINISHED"}
    assert module.running() == 3
    tick_while(module, lambda: not begun)
    for _ in range(5):
        module._tick()
        time.sleep(0.01)
    assert len(begun) == 1, "one worker, not one for each object"
    gate.set()
    tick_while(module, lambda: module.running() == 3)
    first = next(thing for thing in things if module.checked(scene, thing))
    assert not module.is_running(first)
    gate.clear()
    tick_while(module, lambda: len(begun) < 2)
    assert bpy.ops.hi3dgen.cancel_check() == {"FINISHED"}
    assert module.running() == 0
    gate.set()
    tick_while(module, lambda: module._turns)
    assert [thing for thing in things if module.checked(scene, thing)] == [first]
    assert len(begun) == 2, "the third one was not begun"

    assert bpy.ops.hi3dgen.check_mesh() == {"FINISHED"}
    assert bpy.ops.hi3dgen.cancel_check() == {"FINISHED"}, "before the first one has its turn"
    tick_while(module, lambda: module._turns)
    assert len(begun) == 2


@pytest.mark.parametrize("name", ["check_mesh", "make_stand", "scale_to", "save_mesh"])
def test_they_say_why_they_cannot(scene: Any, ball: Any, name: str) -> None:
    operator = getattr(bpy.ops.hi3dgen, name)
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Leave the current mode first"):
        operator()
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.empty_add()
    with pytest.raises(RuntimeError, match="The active object is no mesh"):
        operator()


@pytest.mark.parametrize("kind", ["GLB", "OBJ", "PLY", "STL"])
def test_files_have_the_size_that_the_scene_gives_its_units(ball: Any, saved_file: Path, kind: str) -> None:
    bpy.context.scene.unit_settings.scale_length = 0.001
    ball.name, ball.rotation_euler = "pea", (0.3, 0.2, 0.1)
    ball.modifiers.new("Triangles", "TRIANGULATE")  # trimesh reads PLY files of one kind of faces alone
    bpy.context.view_layer.update()
    before = ball.matrix_world.copy()
    assert bpy.ops.hi3dgen.save_mesh(save_as=kind) == {"FINISHED"}
    bpy.context.view_layer.update()
    assert ball.matrix_world == before
    mesh = trimesh.load(next(saved_file.glob(f"pea.{kind.lower()}")), force="mesh")
    assert mesh.extents.max() == pytest.approx(2.0 if kind == "STL" else 0.002, rel=0.02)


def test_a_usd_file_has_that_size_too(ball: Any, tmp_path: Path) -> None:
    saving = import_module(f"{MODULE}.blender_addon.scene.saving")
    bpy.context.scene.unit_settings.scale_length = 0.001
    ball.location = (0, 0, 0)
    saving._export(bpy.context.scene, ball, "USD", tmp_path / "pea.usda")  # of text, which a USDZ file holds packed
    text = (tmp_path / "pea.usda").read_text("utf-8")
    units = re.findall(r"metersPerUnit = ([\d.e-]+)", text) + re.findall(r"xformOp:scale = \(([\d.e-]+)", text)
    assert np.prod([float(value) for value in units]) == pytest.approx(0.001, rel=1e-4)


def test_one_mesh_without_faces_leaves_all_as_they_were(ball: Any) -> None:
    empty = bpy.data.objects.new("nothing", bpy.data.meshes.new("nothing"))
    bpy.context.collection.objects.link(empty)
    empty.select_set(state=True)
    with pytest.raises(RuntimeError, match="has no size"):
        bpy.ops.hi3dgen.scale_to(millimetres=100)
    assert tuple(ball.scale) == (1, 1, 1)
    assert bpy.ops.hi3dgen.check_mesh() == {"FINISHED"}
