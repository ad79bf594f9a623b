# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of the artist's own is an engine in the panel, and its mesh lands with the image that it brings."""

import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.backend.engines.external.describing import describe
from tests.blender_addon.support import MODULE, disc, image_of, tick_until


@pytest.fixture
def described(session: Any) -> Iterator[Path]:
    """The user's folder with an engine “box” and one whose file is wrong, which the backend knows."""
    user = Path(os.environ["HI3DGEN_USER_FOLDER"])
    user.mkdir(exist_ok=True)
    describe(user)
    describe(user, "wrong", label=None)
    restart(session)
    yield user
    shutil.rmtree(user / "external")
    restart(session)
    assert session.engine("box") is None


def restart(session: Any) -> None:
    """Let the backend start anew, and learn what it says."""
    session.close()
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    import_module(f"{MODULE}.blender_addon.link.engines").learn()


@pytest.mark.slow
def test_it_is_an_engine_of_the_panel_and_its_mesh_lands_with_its_own_image(described: Path) -> None:
    scene = bpy.context.scene
    scene.hi3dgen.picture = image_of(disc(), "apple")
    scene.hi3dgen.engine = "box"
    assert_its_settings_are_the_panels(scene)
    scene.hi3dgen_box.height = 2.0
    scene.hi3dgen_box.resolution = 64
    assert bpy.ops.hi3dgen.generate(seed=9) == {"FINISHED"}
    thing = bpy.context.object
    assert tuple(thing.dimensions) == pytest.approx((0.5, 0.5, 1.0), abs=1e-5)
    assert [layer.name for layer in thing.data.uv_layers] == ["All Round", "UVMap"]
    images = {node.image for node in thing.active_material.node_tree.nodes if node.type == "TEX_IMAGE"} - {None}
    (own,) = (image for image in images if tuple(image.size) == (8, 8))
    pixels = np.empty(8 * 8 * 4, np.float32)
    own.pixels.foreach_get(pixels)
    assert np.rint(pixels.reshape(8, 8, 4)[0, 7] * 255).tolist() == [20, 60, 9, 255]
    recipe = thing["hi3dgen"]
    assert (recipe["engine"], recipe["settings"]["height"], recipe["settings"]["title"]) == ("box", 2.0, "")
    with pytest.raises(RuntimeError, match=r"“wrong\.json” describes no engine: label is missing.*restart the backend"):
        bpy.ops.hi3dgen.generate(image="apple", engine="wrong")


def assert_its_settings_are_the_panels(scene: Any) -> None:
    shown = scene.hi3dgen_box.bl_rna.properties
    assert (shown["height"].name, shown["height"].hard_max) == ("Height", 4.0)
    assert (shown["title"].type, shown["title"].length_max) == ("STRING", 21), "with a zero byte behind"
    assert {"own_colours", "faces", "colours"} <= {*shown.keys()}
    engines = import_module(f"{MODULE}.blender_addon.link.engines")
    assert engines.find("box", engines.known()).terms == "Not for use on the moon. Licence: GPL-3.0-or-later."


def test_a_file_that_comes_or_goes_makes_what_was_known_stale(engines: Any, tmp_path: Path) -> None:
    user = Path(os.environ["HI3DGEN_USER_FOLDER"])
    user.mkdir(exist_ok=True)
    messages = import_module(f"{MODULE}.backend.wire.messages")
    known = messages.Capabilities("", engines.known())
    engines.write(tmp_path, tmp_path, known)
    assert engines.read(tmp_path, tmp_path) == known
    describe(user, "another")
    assert engines.read(tmp_path, tmp_path) is None
    shutil.rmtree(user / "external")
