# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera that lays a picture over a mesh sees what the picture's own camera sees, whatever the shape of renders."""

from importlib import import_module
from math import radians
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mathutils import Euler, Matrix, Vector

from backend.flow.products import Camera
from backend.texture.camera import pixels
from tests.blender_addon.support import MODULE, image_of

EVERY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ghosts() -> Any:
    """The module of the scene."""
    return import_module(f"{MODULE}.blender_addon.scene.ghost")


def lenses() -> Any:
    """The module of lenses."""
    return import_module(f"{MODULE}.blender_addon.scene.lens")


def placed(scene: Any, thing: Any, sight: Any, wide: int = 40, high: int = 30) -> tuple[Any, Any]:
    """The ghost of an object, and the picture that it shows."""
    picture = image_of(np.full((high, wide, 4), 200, np.uint8), "photo")
    return ghosts().place(scene, thing, picture, sight, "photo on cube"), picture


@pytest.fixture
def thing(scene: Any) -> Any:
    """A mesh that stands somewhere."""
    mesh = bpy.data.meshes.new("cube")
    mesh.from_pydata([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], [], [(0, 1, 3, 2)])
    made = bpy.data.objects.new("cube", mesh)
    made.location = (3, 1, 0.5)
    scene.collection.objects.link(made)
    return made


def somewhere() -> Any:
    """A camera that stands in front of the mesh."""
    return np.array(Matrix.Translation((3.2, -6, 1)) @ Euler((radians(85), 0.1, 0.05)).to_matrix().to_4x4())


@EVERY
@given(
    st.just(0.0) | st.floats(10, 100),
    st.tuples(st.integers(10, 90), st.integers(10, 90)),
    st.tuples(st.integers(40, 400), st.integers(40, 400)),
    st.floats(1, 3),
)
def test_the_picture_lies_where_its_camera_sees_the_mesh(
    scene: Any, fov: float, size: tuple[int, int], frame: tuple[int, int], aspect: float
) -> None:
    thing = bpy.data.objects.new("empty mesh", bpy.data.meshes.new("empty"))
    scene.collection.objects.link(thing)
    render = scene.render
    (render.resolution_x, render.resolution_y), render.pixel_aspect_x = frame, aspect
    sight = lenses().Sight(somewhere(), fov, 3.0)
    ghost, picture = placed(scene, thing, sight, *size)
    bpy.context.view_layer.update()
    wide, high = size
    point = np.array([[2.6, 1.3, 0.9]])
    column, row, _ = pixels(point, Camera(sight.matrix, sight.fov, sight.width), (high, wide))[0]
    x, y, _ = world_to_camera_view(scene, ghost, Vector(point[0]))
    # the frame is as wide as 1, the picture is fitted into it
    shape = frame[0] * aspect / frame[1]
    across = min(1.0, wide / high / shape)
    down = min(1.0, shape / (wide / high))
    assert np.allclose([(x - 0.5) / across + 0.5, 0.5 - (y - 0.5) / down], [column / wide, row / high], atol=1e-4)
    found = lenses().sight_of(scene, ghost, picture)
    assert np.allclose(found.matrix, sight.matrix, atol=1e-5)
    assert found.fov == pytest.approx(sight.fov, abs=1e-3)
    assert fov or found.width == pytest.approx(sight.width, rel=1e-4)
    for made in (ghost, thing):
        bpy.data.objects.remove(made)


@pytest.mark.parametrize("frame", [(160, 90), (90, 160)])
@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_a_lens_that_fits_by_itself_is_understood(scene: Any, thing: Any, frame: tuple[int, int], kind: str) -> None:
    scene.render.resolution_x, scene.render.resolution_y = frame
    ghost, picture = placed(scene, thing, lenses().Sight(somewhere(), 40.0))
    ghost.data.type, ghost.data.sensor_fit = kind, "AUTO"
    bpy.context.view_layer.update()
    found = lenses().sight_of(scene, ghost, picture)
    point = np.array([[2.6, 1.3, 0.9]])
    column, row, _ = pixels(point, Camera(found.matrix, found.fov, found.width), (30, 40))[0]
    x, y, _ = world_to_camera_view(scene, ghost, Vector(point[0]))
    shape = frame[0] / frame[1]
    across, down = min(1.0, 4 / 3 / shape), min(1.0, shape / (4 / 3))
    assert np.allclose([(x - 0.5) / across + 0.5, 0.5 - (y - 0.5) / down], [column / 40, row / 30], atol=1e-4)


def test_it_is_found_by_its_object_and_the_other_way_round(scene: Any, thing: Any) -> None:
    other = thing.copy()
    scene.collection.objects.link(other)
    sight = lenses().Sight(somewhere(), 40.0)
    ghost, picture = placed(scene, thing, sight)
    assert ghosts().ghost_of(scene, thing) == ghost
    assert ghosts().ghost_of(scene, other) is None
    assert ghosts().seen_by(ghost, scene) == thing
    assert ghosts().seen_by(thing, scene) is None
    assert ghosts().picture_of(ghost) == picture
    thing.name = "renamed"
    assert ghosts().seen_by(ghost, scene) == thing
    again, second = placed(scene, thing, lenses().Sight(somewhere(), 25.0))
    assert again == ghost
    assert ghosts().picture_of(ghost) == second
    bpy.data.objects.remove(thing)
    assert ghosts().seen_by(ghost, scene) is None


def test_a_picture_whose_file_is_gone_is_said(scene: Any, thing: Any) -> None:
    ghost, _ = placed(scene, thing, lenses().Sight(somewhere(), 40.0))
    gone = bpy.data.images.new("gone", 4, 4)
    gone.source, gone.filepath_raw = "FILE", "//not_there.png"
    gone.reload()
    with pytest.raises(Exception, match="has no pixels"):
        lenses().sight_of(scene, ghost, gone)


@pytest.mark.parametrize(
    ("change", "sentence"), [({"shift_x": 0.1}, "shifted"), ({"type": "PANO"}, "neither perspective")]
)
def test_a_lens_that_no_picture_has_is_said(scene: Any, thing: Any, change: dict[str, Any], sentence: str) -> None:
    ghost, picture = placed(scene, thing, lenses().Sight(somewhere(), 40.0))
    for name, value in change.items():
        setattr(ghost.data, name, value)
    with pytest.raises(Exception, match=sentence):
        lenses().sight_of(scene, ghost, picture)


def test_a_doubted_ghost_is_one_until_it_or_its_mesh_is_moved_or_it_is_trusted(scene: Any, thing: Any) -> None:
    bpy.context.view_layer.update()
    ghost, _ = placed(scene, thing, lenses().Sight(somewhere(), 40.0))
    assert not ghosts().is_doubted(scene, ghost)
    ghosts().doubt(scene, ghost)
    bpy.context.view_layer.update()
    assert ghosts().is_doubted(scene, ghost)
    for moved in (ghost, thing):
        moved.location.x += 0.01
        bpy.context.view_layer.update()
        assert not ghosts().is_doubted(scene, ghost)
        moved.location.x -= 0.01
        bpy.context.view_layer.update()
        assert ghosts().is_doubted(scene, ghost)
    ghost.data.lens *= 1.01
    assert not ghosts().is_doubted(scene, ghost)
    ghosts().doubt(scene, ghost)
    ghosts().trust(ghost)
    assert not ghosts().is_doubted(scene, ghost)
