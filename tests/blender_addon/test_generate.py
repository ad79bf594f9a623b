# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hi3dgen.generate` without a window: from a picture to an object, through a real backend process."""

import itertools
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.support import MODULE, disc, image_of, vertices_of


def datablocks() -> dict[str, set[str]]:
    kinds = ("objects", "meshes", "images", "materials", "collections")
    return {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds}


def test_a_file_becomes_the_active_object(scene: Any, picture_file: Path) -> None:
    assert bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=7) == {"FINISHED"}
    thing = bpy.context.view_layer.objects.active
    assert thing.name == "apple"
    assert thing.select_get()
    assert [collection.name for collection in thing.users_collection] == ["Hi3DGen"]
    assert scene.hi3dgen.seed == 7


def test_a_relative_path_is_meant_from_the_working_folder(
    scene: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture_file.parent)
    assert bpy.ops.hi3dgen.generate(filepath="apple.png") == {"FINISHED"}
    assert bpy.ops.hi3dgen.generate(filepath="apple.png", seed=1) == {"FINISHED"}
    assert [image.name for image in bpy.data.images if image.source == "FILE" and not image.packed_file] == [
        "apple.png"
    ]


def test_the_object_stands_at_the_cursor_one_metre_large_and_faces_the_front(scene: Any, picture_file: Path) -> None:
    scene.cursor.location = (1.0, 2.0, 3.0)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    thing = bpy.context.object
    assert tuple(thing.location) == (1.0, 2.0, 3.0)
    vertices = vertices_of(thing)
    assert vertices[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    assert np.ptp(vertices, axis=0).max() == pytest.approx(1.0, abs=1e-5)
    # A disc seen from the front: wide and high, and less deep.
    width, depth, height = np.ptp(vertices, axis=0)
    assert width == pytest.approx(height, rel=0.05)  # what is up, and how near the eye was, are guesses
    assert depth < width
    seen = np.empty(2 * len(thing.data.loops), np.float32)
    thing.data.uv_layers["UVMap"].uv.foreach_get("vector", seen)
    across, up = np.ptp(seen.reshape(-1, 2), axis=0)
    assert across == pytest.approx(up, rel=0.02)


def test_it_is_smooth_closed_and_wound_outward(scene: Any, picture_file: Path) -> None:
    import bmesh

    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    mesh = bpy.context.object.data
    assert not mesh.validate(verbose=False)
    assert all(polygon.use_smooth for polygon in mesh.polygons)
    solid = bmesh.new()
    solid.from_mesh(mesh)
    assert all(edge.is_manifold for edge in solid.edges)
    assert solid.calc_volume(signed=True) > 0.05
    solid.free()


def test_it_carries_the_picture_and_the_packed_normal_map(scene: Any, picture_file: Path) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), resolution=128)
    nodes = bpy.context.object.active_material.node_tree.nodes
    assert Path(bpy.path.abspath(nodes["Picture"].image.filepath)) == picture_file
    normal_map = nodes["Normal Map"].image
    assert normal_map.packed_file is not None
    assert normal_map.colorspace_settings.name == "Non-Color"
    assert tuple(normal_map.size) == (96, 96)
    pixels = np.array(normal_map.pixels[:]).reshape(96, 96, 4)
    assert np.allclose(pixels[48, 48, :3], (0.5, 0.5, 1.0), atol=0.03), "the middle of a disc faces the viewer"
    assert pixels[48, 14, 0] < 0.3
    assert pixels[48, 81, 0] > 0.7, "red grows to the right"
    assert pixels[81, 48, 1] > 0.7, "green grows upward, and Blender's rows do as well"
    assert np.allclose(pixels[0, 0, :3], 1.0), "white outside"


def test_the_picture_lies_on_the_mesh_where_it_was_seen(scene: Any, picture_file: Path) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), upright=False)
    thing = bpy.context.object
    mesh = thing.data
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers["UVMap"].uv.foreach_get("vector", uv)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    seen = vertices_of(thing)[corners][:, [0, 2]]
    uv = uv.reshape(-1, 2)
    for axis in (0, 1):  # the lens is undone, so not quite
        assert np.corrcoef(seen[:, axis], uv[:, axis])[0, 1] > 0.99
    assert uv.min() > 0.05
    assert uv.max() < 0.95


@pytest.mark.usefixtures("all_round")
def test_the_material_switches_to_the_normal_map_and_back(scene: Any, picture_file: Path) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    material = bpy.context.object.active_material
    output = material.node_tree.nodes["Material Output"].inputs["Surface"]
    assert material.hi3dgen_shows == "ALL_ROUND"
    assert output.links[0].from_node.type == "BSDF_PRINCIPLED"
    material.hi3dgen_shows = "NORMAL_MAP"
    assert material.hi3dgen_shows == "NORMAL_MAP"
    assert output.links[0].from_node.type == "EMISSION"
    assert material.node_tree.nodes.active.image.name == "apple normals as colours"
    material.hi3dgen_shows = "PICTURE"
    assert output.links[0].from_node.type == "BSDF_PRINCIPLED"


def test_the_recipe_stays_on_the_object(scene: Any, picture_file: Path) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=3, resolution=128)
    recipe = bpy.context.object["hi3dgen"]
    assert recipe["picture"] == "apple.png"
    assert len(recipe["inputs"]["picture"]) == 64
    assert (recipe["engine"], recipe["seed"]) == ("draft", 3)
    assert recipe["settings"]["resolution"] == 128
    assert recipe["version"]


def test_another_seed_is_another_object_with_the_same_front(scene: Any, picture_file: Path) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=1)
    first = bpy.context.object
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=2)
    second = bpy.context.object
    assert first != second
    assert not np.allclose(np.ptp(vertices_of(first), axis=0), np.ptp(vertices_of(second), axis=0), atol=1e-3)


def test_several_seeds_land_side_by_side_and_each_can_be_made_again_alone(scene: Any, picture_file: Path) -> None:
    scene.cursor.location = (1.0, 2.0, 3.0)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=5, count=3)
    made = sorted(bpy.context.selected_objects, key=lambda thing: thing.location.x)
    assert bpy.context.object == made[0]
    assert [thing["hi3dgen"]["seed"] for thing in made] == [5, 6, 7]
    assert [tuple(thing.location)[1:] for thing in made] == [(2.0, 3.0)] * 3
    assert made[0].location.x == 1.0
    assert scene.hi3dgen.seed == 5
    edges = [vertices_of(thing)[:, 0] + thing.location.x for thing in made]
    assert all(left.max() < right.min() for left, right in itertools.pairwise(edges)), "none touches another"
    maps = {thing.active_material.node_tree.nodes["Normal Map"].image for thing in made}
    assert len(maps) == 1
    again = dict(made[1]["hi3dgen"])
    import_module(f"{MODULE}.blender_addon.link.runtime").session().close()  # nothing is left in a cache
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=again["seed"], **again["settings"].to_dict())
    assert np.array_equal(vertices_of(bpy.context.object), vertices_of(made[1]))
    assert not np.array_equal(vertices_of(bpy.context.object), vertices_of(made[0]))


def test_the_dice_writes_back_the_seed_that_was_used(scene: Any, picture_file: Path) -> None:
    scene.hi3dgen.random_seed = True
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert bpy.context.object["hi3dgen"]["seed"] == scene.hi3dgen.seed
    before = scene.hi3dgen.seed
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert scene.hi3dgen.seed != before


def test_the_panels_picture_is_used_if_no_file_is_named(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    assert bpy.ops.hi3dgen.generate() == {"FINISHED"}
    assert bpy.context.object.name == "plum"


def test_the_artists_own_normal_map_is_used(scene: Any) -> None:
    image_of(disc(), "plum")
    flat = np.full((64, 64, 4), 255, np.uint8)
    flat[..., :2] = 128
    image_of(flat, "flat")
    bpy.ops.hi3dgen.generate(image="plum", normal_map="flat")
    thing = bpy.context.object
    assert len(thing["hi3dgen"]["inputs"]["own_normal_map"]) == 64
    flat_depth = np.ptp(vertices_of(thing)[:, 1])
    bpy.ops.hi3dgen.generate(image="plum")
    assert "own_normal_map" not in bpy.context.object["hi3dgen"]["inputs"]
    assert np.ptp(vertices_of(bpy.context.object)[:, 1]) != pytest.approx(flat_depth, abs=1e-3)


@pytest.mark.parametrize(
    "kind", ["nothing", "missing file", "no picture", "no background", "unknown engine", "unknown image"]
)
def test_what_fails_raises_a_sentence_and_leaves_everything_as_it_was(scene: Any, tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 4), np.uint8)
    noise[..., 3] = 255
    image_of(noise, "noise")
    (tmp_path / "broken.png").write_text("this is no picture")
    calls = {
        "nothing": {},
        "missing file": {"filepath": str(tmp_path / "nowhere.png")},
        "no picture": {"filepath": str(tmp_path / "broken.png")},
        "no background": {"image": "noise"},
        "unknown engine": {"image": "noise", "engine": "perpetuum"},
        "unknown image": {"image": "nobody"},
    }
    before, active = datablocks(), bpy.context.object
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.hi3dgen.generate(**calls[kind])
    message = str(caught.value).strip()
    assert message.startswith("Error: ")
    assert message.count(".") >= 2, "what happened, and what to do"
    assert "Traceback" not in message
    assert datablocks() == before
    assert bpy.context.object == active


def test_it_lands_in_object_mode_only(scene: Any, picture_file: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Object Mode"):
        bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize("file_format", ["JPEG", "OPEN_EXR_MULTILAYER", "FFMPEG"])
def test_a_rendered_picture_is_taken_as_it_is_now(scene: Any, file_format: str) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add()
    bpy.ops.object.camera_add(location=(0, -4, 0), rotation=(np.pi / 2, 0, 0))
    scene.camera = bpy.context.object
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.film_transparent = True
    scene.render.resolution_x = scene.render.resolution_y = 96
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5
        kinds = {"OPEN_EXR_MULTILAYER": "MULTI_LAYER_IMAGE", "FFMPEG": "VIDEO"}
        settings.media_type = kinds.get(file_format, "IMAGE")
    settings.file_format = file_format
    bpy.ops.render.render()
    assert bpy.ops.hi3dgen.generate(image="Render Result") == {"FINISHED"}
    assert settings.file_format == file_format, "the artist's settings come back"
    picture = bpy.context.object.active_material.node_tree.nodes["Picture"].image
    assert picture.type == "IMAGE"
    assert picture.packed_file is not None


def test_a_hidden_collection_stays_hidden(scene: Any, picture_file: Path) -> None:
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    bpy.context.view_layer.layer_collection.children["Hi3DGen"].exclude = True
    count = len(bpy.data.collections["Hi3DGen"].objects)
    assert bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=2) == {"FINISHED"}
    assert len(bpy.data.collections["Hi3DGen"].objects) == count + 1
    assert bpy.context.view_layer.layer_collection.children["Hi3DGen"].exclude
