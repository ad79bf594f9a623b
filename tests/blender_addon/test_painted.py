# SPDX-License-Identifier: GPL-3.0-or-later
"""What *Texture from Picture* does to the scene, with products that are made by hand: no backend is asked."""

from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.moving import frame, movie
from tests.blender_addon.results import UV, add, mesh_product, of_the_extension, png_bytes, result
from tests.blender_addon.support import MODULE, disc, image_of

GREY = np.full((8, 8, 4), 128, np.uint8)


def module(name: str) -> Any:
    return import_module(f"{MODULE}.blender_addon.{name}")


@pytest.fixture
def thing(scene: Any) -> Any:
    """A quad and a triangle, the active object."""
    mesh = bpy.data.meshes.new("found")
    points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 1.5, 0)]
    mesh.from_pydata(points, [], [(0, 1, 2, 3), (3, 2, 4)])
    made = bpy.data.objects.new("found", mesh)
    scene.collection.objects.link(made)
    scene.view_layers[0].objects.active = made
    made.select_set(state=True)
    return made


def paint(thing: Any, name: str = "photo", uv: Any = None) -> Any:
    """Let an object show an image, which lies by those UVs, (T, 3, 2); returns the image."""
    surface = module("scene.surface")
    read = surface.read(thing)
    corners = np.linspace(0, 1, 6 * len(read.triangles), dtype=np.float32).reshape(-1, 3, 2) if uv is None else uv
    image = module("scene.landing").made_image(name, "mesh", png_bytes(GREY).tobytes(), data=False)
    surface.show(thing, read, mesh_product(triangles=read.triangles, corner_uv=corners), image, name)
    return image


def test_a_surface_is_read_where_it_stands_whatever_its_scale(thing: Any) -> None:
    thing.location, thing.scale = (1, 2, 3), (-2, 1, 1)
    bpy.context.view_layer.update()
    read = module("scene.surface").read(thing)
    assert np.allclose(read.points[1], (-1, 2, 3))
    assert read.faces.tolist() == [0, 0, 1]
    corners = [loop.vertex_index for loop in thing.data.loops]
    assert (np.array(corners)[read.loops] == read.triangles).all()


def test_whatever_shares_the_mesh_shows_it_and_another_painting_takes_its_place(scene: Any, thing: Any) -> None:
    other = bpy.data.objects.new("other", thing.data)
    scene.collection.objects.link(other)
    first = paint(thing)
    second = paint(thing, "second")
    (material,) = thing.data.materials
    assert other.active_material == material
    shown = [node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE"]
    assert (shown, first.users) == ([second], 0)


def test_a_mesh_without_room_for_a_uv_map_is_refused_before_the_work(thing: Any) -> None:
    layers = thing.data.uv_layers
    while len(layers) < 8:
        layers.new()
    with pytest.raises(Exception, match="has 8 UV maps"):
        module("scene.surface").read(thing)
    layers[3].name = "All Round"
    paint(thing)
    assert layers.active.name == "All Round"


def test_a_mesh_that_was_changed_meanwhile_stays_as_it_is(thing: Any) -> None:
    surface = module("scene.surface")
    read = surface.read(thing)
    thing.data.clear_geometry()
    thing.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    product = mesh_product(corner_uv=np.zeros((len(read.triangles), 3, 2), np.float32))
    with pytest.raises(Exception, match="was changed while it was painted"):
        surface.show(thing, read, product, image_of(GREY, "photo"), "photo")
    assert not thing.data.uv_layers
    assert not thing.data.materials


@pytest.mark.parametrize("keeps", [True, False])
def test_a_normal_texture_stays_as_long_as_it_lies_right(scene: Any, keeps: bool) -> None:  # noqa: FBT001
    product = mesh_product()
    uv = UV[product.triangles] * 0.9
    image = png_bytes(GREY)
    sent = {"uv": None, "corner_uv": uv, "picture_uv": UV, "base_colour": image, "normal": image}
    ((thing, *_), _) = add(scene, result(mesh=sent))
    painted = paint(thing, uv=uv if keeps else uv * 0.5)
    nodes = thing.active_material.node_tree.nodes
    assert nodes["All Round"].image == painted
    assert ("Tangent Space" in nodes) == ("Normal" in nodes) == keeps
    assert thing.active_material.hi3dgen_shows == "ALL_ROUND"


def test_the_meshs_own_texture_is_not_the_picture_that_it_is_painted_with(scene: Any, thing: Any) -> None:
    active = module("scene.active")
    material = bpy.data.materials.new("skin")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image_of(GREY, "skin")
    material.node_tree.nodes.active = node
    thing.data.materials.append(material)
    scene.hi3dgen.picture = image_of(disc(16), "photo")
    assert active.meant(bpy.context).image == node.image
    assert active.meant(bpy.context, thing).image == scene.hi3dgen.picture


def landed(thing: Any, picture: Any, session: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The camera that sees an object, as if one had been found for that picture."""
    texture = module("texture")
    monkeypatch.setattr(session, "submit", [].append)
    scene = bpy.context.scene
    job = texture.find_camera(texture.Meant(scene, thing, picture, 2))
    while job.is_reading:
        job.read_on()
    one = (1.0,)
    matrices = np.eye(4, dtype=np.float32)[None]
    found = import_module("backend.wire.products").Viewpoints(True, *[one] * 6, (40.0,), one, matrices)  # noqa: FBT003
    answer = of_the_extension(result({"viewpoints": found}))
    assert job.land([answer]) == []
    return module("scene.ghost").ghost_of(scene, thing)


def test_the_frame_that_was_sent_lies_over_the_mesh(
    thing: Any, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = movie(tmp_path)
    lies = module("scene.ghost").picture_of(landed(thing, picture, session, monkeypatch))
    assert lies.packed_file
    pixels = np.empty(len(lies.pixels), np.float32)
    lies.pixels.foreach_get(pixels)
    differs = [np.abs(pixels.reshape(64, 64, 4)[::-1] - frame(number) / 255).mean() for number in (1, 2, 3)]
    assert np.argmin(differs) == 1
    still = image_of(disc(16), "still")
    assert module("scene.ghost").picture_of(landed(thing, still, session, monkeypatch)) == still


def test_it_is_found_again_in_a_file_that_was_saved(
    thing: Any, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(thing, image_of(disc(16), "photo"), session, monkeypatch)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    scene, again = bpy.context.scene, bpy.data.objects["found"]
    ghost = module("scene.ghost").ghost_of(scene, again)
    assert module("scene.ghost").seen_by(ghost, scene) == again
    bpy.context.view_layer.objects.active = again
    for each in scene.objects:
        each.select_set(each == again)
    bpy.ops.object.delete()
    assert [each.name for each in scene.objects if each.type == "CAMERA"].count(ghost.name) == 1
    assert module("scene.ghost").seen_by(ghost, scene) is None
