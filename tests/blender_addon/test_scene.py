# SPDX-License-Identifier: GPL-3.0-or-later
"""Products become datablocks; what does not fit becomes a sentence, and nothing is left behind."""

from importlib import import_module
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.wire.products import Texture, Unknown, Views
from tests.blender_addon.results import FACES, TETRAHEDRON, UV, add, mesh_product, png_bytes, result
from tests.blender_addon.support import MODULE, disc, image_of, vertices_of


@pytest.fixture
def module(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.objects")


@pytest.fixture
def meshes(scene: Any) -> ModuleType:
    """The add-on's module for meshes."""
    return import_module(f"{MODULE}.blender_addon.scene.mesh")


def test_arrays_become_a_mesh(meshes: ModuleType) -> None:
    mesh = meshes.new_mesh("corner", mesh_product())
    assert (len(mesh.vertices), len(mesh.edges), len(mesh.polygons)) == (4, 6, 4)
    assert [tuple(polygon.vertices) for polygon in mesh.polygons] == [tuple(face) for face in FACES.tolist()]
    assert np.allclose([tuple(item.vector) for item in mesh.uv_layers[0].uv], UV[FACES.reshape(-1)])
    assert not mesh.validate()
    assert not mesh.color_attributes


def test_colours_and_normals_become_attributes(meshes: ModuleType) -> None:
    colours = np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.02, 1], [0.25, 0.5, 0.75]], np.float32)
    normals = np.roll(np.eye(4, 3, dtype=np.float32), 1, axis=0)
    mesh = meshes.new_mesh("corner", mesh_product(colours=colours, vertex_normals=normals))
    colour, normal = mesh.attributes["Hi3DGen Colour"], mesh.attributes["Hi3DGen Normal"]
    assert (colour.domain, normal.domain, normal.data_type) == ("POINT", "POINT", "FLOAT_VECTOR")
    assert mesh.color_attributes.active_color.name == "Hi3DGen Colour"
    assert [tuple(item.color_srgb) for item in colour.data] == [
        pytest.approx((*each, 1.0), abs=1e-3) for each in colours.tolist()
    ]
    assert [tuple(item.vector) for item in normal.data] == [tuple(each) for each in normals.tolist()]
    assert not mesh.validate()


def test_the_switch_has_the_colours_if_there_are_any(scene: Any, module: ModuleType) -> None:
    ((plain,), _) = add(scene, result())
    with pytest.raises(TypeError):
        plain.active_material.hi3dgen_shows = "COLOUR"
    coloured = result(mesh={"colours": np.full((4, 3), 0.5, np.float32)})
    ((thing,), _) = add(scene, coloured)
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
    ((thing,), _) = add(scene, noted)
    assert thing["hi3dgen"]["notes"].splitlines() == ["Two floaters went.", "The border was closed."]


@pytest.mark.parametrize(
    "changes",
    [
        {"triangles": FACES + 1},
        {"triangles": FACES - 1},
        {"triangles": FACES[:0]},
        {"vertices": TETRAHEDRON * np.float32(np.nan)},
        {"uv": UV[:3]},
        {"uv": None, "corner_uv": np.zeros((3, 3, 2), np.float32)},
        {"colours": np.zeros((3, 3), np.float32)},
        {"vertex_normals": np.zeros((5, 3), np.float32)},
    ],
    ids=[
        "index too large",
        "index negative",
        "no triangles",
        "non-finite",
        "uv too short",
        "few corners",
        "few colours",
        "many normals",
    ],
)
def test_a_broken_mesh_is_refused_and_leaves_nothing(scene: Any, module: ModuleType, changes: dict[str, Any]) -> None:
    image_of(disc(16), "plum")
    kinds = ("objects", "meshes", "materials", "collections", "images")
    before = {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds}
    with pytest.raises(Exception, match="broken"), module.all_or_nothing():
        add(scene, result(mesh=changes))
    assert {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds} == before


def test_a_failure_at_the_last_step_leaves_nothing(scene: Any, module: ModuleType) -> None:
    image_of(disc(16), "plum")
    kinds = ("objects", "meshes", "materials", "collections", "images")
    before = {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds}
    with pytest.raises(Exception, match="refused"), module.all_or_nothing():
        add(scene, result(recipe={"settings": object()}))
    assert {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds} == before


def test_every_scene_has_a_collection_of_its_own(scene: Any, module: ModuleType) -> None:
    image_of(disc(16), "plum")
    ((first,), _) = add(scene, result())
    other_scene = bpy.data.scenes.new("Other")
    ((second,), _) = add(other_scene, result())
    assert first.name in scene.objects
    assert first.name not in other_scene.objects
    assert second.name in other_scene.objects
    assert second.name not in scene.objects
    assert np.allclose(vertices_of(second), TETRAHEDRON)


def test_uvs_by_corner_may_have_seams(meshes: ModuleType) -> None:
    corners = np.random.default_rng(0).random((4, 3, 2), np.float32)
    mesh = meshes.new_mesh("corner", mesh_product(uv=None, corner_uv=corners))
    assert np.array_equal([tuple(item.vector) for item in mesh.uv_layers[0].uv], corners.reshape(-1, 2))


def test_a_meshes_own_images_are_its_material(scene: Any, module: ModuleType) -> None:
    images = {
        name: png_bytes(np.full((4, 4, 3), value, np.uint8))
        for name, value in (("base_colour", 200), ("normal", 128), ("roughness", 90), ("metallic", 0))
    }
    textured = result(mesh={"uv": None, "corner_uv": np.zeros((4, 3, 2), np.float32), **images})
    ((thing,), _) = add(scene, textured)
    nodes = thing.active_material.node_tree.nodes
    surface = nodes["Surface"]
    spaces = {}
    for socket in ("Base Color", "Roughness", "Metallic"):
        source = surface.inputs[socket].links[0].from_node
        assert source.image.packed_file is not None
        assert source.image["hi3dgen_product"] == "mesh"
        spaces[socket] = source.image.colorspace_settings.name
    assert spaces == {"Base Color": "sRGB", "Roughness": "Non-Color", "Metallic": "Non-Color"}
    tangent = surface.inputs["Normal"].links[0].from_node
    assert (tangent.type, tangent.space, tangent.uv_map) == ("NORMAL_MAP", "TANGENT", "UVMap")
    assert nodes["Material Output"].inputs["Surface"].links[0].from_node == surface
    assert bpy.data.images["plum normals"].use_fake_user, "no node shows it, and it is still saved"


def views() -> Views:
    files = [png_bytes(disc(8)), png_bytes(disc(16))]
    matrices = np.stack([np.eye(4, dtype=np.float32)] * 2)
    matrices[:, :3, 3] = [(0, -2, 0.5), (2, 0, 0.5)]
    lengths = tuple(len(each) for each in files)
    return Views(lengths, (50.0, 0.0), (0.0, 1.5), np.concatenate(files), matrices)


@pytest.mark.parametrize("beside_a_mesh", [True, False])
def test_views_become_cameras_with_their_pictures_where_they_were_seen_from(
    scene: Any,
    module: ModuleType,
    beside_a_mesh: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    products = {"views": views()} | ({"mesh": mesh_product()} if beside_a_mesh else {})
    (made, _) = add(scene, result(products), cursor=(1, 2, 3))
    bpy.context.view_layer.update()
    cameras = [thing for thing in made if thing.type == "CAMERA"]
    assert [tuple(camera.matrix_world.translation) for camera in cameras] == [(1, 0, 3.5), (3, 2, 3.5)]
    assert all(camera.hide_render and camera["hi3dgen"]["seed"] == 3 for camera in cameras)
    assert {collection.name for camera in cameras for collection in camera.users_collection} == {"plum views"}
    first, second = (camera.data for camera in cameras)
    assert first.type == "PERSP"
    assert first.sensor_fit == "VERTICAL", "renders are wider than the view, which fills their height"
    assert np.degrees(2 * np.arctan(first.sensor_height / 2 / first.lens)) == pytest.approx(50.0, abs=1e-3)
    assert (second.type, second.ortho_scale) == ("ORTHO", 1.5)
    sizes = [tuple(camera.data.background_images[0].image.size) for camera in cameras]
    assert sizes == [(8, 8), (16, 16)]
    assert bpy.context.object.type == ("MESH" if beside_a_mesh else "CAMERA")
    if beside_a_mesh:
        made[0].location.x += 5
        bpy.context.view_layer.update()
        assert cameras[0].matrix_world.translation.x == pytest.approx(6)


def test_images_alone_are_saved_although_nothing_shows_them(scene: Any, module: ModuleType) -> None:
    products = {"skin": Texture(base_colour=png_bytes(np.zeros((4, 4, 3), np.uint8)))}
    image_of(disc(16), "plum")
    (made, refused) = add(scene, result(products))
    assert (made, refused) == ([], [])
    assert bpy.data.images["plum base colour"].use_fake_user


def test_a_product_of_an_unknown_kind_is_left_out_with_a_note(scene: Any, module: ModuleType) -> None:
    products = {"mesh": mesh_product(), "bones": Unknown("skeleton")}
    ((thing,), _) = add(scene, result(products, notes=("Two floaters went.",)))
    notes = thing["hi3dgen"]["notes"].splitlines()
    assert notes[0] == "Two floaters went."
    assert "bones" in notes[1]
    assert "skeleton" in notes[1]
    with pytest.raises(Exception, match="Update the extension"):
        add(scene, result({"bones": Unknown("skeleton")}))


def test_what_all_seeds_share_is_one_image(scene: Any, module: ModuleType) -> None:
    several = [result(index=index, seed=index) for index in range(3)]
    several[1] = result(index=1, mesh={"triangles": FACES + 9})
    (made, refused) = add(scene, *several)
    assert [result.index for result, _ in refused] == [1]
    assert len({thing.active_material.node_tree.nodes["Normal Map"].image for thing in made}) == 1
    assert [thing.location.x for thing in made] == [0, 2.5], "a quarter between neighbours"
