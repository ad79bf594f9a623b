# SPDX-License-Identifier: GPL-3.0-or-later
"""Which picture a click means: one rule, in this order."""

import itertools
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.raster import png
from tests.blender_addon.support import MODULE, disc, image_of


@pytest.fixture
def active(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.active")


def image(name: str) -> Any:
    return image_of(disc(32), name)


def reference(picture: Any, name: str = "Reference") -> Any:
    """A selected empty that shows an image."""
    thing = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(thing)
    thing.empty_display_type, thing.data = "IMAGE", picture
    thing.select_set(state=True)
    return thing


def textured(picture: Any, thing: Any = None) -> Any:
    """The selected active object, whose material has the picture as its active image texture."""
    if thing is None:
        bpy.ops.mesh.primitive_cube_add()
        thing = bpy.context.object
    material = bpy.data.materials.new("Wood")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = picture
    material.node_tree.nodes.active = node
    thing.data.materials.clear()
    thing.data.materials.append(material)
    return thing


def means(active: ModuleType) -> tuple[str, str]:
    """The name of the picture, and where it is from."""
    found = active.meant(bpy.context)
    return (found.image.name if found.image else "", found.source)


def test_the_order(scene: Any, active: ModuleType) -> None:
    assert means(active) == ("", "")
    scene.hi3dgen.picture = image("field")
    assert means(active) == ("field", "")
    cube = textured(image("wood"))
    assert means(active) == ("wood", "The active image texture of Cube.")
    empty = reference(image("owl"))
    assert means(active) == ("owl", "The selected reference image Reference.")
    empty.select_set(state=False)
    assert means(active) == ("wood", "The active image texture of Cube.")
    cube.select_set(state=False)
    assert means(active) == ("field", ""), "the cube is active still, and a click beside it gives the field back"


def test_of_several_references_it_is_the_active_one(scene: Any, active: ModuleType) -> None:
    reference(image("a"), "A")
    second = reference(image("b"), "B")
    assert means(active)[0] == "a"
    bpy.context.view_layer.objects.active = second
    assert means(active)[0] == "b"
    second.hide_set(state=True)
    assert means(active)[0] == "a"


def test_an_empty_of_another_kind_and_a_material_without_an_active_texture_mean_nothing(
    scene: Any, active: ModuleType
) -> None:
    thing = reference(image("owl"))
    thing.empty_display_type = "PLAIN_AXES"
    cube = textured(image("wood"))
    cube.active_material.node_tree.nodes.active = cube.active_material.node_tree.nodes["Principled BSDF"]
    assert means(active) == ("", "")
    reference(None)
    assert means(active) == ("", "")


def test_a_generated_mesh_does_not_take_the_place_of_the_panels_picture(scene: Any, active: ModuleType) -> None:
    scene.hi3dgen.picture = image("plum")
    bpy.ops.hi3dgen.generate()
    made = bpy.context.object
    assert made.select_get()
    scene.hi3dgen.picture = image("next")
    assert means(active) == ("next", "")
    made.active_material.hi3dgen_shows = "NORMAL_MAP"
    assert means(active) == ("next", "")
    textured(image("wood"), made)
    assert means(active)[0] == "wood", "the artist gave it that"


def test_another_seed_is_another_click_where_the_panel_has_no_picture(scene: Any, active: ModuleType) -> None:
    owl = image("owl")
    owl.pack()
    reference(owl)
    bpy.ops.hi3dgen.generate()
    made = bpy.context.object
    assert [thing.name for thing in bpy.context.selected_objects] == [made.name]
    assert means(active) == ("owl", f"What {made.name} was made from.")
    made.active_material.hi3dgen_shows = "NORMAL_MAP"
    assert means(active)[0] == "owl"
    bpy.ops.hi3dgen.generate(seed=2)
    assert bpy.context.object["hi3dgen"]["seed"] == 2


def test_the_last_one_is_the_render(scene: Any, active: ModuleType) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 16
    bpy.ops.object.camera_add()
    scene.camera = bpy.context.object
    bpy.ops.render.render()
    assert means(active) == ("Render Result", "The last render.")
    scene.hi3dgen.picture = image("plum")
    assert means(active) == ("plum", "")
    bpy.ops.wm.read_homefile()
    assert "Render Result" in bpy.data.images, "else this shows nothing"
    assert means(active) == ("", ""), "nothing is rendered in this file"


def test_a_mask_and_a_normal_map_mean_their_picture(scene: Any, active: ModuleType) -> None:
    plum = image("plum")
    plum.hi3dgen_cutout, plum.hi3dgen_normal_map = image("mask"), image("normals")
    for name in ("mask", "normals"):
        thing = reference(bpy.data.images[name])
        assert means(active)[0] == "plum"
        bpy.data.objects.remove(thing)


def test_a_script_names_its_own(scene: Any, active: ModuleType) -> None:
    reference(image("owl"))
    image("plum")
    bpy.ops.hi3dgen.generate(image="plum")
    assert bpy.context.object.name == "plum"


@pytest.mark.parametrize(
    ("kind", "depth"),
    [*itertools.product(["PNG", "TIFF", "OPEN_EXR"], ["8", "16"]), ("TILED", "8"), ("packed", "8"), ("generated", "8")],
)
def test_any_kind_that_blender_opens_becomes_a_mesh(scene: Any, tmp_path: Path, kind: str, depth: str) -> None:
    source = image("source")
    if kind == "TILED":
        for tile in (1001, 1002):
            (tmp_path / f"udim.{tile}.png").write_bytes(png.encode(disc()))
        picture = bpy.data.images.load(str(tmp_path / "udim.<UDIM>.png"))
        picture.source = "TILED"
    elif kind == "packed":
        picture = source
        picture.pack()
    elif kind == "generated":
        picture = source
    else:
        settings = scene.render.image_settings
        if hasattr(settings, "media_type"):
            settings.media_type = "IMAGE"
        settings.file_format, settings.color_mode = kind, "RGBA"
        settings.color_depth = depth if kind != "OPEN_EXR" else {"8": "16", "16": "32"}[depth]
        scene.view_settings.view_transform = "Standard"
        path = tmp_path / f"picture{scene.render.file_extension}"
        source.save_render(str(path), scene=scene)
        picture = bpy.data.images.load(str(path))
    assert bpy.ops.hi3dgen.generate(image=picture.name) == {"FINISHED"}
    shown = bpy.context.object.active_material.node_tree.nodes["Picture"].image
    assert (shown == picture) == (kind in {"PNG", "TIFF", "OPEN_EXR", "packed"})
    pixels = import_module(f"{MODULE}.blender_addon.scene.pictures").pixels_of(shown)
    middle = pixels[len(pixels) // 2, len(pixels) // 2].astype(int)
    assert np.abs(middle - (200, 80, 40, 255)).max() <= 1


def test_a_file_that_is_dropped_on_the_panel_is_its_picture(scene: Any, picture_file: Path) -> None:
    for _ in range(2):
        assert bpy.ops.hi3dgen.open_picture(filepath=str(picture_file)) == {"FINISHED"}
        assert scene.hi3dgen.picture.name == "apple.png"
    assert len(bpy.data.images) == 1
    with pytest.raises(RuntimeError, match="There is no file"):
        bpy.ops.hi3dgen.open_picture(filepath=str(picture_file.with_name("nowhere.png")))
    handler = bpy.types.FileHandler.bl_rna_get_subclass_py("HI3DGEN_FH_picture")
    assert handler is not None
    assert {".png", ".exr", ".mp4"} <= set(handler.bl_file_extensions.split(";"))
