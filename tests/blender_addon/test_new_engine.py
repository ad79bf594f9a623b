# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that no product code knows, through the real server and the real wire into a real Blender."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import trimesh

from tests.blender_addon.scripted import write_program
from tests.blender_addon.support import CHECKOUT, MODULE, tick_until

PROGRAM = f"""
import runpy, sys
del sys.modules["backend"]  # this folder's; from here on it is the checkout's
sys.path.insert(0, {str(CHECKOUT)!r})
runpy.run_path({str(CHECKOUT / "tests" / "orbit.py")!r}, run_name="__main__")
"""


@pytest.fixture
def with_orbit(scene: Any, session: Any, engines: Any, tmp_path: Path) -> Iterator[Any]:
    """The session with a backend that has the engine, which has greeted."""
    session.close()
    session.extension = write_program(tmp_path, PROGRAM)
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    assert engines.learn()
    yield session
    session.close()


def test_views_and_a_textured_mesh_land_and_the_panel_has_the_settings(
    scene: Any, with_orbit: Any, picture_file: Path
) -> None:
    scene.hi3dgen.engine = "orbit"
    scene.hi3dgen_orbit.resolution = 96
    assert bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=2, faces=2_000) == {"FINISHED"}
    thing = bpy.context.object
    assert (thing.name, thing["hi3dgen"]["engine"], thing["hi3dgen"]["settings"]["views"]) == ("apple", "orbit", 4)
    assert len(thing.data.polygons) <= 2_000
    base = thing.active_material.node_tree.nodes["Surface"].inputs["Base Color"].links[0].from_node.image
    assert tuple(base.size) == (16, 16)
    bpy.context.view_layer.update()
    cameras = [child for child in thing.children if child.type == "CAMERA"]
    places = np.array([camera.matrix_world.translation for camera in cameras])
    assert np.allclose(places[:, :2], [(0, -2), (2, 0), (0, 2), (-2, 0)], atol=1e-5)
    assert [round(camera.data.background_images[0].image.pixels[0] * 255) for camera in cameras] == [0, 1, 2, 3]
    looking = -np.array([camera.matrix_world.col[2][:3] for camera in cameras])
    assert np.allclose(looking[:, :2], -places[:, :2] / 2, atol=1e-5), "each looks at the object"


def test_the_command_knows_it(
    with_orbit: Any, picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = import_module(f"{MODULE}.blender_addon.command").run
    with pytest.raises(SystemExit):
        command(["--help"])
    assert "orbit: resolution, thickness, profile, faces, views" in " ".join(capsys.readouterr().out.split())
    output = tmp_path / "out"
    arguments = ["--engine", "orbit", "--set", "views=2", "--set", "resolution=96", "--normal-maps"]
    assert command([str(picture_file), "-o", str(output), *arguments]) == 0
    assert sorted(path.name for path in output.iterdir()) == ["apple.glb", "apple_normals.png"]
    mesh = trimesh.load(output / "apple.glb", force="mesh")
    assert mesh.visual.material.baseColorTexture.size == (16, 16)
    assert not bpy.data.cameras
