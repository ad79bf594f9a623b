# SPDX-License-Identifier: GPL-3.0-or-later
"""*Mesh from Views*: views in the scene become a mesh, by a real backend."""

from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.flow.products import Camera
from backend.normals.image import to_picture
from backend.texture.camera import orbit, pixels
from backend.wire.products import Views
from tests.backend.texture.photographs import box, joined, photographed
from tests.blender_addon.results import add, png_bytes, recipe, result
from tests.blender_addon.support import MODULE, tick_until, vertices_of

pytest.importorskip("torch", reason="needs the extra hi3dgen")

SIDE = 64
HULL = {"cells": 16, "steps": 0, "between": 0, "faces": 2000, "image_size": "1024"}
CAMERAS = tuple(orbit(30 + 60 * k, (20, -10)[k % 2], 2.4, 40) for k in range(6))
BODY = joined([box((-0.5, -0.3, -0.2), (0.5, 0.3, 0.2))])


def part(name: str) -> ModuleType:
    return import_module(f"{MODULE}.blender_addon.{name}")


def drawn() -> tuple[Views, Views]:
    """Views of a flat box that is longer than wide, and their normal maps."""
    seen = [photographed(BODY, camera, (SIDE, SIDE)) for camera in CAMERAS]
    matrices = np.stack([camera.matrix for camera in CAMERAS]).astype(np.float32)
    files = [png_bytes(picture) for picture, _ in seen], [png_bytes(to_picture(normals)) for _, normals in seen]
    colours, normals = (
        Views(tuple(map(len, each)), (40.0,) * 6, (1.0,) * 6, np.concatenate(each), matrices) for each in files
    )
    return colours, normals


@pytest.fixture
def cameras(scene: Any) -> list[Any]:
    scene.cursor.location = (3.0, 0.0, 0.0)
    (made, _) = add(scene, result({"views": drawn()[0]}))
    bpy.context.view_layer.update()
    return made


def made_of_views(scene: Any) -> Any:
    """The mesh that has landed last."""
    return bpy.data.objects[bpy.context.view_layer.objects.active.name]


@pytest.mark.slow
def test_views_become_a_mesh_where_there_is_room_and_their_cameras_see_it(scene: Any, cameras: list[Any]) -> None:
    scene.hi3dgen.size, scene.hi3dgen.seed = 2.0, 7
    assert bpy.ops.hi3dgen.mesh_from_views(**HULL) == {"FINISHED"}
    thing = made_of_views(scene)
    assert (thing.type, thing.name, scene.hi3dgen.seed) == ("MESH", "plum views", 7)
    low, high = vertices_of(thing).min(axis=0), vertices_of(thing).max(axis=0)
    assert low[2] == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(high - low, (2.0, 1.2, 0.8), atol=0.25)
    assert tuple(thing.location) == pytest.approx((3.0, 0.0, 0.0), abs=1e-4)
    assert dict(thing["hi3dgen"]["settings"]) == HULL
    (node,) = [each for each in thing.active_material.node_tree.nodes if each.type == "TEX_IMAGE"]
    assert max(node.image.size) <= 1024
    assert part("scene.view_sets").shown_set(scene, thing) == cameras
    bpy.context.view_layer.update()
    points = vertices_of(thing).astype(np.float64) + np.array(thing.location)
    for camera, drawn_by in zip(cameras, CAMERAS, strict=True):
        seen = pixels(points, Camera(np.array(camera.matrix_world, np.float64), drawn_by.fov), (SIDE, SIDE))[:, :2]
        shown = np.argwhere(photographed(BODY, drawn_by, (SIDE, SIDE))[0][..., 3] > 127)[:, ::-1]
        assert np.abs([seen.min(axis=0) - shown.min(axis=0), seen.max(axis=0) - shown.max(axis=0) - 1]).max() < 2


@pytest.mark.slow
def test_it_is_made_again_where_it_stands_of_the_same_views(scene: Any, cameras: list[Any]) -> None:
    bpy.ops.hi3dgen.mesh_from_views(**HULL)
    thing = made_of_views(scene)
    thing.location = (-1.0, 0.0, 2.0)
    bpy.context.view_layer.update()
    count, places = len(thing.data.polygons), [camera.matrix_world.translation.copy() for camera in cameras]
    assert bpy.ops.hi3dgen.make_again(cells=24) == {"FINISHED"}
    assert thing["hi3dgen"]["settings"]["cells"] == 24
    assert len(thing.data.polygons) > count
    assert tuple(thing.location) == (-1.0, 0.0, 2.0)
    bpy.context.view_layer.update()
    moved = [np.array(camera.matrix_world.translation) - place for camera, place in zip(cameras, places, strict=True)]
    np.testing.assert_allclose(moved, [(-4.0, 0.0, 2.0)] * 6, atol=0.1)
    bpy.ops.hi3dgen.remove_views()
    with pytest.raises(RuntimeError, match="are not in this scene any more"):
        bpy.ops.hi3dgen.make_again(cells=16)


@pytest.mark.slow
def test_normal_maps_of_the_views_go_along_whichever_of_them_is_shown(scene: Any, session: Any) -> None:
    colours, normals = drawn()
    (both, _) = add(scene, result({"views": colours, "normal_views": normals}))
    (alone, _) = add(scene, result({"normal_views": normals}, recipe=recipe("another")))
    assert not any(thing.parent for thing in both)
    first = next(thing for thing in both if thing["hi3dgen_product"] == "views")
    shown = part("scene.pictures").pixels_of(part("scene.view_sets").view_of(first))
    for active in (first, next(thing for thing in both if thing["hi3dgen_product"] == "normal_views")):
        bpy.context.view_layer.objects.active = active
        bpy.ops.hi3dgen.mesh_from_views(**HULL)
        assert session.jobs[-1].request.normal_views.shape == (6, SIDE, SIDE, 4)
        assert np.array_equal(session.jobs[-1].request.views[0], shown), "in colour"
    bpy.context.view_layer.objects.active = alone[0]
    with pytest.raises(RuntimeError, match="of which these are the normal maps are gone"):
        bpy.ops.hi3dgen.mesh_from_views(**HULL)


def test_views_are_read_one_a_turn(scene: Any, cameras: list[Any]) -> None:
    pictures = part("scene.view_sets").pictures_of(cameras)
    steps = part("scene.reading").read_in_turn(pictures, SIDE)
    turns = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            read = end.value
            break
        turns += 1
    assert turns == len(pictures) - 1
    assert [picture.shape for picture in read] == [(SIDE, SIDE, 4)] * 6


def test_what_the_tool_lacks_is_said(scene: Any, session: Any, cameras: list[Any]) -> None:
    session.start()
    tick_until(session, lambda: session.capabilities is not None)
    known = session.capabilities
    lacking = "PyTorch, which it needs, is not installed yet."
    session.capabilities = replace(known, tools=tuple(replace(each, missing=lacking) for each in known.tools))
    try:
        assert not bpy.ops.hi3dgen.mesh_from_views.poll()
        with pytest.raises(RuntimeError, match="poll"):
            bpy.ops.hi3dgen.mesh_from_views(**HULL)
    finally:
        session.capabilities = known
    part("scene.view_sets").remove(cameras)
    assert not bpy.ops.hi3dgen.mesh_from_views.poll()
