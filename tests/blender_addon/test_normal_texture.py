# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's normal map node reads the normal texture of a coarse mesh as the normal map's own normals."""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.files.meshes import write_mesh
from backend.flow.products import Crop, Cutout, Mesh, NormalMap
from backend.mesh.smooth import smooth_normals
from backend.raster.triangles import batches
from backend.raster.vectors import unit
from backend.texture.paint import paint
from backend.texture.stages import LIT
from backend.texture.tangents import tangents
from tests.backend.detail.test_correct import SIDE, bumpy_map, mesh_of, nothing
from tests.blender_addon.results import add, png_bytes, result

SIZE = 256
(LIGHT,) = (each for each in LIT if each.name == "normal_texture")


@pytest.fixture(scope="module")
def made() -> tuple[Mesh, NormalMap]:
    """A ball of few triangles and the normal map of one with bumps."""
    normal_map = bumpy_map(waves=16.0)
    rgba = np.full((SIDE, SIDE, 4), 200, np.uint8)
    rgba[..., 3] = normal_map.alpha * 255
    cutout = Cutout(rgba, Crop(0, 0, SIDE, SIDE, SIDE))
    painted = paint(mesh_of(12), cutout, normal_map, rgba, most=SIZE, report=nothing)
    return LIGHT.run(painted, normal_map, normal_texture="coarse", report=nothing), normal_map


def in_the_scene(scene: Any, mesh: Mesh, _folder: Path) -> Any:
    """The mesh as a backend sends it."""
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    sent = {
        "vertices": mesh.vertices,
        "triangles": mesh.triangles,
        "uv": None,
        "corner_uv": mesh.uv,
        "picture_uv": mesh.picture_uv,
        "base_colour": png_bytes(mesh.texture.base_colour),
        "normal": png_bytes(mesh.texture.normal),
    }
    ((thing,), _) = add(scene, result(mesh=sent))
    return thing


def from_a_file(scene: Any, mesh: Mesh, folder: Path) -> Any:
    """The mesh as Blender reads it from a glTF file."""
    write_mesh(folder / "ball.glb", mesh, np.full((4, 4, 4), 255, np.uint8))
    bpy.ops.import_scene.gltf(filepath=str(folder / "ball.glb"))
    return next(each for each in scene.objects if each.type == "MESH")


def baked(scene: Any, thing: Any) -> Float64Array:
    """The normals that Cycles lights an object by, laid out as its texture is, (SIZE, SIZE, 3), row 0 on top."""
    image = bpy.data.images.new("baked", SIZE, SIZE, float_buffer=True, is_data=True)
    nodes = thing.active_material.node_tree.nodes
    target = nodes.new("ShaderNodeTexImage")
    target.image = image
    for node in nodes:
        node.select = node == target
    nodes.active = target
    for each in bpy.context.view_layer.objects:
        each.select_set(each == thing)
    bpy.context.view_layer.objects.active = thing
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    bpy.ops.object.bake(type="NORMAL", normal_space="OBJECT", margin=0)
    pixels = np.empty(SIZE * SIZE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return 2.0 * pixels.reshape(SIZE, SIZE, 4)[::-1, :, :3].astype(np.float64) - 1.0


def degrees(left: Float64Array, right: Float64Array) -> Float64Array:
    """Angles between unit vectors."""
    return np.degrees(np.arccos(np.clip((left * right).sum(axis=-1), -1, 1)))


@pytest.mark.parametrize("shown", [in_the_scene, from_a_file])
def test_blender_lights_a_coarse_mesh_by_the_maps_normals(
    scene: Any, made: tuple[Mesh, NormalMap], tmp_path: Path, shown: Any
) -> None:
    mesh, normal_map = made
    found = baked(scene, shown(scene, mesh, tmp_path)).reshape(-1, 3)
    own = smooth_normals(mesh.vertices, mesh.triangles).astype(np.float64)
    at = mesh.corner_uv.astype(np.float64) * SIZE
    screen = np.stack([at[..., 0], SIZE - at[..., 1], np.zeros(at.shape[:2])], axis=2)
    with_it, without, behind = [], [], []
    for pixel, triangle, _, shares in batches(screen, (SIZE, SIZE), lambda: None):
        place, smooth = (
            np.einsum("pk,pkc->pc", shares, each[mesh.triangles[triangle]]) for each in (mesh.vertices, own)
        )
        column, row = ((SIDE * (0.5 + sign * part)).astype(int) for sign, part in ((1, place[:, 0]), (-1, place[:, 2])))
        truth = normal_map.normals[row, column][:, [0, 2, 1]] * (1, -1, 1)
        front, back = smooth[:, 1] < -0.7, smooth[:, 1] > 0.1
        with_it += [degrees(unit(found[pixel[front]]), truth[front])]
        without += [degrees(unit(smooth[front]), truth[front])]
        behind += [degrees(unit(found[pixel[back]]), unit(smooth[back]))]
    assert np.concatenate(without).mean() > 10
    assert np.concatenate(with_it).mean() < 3
    assert np.concatenate(behind).mean() < 1


def test_tangents_are_blenders(scene: Any, made: tuple[Mesh, NormalMap], tmp_path: Path) -> None:
    mesh, _ = made
    thing = in_the_scene(scene, mesh, tmp_path)
    thing.data.calc_tangents(uvmap="All Round")
    theirs = np.array([loop.tangent[:] for loop in thing.data.loops])
    assert {loop.bitangent_sign for loop in thing.data.loops} == {1.0}
    normals = smooth_normals(mesh.vertices, mesh.triangles).astype(np.float64)
    ours = tangents(mesh.vertices, mesh.triangles, mesh.corner_uv, normals).reshape(-1, 3)
    assert np.quantile(degrees(ours, theirs), 0.99) < 0.5


def test_clay_is_the_mesh_alone(scene: Any, made: tuple[Mesh, NormalMap], tmp_path: Path) -> None:
    material = in_the_scene(scene, made[0], tmp_path).active_material
    lit_by = material.node_tree.nodes["Surface"].inputs["Normal"]
    shown = {}
    for shows in ("ALL_ROUND", "CLAY", "NORMAL_DETAIL", "CLAY", "PICTURE", "ALL_ROUND"):
        material.hi3dgen_shows = shows
        assert material.hi3dgen_shows == shows
        shown[shows] = [link.from_node.name for link in lit_by.links]
    assert shown == {
        "ALL_ROUND": ["Tangent Space"],
        "CLAY": [],
        "NORMAL_DETAIL": ["Object Space"],
        "PICTURE": ["Tangent Space"],
    }
