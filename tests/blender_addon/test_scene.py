# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays become a mesh; what does not fit becomes a sentence, and nothing is left behind."""

from importlib import import_module
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.raster import png
from backend.wire.messages import Result
from tests.blender_addon.support import MODULE, disc, image_of, vertices_of

TETRAHEDRON = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
UV = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)


@pytest.fixture
def module(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.objects")


def result(**changes: Any) -> Result:
    fields: dict[str, Any] = {
        "job": "job-1",
        "seed": 3,
        "index": 0,
        "count": 1,
        "recipe": {"engine": "draft", "seed": 3, "settings": {"resolution": 64}},
        "seconds": {},
        "vertices": TETRAHEDRON,
        "triangles": FACES,
        "uv": UV,
        "normal_map": np.frombuffer(png.encode(disc(16)), np.uint8),
    }
    return Result(**{**fields, **changes})


def test_arrays_become_a_mesh(module: ModuleType) -> None:
    mesh = module.new_mesh("corner", result())
    assert (len(mesh.vertices), len(mesh.edges), len(mesh.polygons)) == (4, 6, 4)
    assert [tuple(polygon.vertices) for polygon in mesh.polygons] == [tuple(face) for face in FACES.tolist()]
    assert np.allclose([tuple(item.vector) for item in mesh.uv_layers[0].uv], UV[FACES.reshape(-1)])
    assert not mesh.validate()
    assert not mesh.color_attributes


def test_colours_and_normals_become_attributes(module: ModuleType) -> None:
    colours = np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.02, 1], [0.25, 0.5, 0.75]], np.float32)
    normals = np.roll(np.eye(4, 3, dtype=np.float32), 1, axis=0)
    mesh = module.new_mesh("corner", result(colours=colours, vertex_normals=normals))
    colour, normal = mesh.attributes["Hi3DGen Colour"], mesh.attributes["Hi3DGen Normal"]
    assert (colour.domain, normal.domain, normal.data_type) == ("POINT", "POINT", "FLOAT_VECTOR")
    assert mesh.color_attributes.active_color.name == "Hi3DGen Colour"
    assert [tuple(item.color_srgb) for item in colour.data] == [
        pytest.approx((*each, 1.0), abs=1e-3) for each in colours.tolist()
    ]
    assert [tuple(item.vector) for item in normal.data] == [tuple(each) for each in normals.tolist()]
    assert not mesh.validate()


def test_the_switch_has_the_colours_where_there_are_any(scene: Any, module: ModuleType) -> None:
    picture = image_of(disc(16), "plum")
    ((plain,), _) = module.add_results(scene, "plum", picture, module.Place((0, 0, 0), 1.25), [result()])
    with pytest.raises(TypeError):
        plain.active_material.hi3dgen_shows = "COLOUR"
    coloured = result(colours=np.full((4, 3), 0.5, np.float32))
    ((thing,), _) = module.add_results(scene, "plum", picture, module.Place((0, 0, 0), 1.25), [coloured])
    material = thing.active_material
    output = material.node_tree.nodes["Material Output"].inputs["Surface"]
    for shows, kind in (("COLOUR", "BSDF_PRINCIPLED"), ("NORMAL_MAP", "EMISSION"), ("PICTURE", "BSDF_PRINCIPLED")):
        material.hi3dgen_shows = shows
        assert material.hi3dgen_shows == shows
        assert output.links[0].from_node.type == kind
    material.hi3dgen_shows = "COLOUR"
    (source,) = [link.from_node for link in output.links[0].from_node.inputs["Base Color"].links]
    assert source.layer_name == "Hi3DGen Colour"


def test_the_notes_stay_with_the_object(scene: Any, module: ModuleType) -> None:
    noted = result(notes=("Two floaters went.", "The border was closed."))
    ((thing,), _) = module.add_results(
        scene, "plum", image_of(disc(16), "plum"), module.Place((0, 0, 0), 1.25), [noted]
    )
    assert thing["hi3dgen"]["notes"].splitlines() == ["Two floaters went.", "The border was closed."]


@pytest.mark.parametrize(
    "changes",
    [
        {"triangles": FACES + 1},
        {"triangles": FACES - 1},
        {"triangles": FACES[:0]},
        {"vertices": TETRAHEDRON * np.float32(np.nan)},
        {"uv": UV[:3]},
        {"colours": np.zeros((3, 3), np.float32)},
        {"vertex_normals": np.zeros((5, 3), np.float32)},
    ],
    ids=[
        "index too large",
        "index negative",
        "no triangles",
        "non-finite",
        "uv too short",
        "few colours",
        "many normals",
    ],
)
def test_a_broken_mesh_is_refused_and_leaves_nothing(scene: Any, module: ModuleType, changes: dict[str, Any]) -> None:
    picture = image_of(disc(16), "plum")
    kinds = ("objects", "meshes", "materials", "collections", "images")
    before = {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds}
    with pytest.raises(Exception, match="broken"), module.all_or_nothing():
        module.add_results(scene, "plum", picture, module.Place((0, 0, 0), 1.25), [result(**changes)])
    assert {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds} == before


def test_a_failure_at_the_last_step_leaves_nothing(scene: Any, module: ModuleType) -> None:
    picture = image_of(disc(16), "plum")
    kinds = ("objects", "meshes", "materials", "collections", "images")
    before = {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds}
    with pytest.raises(Exception, match="refused"), module.all_or_nothing():
        module.add_results(
            scene, "plum", picture, module.Place((0, 0, 0), 1.25), [result(recipe={"settings": object()})]
        )
    assert {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds} == before


def test_every_scene_has_a_collection_of_its_own(scene: Any, module: ModuleType) -> None:
    picture = image_of(disc(16), "plum")
    ((first,), _) = module.add_results(scene, "plum", picture, module.Place((0, 0, 0), 1.25), [result()])
    other_scene = bpy.data.scenes.new("Other")
    ((second,), _) = module.add_results(other_scene, "plum", picture, module.Place((0, 0, 0), 1.25), [result()])
    assert first.name in scene.objects
    assert first.name not in other_scene.objects
    assert second.name in other_scene.objects
    assert second.name not in scene.objects
    assert np.allclose(vertices_of(second), TETRAHEDRON)
