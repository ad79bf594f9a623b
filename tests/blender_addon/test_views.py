# SPDX-License-Identifier: GPL-3.0-or-later
"""Views in the scene: cameras that see what they were drawn from, a filmstrip, a contact sheet, and their end."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.flow.products import Camera
from backend.texture.camera import orbit, pixels
from backend.texture.raster import look
from backend.wire.products import Views
from tests.backend.texture.photographs import thing as solid
from tests.blender_addon.results import add, mesh_product, png_bytes, result
from tests.blender_addon.support import MODULE

SIDE = 64
ANGLES = ((0, 10), (120, -10), (240, 30))


def part(name: str) -> ModuleType:
    return import_module(f"{MODULE}.blender_addon.{name}")


def outline(camera: Camera) -> NDArray[Any]:
    """What a camera sees of the solid, bool (SIDE, SIDE)."""
    mesh = solid()
    seen = look(pixels(mesh.vertices.astype(np.float64), camera, (SIDE, SIDE)), mesh.triangles, (SIDE, SIDE))
    return seen.triangles >= 0


CAMERAS = [*(orbit(*each, 2.6, 34.0) for each in ANGLES), Camera(orbit(50, 20, 3.0, 0).matrix, 0.0, 1.6)]


def drawn() -> Views:
    """Views of the solid: its outline in white, before black."""
    files = [png_bytes(np.dstack([outline(camera).astype(np.uint8) * 255] * 3)) for camera in CAMERAS]
    return Views(
        tuple(len(file) for file in files),
        tuple(camera.fov for camera in CAMERAS),
        tuple(camera.width for camera in CAMERAS),
        np.concatenate(files),
        np.stack([camera.matrix for camera in CAMERAS]).astype(np.float32),
    )


@pytest.fixture
def cameras(scene: Any) -> list[Any]:
    (made, refused) = add(scene, result({"views": drawn()}))
    assert not refused
    bpy.context.view_layer.update()
    return made


def rendered(scene: Any, camera: Any) -> NDArray[Any]:
    """The solid's outline as Blender renders it through a camera, bool (H, W), the first row on top."""
    scene.camera = camera
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 4, False
    scene.render.film_transparent = True
    path = Path(bpy.app.tempdir, "seen.png")
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    found = values.reshape(image.size[1], image.size[0], 4)[::-1, :, 3] > 0.5
    bpy.data.images.remove(image)
    return found


@pytest.mark.parametrize(("frame", "at"), [((SIDE, SIDE), (0, 0)), ((112, SIDE), (24, 0)), ((SIDE, 90), (0, 13))])
def test_a_render_through_a_views_camera_shows_what_the_view_shows(
    scene: Any, cameras: list[Any], frame: tuple[int, int], at: tuple[int, int]
) -> None:
    mesh = bpy.data.meshes.new("solid")
    mesh.from_pydata(solid().vertices.tolist(), [], solid().triangles.tolist())
    scene.collection.objects.link(bpy.data.objects.new("solid", mesh))
    (scene.render.resolution_x, scene.render.resolution_y), scene.render.resolution_percentage = frame, 100
    left, top = at
    for number in (1, 3):  # with perspective, and without
        part("scene.view_sets").refit(scene, cameras[number])
        seen = rendered(scene, cameras[number])[top : top + SIDE, left : left + SIDE]
        wanted = outline(CAMERAS[number])
        assert (seen & wanted).sum() / (seen | wanted).sum() > 0.98


def test_they_have_a_collection_of_their_own_and_are_found_again_wherever_they_go(
    scene: Any, cameras: list[Any]
) -> None:
    (own,) = {collection for camera in cameras for collection in camera.users_collection}
    assert own.name == "plum views"
    assert own.name in bpy.data.collections["Hi3DGen"].children
    find = part("scene.view_sets").shown_set
    assert find(scene, None) == cameras
    scene.collection.objects.link(cameras[2])
    own.objects.unlink(cameras[2])
    assert find(scene, cameras[2]) == cameras


def test_those_of_the_active_object_are_shown_else_the_latest(scene: Any, cameras: list[Any]) -> None:
    find = part("scene.view_sets").shown_set
    (beside, _) = add(scene, result({"mesh": mesh_product(), "views": drawn()}))
    mesh = next(thing for thing in beside if thing.type == "MESH")
    assert find(scene, None) == [thing for thing in beside if thing.type == "CAMERA"]
    assert find(scene, mesh) == find(scene, beside[-1])
    assert find(scene, cameras[0]) == cameras


def test_one_click_shows_them_in_their_cameras_or_not(scene: Any, cameras: list[Any]) -> None:
    def shown() -> set[tuple[bool, str, float, int]]:
        every = [(camera.data, camera.data.background_images) for camera in cameras]
        return {(data.show_background_images, each[0].display_depth, each[0].alpha, len(each)) for data, each in every}

    assert shown() == {(True, "BACK", 1.0, 1)}
    bpy.ops.hi3dgen.show_views(where="BEFORE")
    assert shown() == {(True, "FRONT", 0.5, 1)}
    bpy.ops.hi3dgen.show_views(where="HIDDEN")
    assert not any(camera.data.show_background_images for camera in cameras)
    cameras[0].data.background_images.clear()
    bpy.ops.hi3dgen.show_views(where="BEHIND")
    assert shown() == {(True, "BACK", 1.0, 1)}


def test_one_click_makes_a_contact_sheet(scene: Any, cameras: list[Any]) -> None:
    bpy.ops.hi3dgen.contact_sheet()
    sheet = bpy.data.images["plum views contact sheet"]
    assert tuple(sheet.size) == (2 * SIDE, 2 * SIDE)
    assert sheet.packed_file
    assert sheet.use_fake_user
    whole = part("scene.pictures").pixels_of(sheet)
    assert np.array_equal(whole[SIDE:, :SIDE, 0] > 127, outline(CAMERAS[2])), "row by row"


def test_they_go_together_and_leave_nothing(scene: Any) -> None:
    kinds = ("objects", "cameras", "images", "collections")
    before = {kind: {*getattr(bpy.data, kind).keys()} for kind in kinds}
    add(scene, result({"views": drawn()}))
    bpy.ops.hi3dgen.remove_views()
    left = {kind: {*getattr(bpy.data, kind).keys()} - before[kind] for kind in kinds}
    assert left == {"objects": set(), "cameras": set(), "images": {"plum"}, "collections": {"Hi3DGen"}}
    assert not bpy.ops.hi3dgen.remove_views.poll()


def test_copies_are_no_more_views_and_the_artists_collection_stays(scene: Any, cameras: list[Any]) -> None:
    sets = part("scene.view_sets")
    mine = bpy.data.collections.new("mine")
    scene.collection.children.link(mine)
    for thing in cameras:
        copy = thing.copy()
        copy.data = thing.data.copy()
        mine.objects.link(copy)
    assert sets.shown_set(scene, None) == cameras
    active = mine.objects[0]
    assert active in sets.shown_set(scene, active)
    assert len(sets.shown_set(scene, active)) == len(cameras)
    sets.remove([*mine.objects])
    assert mine in {*bpy.data.collections}
    assert sets.shown_set(scene, None) == cameras


def test_an_image_that_something_else_shows_stays(scene: Any, cameras: list[Any]) -> None:
    picture = part("scene.view_sets").view_of(cameras[0])
    texture = bpy.data.textures.new("skin", "IMAGE")
    texture.image = picture
    name = picture.name
    bpy.ops.hi3dgen.remove_views()
    assert [image.name for image in bpy.data.images if image.name.startswith("plum views")] == [name]


def test_they_are_saved_with_the_file(scene: Any, cameras: list[Any], tmp_path: Path) -> None:
    path = str(tmp_path / "views.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    sets = part("scene.view_sets")
    found = sets.shown_set(bpy.context.scene, None)
    assert [thing.data["hi3dgen_view_number"] for thing in found] == [0, 1, 2, 3]
    assert [sets.azimuth_of(thing) for thing in found] == pytest.approx([0, 120, 240, 50], abs=1e-3)
    assert all(sets.view_of(thing).packed_file and sets.shown_where(thing) == "BEHIND" for thing in found)


def test_views_of_different_sizes_lie_in_the_middle_of_their_places() -> None:
    small, large = np.full((2, 2, 4), 9, np.uint8), np.full((4, 4, 4), 7, np.uint8)
    sheet = part("scene.contact_sheet").tiled([large, small])
    assert sheet.shape == (4, 8, 4)
    assert (sheet[1:3, 5:7] == 9).all()
    assert sheet[:, 4:].sum() == 9 * 16
