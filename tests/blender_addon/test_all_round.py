# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh with colours all round shows them by a UV map of their own, beside the picture's."""

from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.results import UV, add, png_bytes, result
from tests.blender_addon.support import MODULE, disc, image_of


@pytest.fixture
def thing(scene: Any) -> Any:
    """A tetrahedron with colours all round."""
    return made_with(scene, "base_colour")


def made_with(scene: Any, *parts: str) -> Any:
    """A tetrahedron with these images of the whole surface."""
    images = {part: png_bytes(np.full((8, 8, 3), 90 + len(part), np.uint8)) for part in parts}
    corners = np.random.default_rng(0).random((4, 3, 2), np.float32)
    ((made,), _) = add(scene, result(mesh={"uv": None, "corner_uv": corners, "picture_uv": UV, **images}))
    return made


def module(name: str) -> Any:
    """A module of the scene."""
    return import_module(f"{MODULE}.blender_addon.scene.{name}")


def sources(material: Any) -> dict[str, str]:
    """The nodes that feed the surface, by its sockets, and the output."""
    nodes = material.node_tree.nodes
    sockets = [*nodes["Surface"].inputs, nodes["Material Output"].inputs["Surface"]]
    return {socket.name: socket.links[0].from_node.name for socket in sockets if socket.links}


def shown_by(thing: Any) -> set[str]:
    """The UV maps of solid shading and of other programs, which know the first one alone."""
    layers = thing.data.uv_layers
    return {layers.active.name, layers[0].name, next(layer.name for layer in layers if layer.active_render)}


def uv_of(thing: Any, name: str) -> Any:
    """An object's UV map, by corner, float32 (L, 2)."""
    uv = np.empty(len(thing.data.loops) * 2, np.float32)
    thing.data.uv_layers[name].uv.foreach_get("vector", uv)
    return uv.reshape(-1, 2)


def test_it_is_shown_first_and_each_position_by_its_own_map(thing: Any) -> None:
    material = thing.active_material
    maps = {name: uv_of(thing, name) for name in ("All Round", "UVMap")}
    assert not np.array_equal(*maps.values())
    for shows, layer, image in (
        ("ALL_ROUND", "All Round", "plum base colour"),
        ("PICTURE", "UVMap", "plum"),
        ("NORMAL_MAP", "UVMap", "plum normals as colours"),
        ("ALL_ROUND", "All Round", "plum base colour"),
    ):
        if image != "plum base colour" or material.hi3dgen_shows != "ALL_ROUND":
            material.hi3dgen_shows = shows
        assert material.hi3dgen_shows == shows
        assert shown_by(thing) == {layer}
        assert all(np.array_equal(uv_of(thing, name), uv) for name, uv in maps.items())
        assert material.node_tree.nodes.active.image.name == image


def test_a_copy_that_is_switched_leaves_the_original_alone(thing: Any) -> None:
    """Blender lets a mesh and its copy share the numbers of their UV maps."""
    maps = {name: uv_of(thing, name) for name in ("All Round", "UVMap")}
    twin = thing.copy()
    twin.data = thing.data.copy()
    twin.active_material = thing.active_material.copy()
    twin.active_material.hi3dgen_shows = "PICTURE"
    assert (shown_by(thing), shown_by(twin)) == ({"All Round"}, {"UVMap"})
    for each in (thing, twin):
        assert all(np.array_equal(uv_of(each, name), uv) for name, uv in maps.items())


def test_the_normal_map_lights_the_colours_all_round(thing: Any) -> None:
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    surface = thing.active_material.node_tree.nodes["Surface"]
    assert surface.inputs["Base Color"].links[0].from_node.name == "All Round"


def test_files_hold_what_is_shown_and_lay_it_by_their_first_uv_map(thing: Any, tmp_path: Path) -> None:
    picture = bpy.data.images["plum"]
    picture.filepath_raw = str(tmp_path / "plum.png")
    picture.save()
    for shows, layer, other, image in (
        ("PICTURE", "UVMap", "All Round", "plum.png"),
        ("ALL_ROUND", "All Round", "UVMap", "plum_base_colour.png"),
    ):
        thing.active_material.hi3dgen_shows = shows
        to = str(tmp_path / shows)
        bpy.ops.wm.obj_export(filepath=f"{to}.obj")
        lines = [line.split() for line in Path(f"{to}.obj").read_text("utf-8").splitlines()]
        points = np.array([line[1:] for line in lines if line[0] == "vt"], float)
        assert all(np.abs(points - point).max(axis=1).min() < 1e-3 for point in uv_of(thing, layer))
        assert {Path(name).name for name in files_in(Path(f"{to}.mtl"), "map_Kd ")} == {image}
        bpy.ops.wm.usd_export(filepath=f"{to}.usda")
        assert {Path(name.strip("@")).name for name in files_in(Path(f"{to}.usda"), "inputs:file = ")} == {image}
        bpy.ops.export_scene.fbx(filepath=f"{to}.fbx")
        fbx = Path(f"{to}.fbx").read_bytes()
        assert 0 < fbx.index(layer.encode()) < fbx.index(other.encode())


def files_in(path: Path, key: str) -> list[str]:
    """What stands behind a key in the lines of a file."""
    return [line.split(key)[1].strip() for line in path.read_text("utf-8").splitlines() if key in line]


def test_what_the_artist_links_stays_and_comes_back_with_its_position(scene: Any, thing: Any) -> None:
    material, links = thing.active_material, thing.active_material.node_tree.links
    nodes = material.node_tree.nodes
    hue, bump, mix = (nodes.new(f"ShaderNode{kind}") for kind in ("HueSaturation", "Bump", "MixShader"))
    links.new(nodes["All Round"].outputs[0], hue.inputs["Color"])
    links.new(hue.outputs[0], nodes["Surface"].inputs["Base Color"])
    links.new(bump.outputs[0], nodes["Surface"].inputs["Normal"])
    links.new(nodes["Surface"].outputs[0], mix.inputs[1])
    links.new(mix.outputs[0], nodes["Material Output"].inputs["Surface"])
    before = sources(material)
    assert material.hi3dgen_shows == "ALL_ROUND"
    for shows, changed in (
        ("PICTURE", {"Base Color": "Picture"}),
        ("NORMAL_DETAIL", {"Normal": "Object Space"}),
        ("NORMAL_MAP", {"Surface": "Normal Colours"}),
    ):
        material.hi3dgen_shows = shows
        assert material.hi3dgen_shows == shows
        assert sources(material) == before | changed
        material.hi3dgen_shows = "CLAY"
        assert sources(material) == {name: node for name, node in before.items() if name != "Base Color"}
        material.hi3dgen_shows = "ALL_ROUND"
        assert sources(material) == before
    links.new(nodes.new("ShaderNodeBsdfGlass").outputs[0], nodes["Material Output"].inputs["Surface"])
    assert module("switch").shown_by(material) == "", "no button is pressed"
    newer = made_with(scene, "base_colour").active_material
    module("material").follow(material, newer)
    module("material").settle(material, thing.data)
    thing.data.uv_layers.remove(thing.data.uv_layers["All Round"])
    nodes.remove(nodes["Picture"])
    module("material").settle(material, thing.data)
    assert sources(material)["Surface"] == "Glass BSDF"


def test_a_material_of_an_older_file_keeps_the_surface_that_is_seen(thing: Any) -> None:
    material, links = thing.active_material, thing.active_material.node_tree.links
    nodes = material.node_tree.nodes
    for name in ("Clay Surface", "All Round Surface"):
        nodes.new("ShaderNodeBsdfPrincipled").name = name
    nodes["All Round Surface"].inputs["Roughness"].default_value = 0.25
    links.new(nodes["All Round"].outputs[0], nodes["All Round Surface"].inputs["Base Color"])
    links.new(nodes["All Round Surface"].outputs[0], nodes["Material Output"].inputs["Surface"])
    assert material.hi3dgen_shows == "ALL_ROUND"
    material.hi3dgen_shows = "PICTURE"
    (surface,) = [node for node in nodes if node.type == "BSDF_PRINCIPLED"]
    assert surface.inputs["Roughness"].default_value == 0.25
    assert sources(material) == {"Base Color": "Picture", "Surface": "Surface"}


def test_a_material_that_is_linked_to_the_object_is_switched_and_one_of_another_file_is_not(
    scene: Any, thing: Any, tmp_path: Path
) -> None:
    material, (slot,) = thing.active_material, thing.material_slots
    slot.link, slot.material, thing.data.materials[0] = "OBJECT", material, None
    bpy.ops.hi3dgen.show(shows="PICTURE")
    assert (material.hi3dgen_shows, shown_by(thing)) == ("PICTURE", {"UVMap"})
    assert module("material").own(thing.data, module("switch").is_ours) == [material]
    bpy.data.libraries.write(str(tmp_path / "plum.blend"), {thing})
    libraries: Any = bpy.data.libraries  # the stub of `load` says nothing of what it gives
    with libraries.load(str(tmp_path / "plum.blend"), link=True) as (there, wanted):
        wanted.objects = there.objects
    scene.collection.objects.link(wanted.objects[0])
    bpy.context.view_layer.objects.active = wanted.objects[0]
    with pytest.raises(RuntimeError, match="belongs to another file"):
        bpy.ops.hi3dgen.show(shows="ALL_ROUND")


def test_every_image_of_the_surface_is_shown_and_painted_ones_stay_in_the_file(scene: Any, thing: Any) -> None:
    whole = made_with(scene, "base_colour", "normal", "roughness").active_material
    nodes = whole.node_tree.nodes
    laid = [nodes[name] for name in ("All Round", "Normal", "Roughness")]
    assert {node.inputs["Vector"].links[0].from_node.uv_map for node in laid} == {"All Round"}
    own = {"Base Color": "All Round", "Normal": "Tangent Space", "Roughness": "Roughness", "Surface": "Surface"}
    assert sources(whole) == own
    whole.hi3dgen_shows = "NORMAL_DETAIL"
    assert sources(whole) == own | {"Normal": "Object Space"}
    whole.hi3dgen_shows = "ALL_ROUND"
    assert sources(whole) == own
    mine, clean = image_of(disc(), "mine"), nodes["Roughness"].image
    painted = nodes["Normal"].image
    painted.pixels[0] = 0.0
    painted.pack()
    laid[0].image = mine
    assert module("material").artists_images_of(whole) == [mine, painted]
    module("material").follow(whole, thing.active_material)
    assert sources(whole) == {"Base Color": "All Round", "Surface": "Surface"}
    assert laid[0].image == thing.active_material.node_tree.nodes["All Round"].image
    assert [image.use_fake_user for image in (mine, painted, clean)] == [True, True, False]


def test_an_unwrapping_leaves_it_and_a_remesh_goes_back_to_the_picture(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    bpy.ops.hi3dgen.generate(faces=2000, colours="all_round")
    made = bpy.context.object
    bpy.ops.hi3dgen.unwrap()
    assert shown_by(made) == {"All Round"}
    bpy.ops.object.duplicate()
    bpy.ops.hi3dgen.remesh(faces=2000)
    remade = bpy.context.object
    assert [layer.name for layer in remade.data.uv_layers] == ["UVMap"]
    assert remade.active_material.hi3dgen_shows == "PICTURE"
    assert made.active_material.hi3dgen_shows == "ALL_ROUND", "the material of the one that was duplicated stays"


def test_make_again_takes_the_colours_away_and_brings_them_back(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    bpy.ops.hi3dgen.generate(faces=2000, colours="all_round")
    made = bpy.context.object
    image = made.active_material.node_tree.nodes["All Round"].image
    image.pixels[0] = 0.0
    assert module("again").lost(made) == ["what is painted on plum base colour (the image stays)"]
    bpy.ops.hi3dgen.make_again(colours="front")
    assert image.use_fake_user
    assert made.active_material.hi3dgen_shows == "PICTURE"
    assert shown_by(made) == {"UVMap"}
    bpy.ops.hi3dgen.make_again(colours="all_round")
    assert shown_by(made) == {"All Round"}
    assert made.active_material.hi3dgen_shows == "ALL_ROUND"
    assert made.active_material.node_tree.nodes["All Round"].image["hi3dgen_product"] == "mesh"
