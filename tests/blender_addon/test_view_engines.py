# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that look all round, on tiny weights, through a real backend process, into a real Blender."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.weights.catalogue import VIEW_BY_MOVE
from tests.blender_addon.support import disc, image_of, tick_until, weights_in

torch = pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, extension: ModuleType) -> Iterator[None]:
    """A backend that is started now knows the weights; it ends with the tests of this module."""
    from make_tiny_views import make_views
    from make_tiny_weights import make_six_views, make_view_by_move

    folder = tmp_path_factory.mktemp("weights")
    random = torch.Generator().manual_seed(0)
    make_six_views(folder, random)
    make_view_by_move(folder / VIEW_BY_MOVE.name, random)
    make_views(folder)
    with weights_in(folder):
        yield


@pytest.mark.parametrize(
    ("engine", "settings", "count"),
    [("hi3d", {"views_size": "coarse"}, 3), ("sv3d", {}, 4), ("zero123pp", {}, 6), ("zero123", {}, 1)],
)
def test_its_views_land_as_cameras_around_the_object(
    weights: None, session: Any, engine: str, settings: dict[str, str], count: int
) -> None:
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    assert session.engine(engine).missing == ""
    before = set(bpy.data.objects)
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    assert bpy.ops.hi3dgen.generate(engine=engine, seed=3, **settings) == {"FINISHED"}
    cameras = [thing for thing in set(bpy.data.objects) - before if thing.type == "CAMERA"]
    assert len(cameras) == count
    places = np.array([camera.matrix_world.translation for camera in cameras])
    assert len(np.unique(places.round(4), axis=0)) == count
    for camera in cameras:
        behind = np.array(camera.matrix_world)[:3, 2]  # a camera looks along its own -z
        assert behind @ np.array(camera.matrix_world.translation) > 0, "it looks towards the object"
        image = camera.data.background_images[0].image
        assert np.ptp(np.array(image.pixels[:])) > 0
