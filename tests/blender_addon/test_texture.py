# SPDX-License-Identifier: GPL-3.0-or-later
"""*Texture from Picture*: any mesh in the scene gets a picture's colours, by a real backend."""

from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from backend.files.pictures import write_picture
from backend.flow.products import Camera
from backend.texture.camera import orbit, pixels
from backend.texture.raster import look
from backend.wire.products import Views
from tests.blender_addon.results import add, png_bytes, recipe, result
from tests.blender_addon.support import MODULE, image_of

WIDE = 96
BEHIND = 1  # of the block's faces


def block(scene: Any) -> Any:
    """A block of quads, longer than wide and with a step, that looks the same from no other side."""
    corners = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2.2), (0, 2.2)]
    points = [(x - 1, y, z) for y in (-0.4, 0.4) for x, z in corners]
    sides = [(i, (i + 1) % 6, (i + 1) % 6 + 6, i + 6) for i in range(6)]
    mesh = bpy.data.meshes.new("block")
    mesh.from_pydata(points, [], [(5, 4, 3, 2, 1, 0), (6, 7, 8, 9, 10, 11), *[side[::-1] for side in sides]])
    mesh.materials.append(bpy.data.materials.new("stone"))
    made = bpy.data.objects.new("block", mesh)
    made.location, made.rotation_euler = (4.0, 2.0, 1.0), (0, 0, 0.4)
    scene.collection.objects.link(made)
    bpy.context.view_layer.update()
    bpy.context.view_layer.objects.active = made
    made.select_set(state=True)
    return made


def middle_of(thing: Any) -> Any:
    """The middle of an object's box in the scene."""
    return np.mean([thing.matrix_world @ Vector(corner) for corner in thing.bound_box], axis=0)


def picture_of(thing: Any) -> Any:
    """What a camera in front of it sees: red at the left, green at the right, on nothing; and the camera's matrix."""
    camera = orbit(20.0, 12.0, 7.0, 32.0)
    middle = middle_of(thing)
    matrix = camera.matrix.copy()
    matrix[:3, 3] += middle
    camera = Camera(matrix, camera.fov)
    thing.data.calc_loop_triangles()
    points = np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])
    triangles = np.array([each.vertices[:] for each in thing.data.loop_triangles], np.int32)
    seen = look(pixels(points, camera, (WIDE, WIDE)), triangles, (WIDE, WIDE))
    image = np.zeros((WIDE, WIDE, 4), np.uint8)
    there = seen.triangles >= 0
    place = np.einsum("pk,pkc->pc", seen.weights[there], points[triangles[seen.triangles[there]]])
    shade = np.array([0.6, 0.8, 1.0])[seen.triangles[there] % 3]
    image[there] = 255
    image[there, :3] = np.where((place[:, :1] - middle[0]) < 0, (220, 40, 30), (40, 200, 60)) * shade[:, None]
    return image, camera


def colours_of(thing: Any) -> tuple[Any, Any]:
    """Places in the scene on the triangles that the picture sees squarely, (N, 3), and the colours shown there."""
    node = next(each for each in thing.active_material.node_tree.nodes if each.type == "TEX_IMAGE")
    wide, high = node.image.size
    pixels_ = np.empty(wide * high * 4, np.float32)
    node.image.pixels.foreach_get(pixels_)
    front = [each for each in thing.data.loop_triangles if each.polygon_index == 0]
    uv = thing.data.uv_layers["All Round"].uv
    middles = np.array([np.mean([uv[loop].vector for loop in each.loops], axis=0) for each in front])
    points = [thing.matrix_world @ thing.data.vertices[vertex].co for each in front for vertex in each.vertices]
    column, row = (middles * (wide, high)).astype(int).T
    return np.array(points).reshape(-1, 3, 3).mean(axis=1), pixels_.reshape(high, wide, 4)[row, column, :3]


@pytest.mark.slow
def test_the_camera_is_found_and_the_mesh_painted(scene: Any, tmp_path: Path) -> None:
    thing = block(scene)
    image, camera = picture_of(thing)
    before = [vertex.co[:] for vertex in thing.data.vertices], [face.vertices[:] for face in thing.data.polygons]
    write_picture(tmp_path / "photo.png", image)
    assert bpy.ops.hi3dgen.texture_from_picture(filepath=str(tmp_path / "photo.png")) == {"FINISHED"}
    (ghost,) = [each for each in scene.objects if each.type == "CAMERA" and "hi3dgen_ghost_of" in each]
    looks, truth = (np.array(matrix)[:3, 2] for matrix in (ghost.matrix_world, camera.matrix))
    assert np.degrees(np.arccos(looks @ truth)) < 12
    ghost.matrix_world = Matrix(camera.matrix.tolist())  # nudged
    bpy.context.view_layer.update()
    assert bpy.ops.hi3dgen.paint_from_camera() == {"FINISHED"}
    after = [vertex.co[:] for vertex in thing.data.vertices], [face.vertices[:] for face in thing.data.polygons]
    assert after == before
    assert [material.name for material in thing.data.materials] == ["stone", "photo"]
    assert {face.material_index for face in thing.data.polygons} == {1}
    assert not ghost.data.show_background_images
    assert import_module(f"{MODULE}.blender_addon.scene.active").meant(bpy.context).image is None, "no painted image"
    places, colours = colours_of(thing)
    left = places[:, 0] < middle_of(thing)[0]
    assert 0 < left.sum() < len(left)
    assert (np.where(left, colours[:, 0] / colours[:, 1], colours[:, 1] / colours[:, 0]) > 2).all()


@pytest.mark.slow
def test_a_picture_of_something_else_is_said_and_nothing_painted(scene: Any) -> None:
    thing = block(scene)
    row, column = np.mgrid[:WIDE, :WIDE]
    ring = np.abs(np.hypot(row - 48, column - 48) - 34) < 4
    pixels = np.full((WIDE, WIDE, 4), 200, np.uint8)
    pixels[..., 3] = np.where(ring, 255, 0)
    scene.hi3dgen.picture = image_of(pixels, "ring")
    with pytest.raises(RuntimeError, match="does not show this mesh"):
        bpy.ops.hi3dgen.texture_from_picture(paint=True)
    assert [material.name for material in thing.data.materials] == ["stone"]
    assert not thing.data.uv_layers
    assert bpy.ops.hi3dgen.texture_from_picture() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="does not show this mesh"):
        bpy.ops.hi3dgen.paint_from_camera()
    assert not thing.data.uv_layers
    (ghost,) = [each for each in scene.objects if each.type == "CAMERA" and "hi3dgen_ghost_of" in each]
    ghost.location.z += 0.1  # whoever moves it sees how it lies
    bpy.context.view_layer.update()
    assert bpy.ops.hi3dgen.paint_from_camera() == {"FINISHED"}
    assert [material.name for material in thing.data.materials] == ["stone", "ring"]


def views_of(thing: Any) -> Any:
    """Views of the block from around it, as an engine draws them: around the origin, from its front on, blue behind."""
    middle, turn = middle_of(thing), thing.rotation_euler.z
    size = max(thing.dimensions)
    cameras = [orbit(angle, 10.0, 2.2, 40.0) for angle in (0, 120, 240)]
    thing.data.calc_loop_triangles()
    points = np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])
    triangles = np.array([each.vertices[:] for each in thing.data.loop_triangles], np.int32)
    backs = [number for number, each in enumerate(thing.data.loop_triangles) if each.polygon_index == BEHIND]
    c, s = np.cos(turn), np.sin(turn)
    own = (points - middle) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) / size  # in the engine's frame
    files = []
    for camera in cameras:
        seen = look(pixels(own, camera, (WIDE, WIDE)), triangles, (WIDE, WIDE))
        image = np.zeros((WIDE, WIDE, 4), np.uint8)
        there = seen.triangles >= 0
        place = np.einsum("pk,pkc->pc", seen.weights[there], points[triangles[seen.triangles[there]]])
        front = np.where((place[:, :1] - middle[0]) < 0, (220, 40, 30), (40, 200, 60))
        behind = np.isin(seen.triangles[there], backs)[:, None]
        image[there, :3], image[there, 3] = np.where(behind, (30, 60, 220), front), 255
        files.append(png_bytes(image))
    matrices = np.stack([camera.matrix for camera in cameras]).astype(np.float32)
    return Views(tuple(map(len, files)), (40.0,) * 3, (1.0,) * 3, np.concatenate(files), matrices)


@pytest.mark.slow
def test_views_paint_what_the_picture_does_not_see_and_their_cameras_go_to_the_mesh(scene: Any) -> None:
    thing = block(scene)
    image, camera = picture_of(thing)
    picture = image_of(image, "plum")
    sent = import_module(f"{MODULE}.blender_addon.scene.lasting").content_of(image)
    (made, _) = add(scene, result({"views": views_of(thing)}, recipe=recipe(sent)))
    ghost = import_module(f"{MODULE}.blender_addon.scene.ghost")
    sight = import_module(f"{MODULE}.blender_addon.scene.lens").Sight(camera.matrix, camera.fov)
    ghost.place(scene, thing, picture, sight, "plum on block")
    bpy.context.view_layer.objects.active = thing
    assert bpy.ops.hi3dgen.texture_from_views() == {"FINISHED"}
    node = next(each for each in thing.active_material.node_tree.nodes if each.type == "TEX_IMAGE")
    values = np.empty(node.image.size[0] * node.image.size[1] * 4, np.float32)
    node.image.pixels.foreach_get(values)
    colours = values.reshape(node.image.size[1], node.image.size[0], 4)
    back = next(each for each in thing.data.loop_triangles if each.polygon_index == BEHIND)
    uv = np.mean([thing.data.uv_layers["All Round"].uv[loop].vector for loop in back.loops], axis=0)
    red, green, blue, _ = colours[int(uv[1] * len(colours)), int(uv[0] * len(colours[0]))]
    assert blue > max(red, green)
    bpy.context.view_layer.update()
    for each in made:
        away = np.array(each.matrix_world.translation) - middle_of(thing)
        looks = np.array(each.matrix_world)[:3, 2]
        assert looks @ away / np.linalg.norm(away) > 0.99, "it looks at the mesh"
        assert np.linalg.norm(away) == pytest.approx(2.2 * max(thing.dimensions), rel=0.1)
