# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with a mesh that is there: unwrapped, decimated, remeshed, marked as an asset. The picture stays."""

from importlib import import_module
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.blender_addon.support import MODULE, disc, image_of, vertices_of


@pytest.fixture
def apple(scene: Any) -> Any:
    """A generated mesh, the active object."""
    scene.hi3dgen.picture = image_of(disc(), "apple")
    scene.hi3dgen_draft.faces = 2000
    bpy.ops.hi3dgen.generate()
    return bpy.context.object


def uv_of(thing: Any, name: str = "UVMap") -> NDArray[Any]:
    """An object's UV map, by corner, float32 (L, 2)."""
    uv = np.empty(len(thing.data.loops) * 2, np.float32)
    thing.data.uv_layers[name].uv.foreach_get("vector", uv)
    return uv.reshape(-1, 2)


def picture_error(thing: Any) -> float:
    """How far the projected picture is from a projection at worst, in sides of the picture."""
    corners = np.empty(len(thing.data.loops), np.int32)
    thing.data.loops.foreach_get("vertex_index", corners)
    points, uv = vertices_of(thing)[corners], uv_of(thing)
    points = np.concatenate([points, np.ones_like(points[:, :1])], axis=1)
    return float(np.abs(points @ np.linalg.lstsq(points, uv, rcond=None)[0] - uv).max())


def triangles_of(thing: Any) -> int:
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    return len(mesh.loops) - 2 * len(mesh.polygons)


def covered(uv: NDArray[Any]) -> float:
    """The area of a UV map's triangles, in those of the square: above 1 some must overlap."""
    a, b, c = uv.reshape(-1, 3, 2).transpose(1, 0, 2)
    return float(np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum() / 2)


@pytest.mark.usefixtures("all_round")
def test_unwrap_adds_a_uv_map_and_the_picture_stays(apple: Any) -> None:
    before = uv_of(apple)
    assert bpy.ops.hi3dgen.unwrap() == {"FINISHED"}
    maps = apple.data.uv_layers
    assert [layer.name for layer in maps] == ["All Round", "UVMap", "Unwrapped"]
    assert maps.active.name == "All Round", "solid shading shows the colours by the active one"
    assert [layer.name for layer in maps if layer.active_render] == ["All Round"]
    assert np.array_equal(uv_of(apple), before)
    unwrapped = uv_of(apple, "Unwrapped")
    assert unwrapped.min() >= 0
    assert unwrapped.max() <= 1
    assert 0.2 < covered(unwrapped) <= 1
    assert bpy.context.mode == "OBJECT"
    bpy.ops.hi3dgen.unwrap()
    assert len(maps) == 3, "the second click does not add another"


def test_every_selected_one_is_unwrapped_by_itself(scene: Any, apple: Any) -> None:
    bpy.ops.hi3dgen.generate(seed=1, count=2)
    selected = [*bpy.context.selected_objects]
    active = bpy.context.object
    bpy.ops.hi3dgen.unwrap()
    assert all("Unwrapped" in thing.data.uv_layers for thing in selected)
    assert "Unwrapped" not in apple.data.uv_layers
    assert {*bpy.context.selected_objects} == {*selected}
    assert bpy.context.object == active


def test_decimate_halves_the_faces_with_each_click_and_can_be_taken_back(apple: Any) -> None:
    before = triangles_of(apple)
    bpy.ops.hi3dgen.decimate()
    assert triangles_of(apple) == pytest.approx(before / 2, rel=0.05)
    bpy.ops.hi3dgen.decimate()
    assert triangles_of(apple) == pytest.approx(before / 4, rel=0.05)
    assert len(apple.data.polygons) == before
    (modifier,) = apple.modifiers
    apple.modifiers.remove(modifier)
    assert triangles_of(apple) == before


def test_decimate_takes_the_panels_number_if_that_is_less_or_the_scripts(scene: Any, apple: Any) -> None:
    scene.hi3dgen_draft.faces = 1200
    bpy.ops.hi3dgen.decimate()
    assert triangles_of(apple) == pytest.approx(1200, rel=0.05)
    bpy.ops.hi3dgen.decimate(faces=1500)
    assert triangles_of(apple) == pytest.approx(1500, rel=0.05), "a click too many is no loss"


def test_remesh_makes_even_quads_and_the_picture_stays(apple: Any) -> None:
    before, error = triangles_of(apple), picture_error(apple)
    material, recipe = apple.active_material, dict(apple["hi3dgen"])
    assert bpy.ops.hi3dgen.remesh() == {"FINISHED"}
    mesh = apple.data
    assert {polygon.loop_total for polygon in mesh.polygons} == {4}
    assert len(mesh.polygons) == pytest.approx(before / 2, rel=0.2)
    assert picture_error(apple) < error + 0.03
    assert apple.active_material == material
    assert apple["hi3dgen"]["seed"] == recipe["seed"]
    assert all(polygon.use_smooth for polygon in mesh.polygons)
    axes = import_module(f"{MODULE}.blender_addon.scene.projection").axes_of
    assert axes(mesh, (1, 1)) is not None


def test_remesh_takes_a_number_and_drops_an_unwrapping_that_cannot_fit(apple: Any) -> None:
    bpy.ops.hi3dgen.unwrap()
    bpy.ops.hi3dgen.remesh(faces=3000)
    assert [layer.name for layer in apple.data.uv_layers] == ["UVMap"]
    assert len(apple.data.polygons) == pytest.approx(3000, rel=0.2)


def test_it_becomes_an_asset_that_says_how_it_was_made(apple: Any) -> None:
    package = bpy.context.preferences.addons[MODULE].preferences
    package.asset_author, package.asset_licence = "Ada", "CC0-1.0"
    try:
        assert bpy.ops.hi3dgen.mark_as_asset() == {"FINISHED"}
    finally:
        package.asset_author = package.asset_licence = ""
    found = apple.asset_data
    assert (found.author, found.license) == ("Ada", "CC0-1.0")
    assert found.description.startswith("Made from “apple picture” by draft, seed 0, ")
    assert "faces 2000" in found.description
    assert [tag.name for tag in found.tags] == ["Hi3DGen"]
    found.description = "My apple"
    bpy.ops.hi3dgen.mark_as_asset(licence="CC-BY-4.0")
    assert (found.author, found.license, found.description) == ("Ada", "CC-BY-4.0", "My apple")
    assert len(found.tags) == 1


OPERATORS = ("unwrap", "decimate", "remesh", "mark_as_asset")


@pytest.mark.parametrize("name", OPERATORS)
def test_they_say_why_they_cannot(scene: Any, apple: Any, name: str) -> None:
    operator = getattr(bpy.ops.hi3dgen, name)
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Leave the current mode first"):
        operator()
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.mesh.primitive_cube_add()
    with pytest.raises(RuntimeError, match="no generated mesh"):
        operator()
