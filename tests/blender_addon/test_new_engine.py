# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that no line of the product knows lands its views and its textured mesh in a real Blender."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.support import CHECKOUT, MODULE, disc, image_of


@pytest.fixture
def with_engine(session: Any, use_backend: Callable[[Path, str], None]) -> Any:
    """The session, with a backend that has the engine."""
    use_backend(CHECKOUT / "tests" / "new_engine.py", "orbit")
    return session


def test_its_products_land(with_engine: Any) -> None:
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    bpy.context.scene.hi3dgen.engine = "orbit"
    bpy.context.scene.hi3dgen_orbit.distance = 4.0
    assert bpy.ops.hi3dgen.generate(seed=3, resolution=64, faces=1000, distance=3.0) == {"FINISHED"}
    thing = bpy.context.object
    assert thing.type == "MESH"
    recipe = thing["hi3dgen"]
    assert (recipe["engine"], recipe["seed"]) == ("orbit", 3)
    assert recipe["settings"]["distance"] == 3.0

    uv = np.empty(len(thing.data.loops) * 2, np.float32)
    thing.data.uv_layers.active.uv.foreach_get("vector", uv)
    assert set(np.unique(uv)) == {0.0, 0.5, 1.0}, "corners of one vertex lie apart"
    images = {node.image.size[0] for node in thing.active_material.node_tree.nodes if node.type == "TEX_IMAGE"}
    assert {16, 8} <= images, "base colour and roughness"

    cameras = [other for other in bpy.context.scene.objects if other.type == "CAMERA"]
    assert len(cameras) == 4
    for camera in cameras:
        assert np.linalg.norm(camera.matrix_local.translation) == pytest.approx(3.0, abs=1e-4)
        assert tuple(camera.data.background_images[0].image.size) == (32, 32)
        assert np.degrees(camera.data.angle) == pytest.approx(50.0, abs=1e-3)


def test_the_command_knows_it(
    with_engine: Any, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
    command = import_module(f"{MODULE}.blender_addon.command").run
    with pytest.raises(SystemExit):
        command(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "settings of --engine orbit (--set NAME=VALUE): resolution " in shown
    assert "distance From the camera to the object. A number from 1 to 9 (default 2.0)" in shown
    output = tmp_path / "out"
    settings = ["--set", "distance=2", "--set", "resolution=96"]
    assert command([str(picture_file), "-o", str(output), "--engine", "orbit", *settings]) == 0
    mesh = trimesh.load(output / "apple.glb", force="mesh")
    assert mesh.visual.material.baseColorTexture.size == (16, 16)
    assert not bpy.data.cameras, "nothing stays in the file"
