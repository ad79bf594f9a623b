# SPDX-License-Identifier: GPL-3.0-or-later
"""Light from all around in Blender: a world of its own, the scene's by a click, that lights what stands in it."""

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import bmesh
import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.engines.world.continuing import continued
from backend.engines.world.placing import Placed, placed
from backend.raster import radiance
from backend.wire import products as wire
from tests.backend.engines.world.scenes import lamp_at_left, outdoors, unwatched
from tests.blender_addon.results import add, result
from tests.blender_addon.support import MODULE, tick_until

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the photographs: pip install pillow")

SIDE = 64
WIDTH_28 = 65.47  # degrees across the 36 mm of film, of a lens of 28 mm


def part(name: str) -> ModuleType:
    return import_module(f"{MODULE}.blender_addon.{name}")


def product(light: NDArray[Any]) -> wire.Panorama:
    return wire.Panorama(np.frombuffer(radiance.encode(light.astype(np.float32)), np.uint8))


def photograph(path: Path, orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0xA405] = 28
    Image.fromarray(outdoors()[..., :3]).save(path, exif=exif)
    return path


def pixels_of(image: Any) -> NDArray[Any]:
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], 4)[::-1, :, :3]


def rendered(scene: Any) -> NDArray[Any]:
    """The scene in Cycles, linear light, (SIDE, SIDE, 3), the first row on top."""
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 16, False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.image_settings.file_format, scene.render.image_settings.color_depth = "OPEN_EXR", "32"
    path = Path(bpy.app.tempdir, "seen.exr")
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    found = pixels_of(image)
    bpy.data.images.remove(image)
    return found


def test_a_photograph_becomes_a_world_that_is_the_scenes_by_a_click(scene: Any, tmp_path: Path) -> None:
    former = bpy.data.worlds.new("former")
    scene.world, scene.hi3dgen_world.width = former, "1024"
    assert bpy.ops.hi3dgen.generate(filepath=str(photograph(tmp_path / "meadow.jpg")), engine="world") == {"FINISHED"}
    (world,) = part("scene.worlds").made_here()
    assert world.name == "meadow world"
    assert scene.world == former
    assert not scene.objects
    image = part("scene.worlds").image_of(world)
    assert tuple(image.size) == (1024, 512)
    assert image.is_float
    assert image.packed_file
    assert world["hi3dgen"]["settings"]["fov"] == pytest.approx(WIDTH_28, abs=0.01)
    assert "continued" in world["hi3dgen"]["notes"]

    assert bpy.ops.hi3dgen.use_world() == {"FINISHED"}
    assert scene.world == world
    assert former.use_fake_user, "it is saved, too"
    out = tmp_path / "light"
    assert bpy.ops.hi3dgen.save_world(filepath=str(out)) == {"FINISHED"}
    assert out.with_suffix(".hdr").read_bytes() == image.packed_file.data

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "meadow.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "meadow.blend"))
    assert {"meadow world", "former"} <= {*bpy.data.worlds.keys()}
    image = part("scene.worlds").image_of(bpy.data.worlds["meadow world"])
    assert pixels_of(image).max() > 0.3
    image.unpack(method="WRITE_LOCAL")
    assert not image.packed_file
    assert bpy.ops.hi3dgen.save_world(filepath=str(tmp_path / "unpacked.hdr")) == {"FINISHED"}
    assert (tmp_path / "unpacked.hdr").read_bytes() == out.with_suffix(".hdr").read_bytes()


def test_a_world_is_used_at_once_if_the_artist_has_chosen_so(scene: Any, tmp_path: Path) -> None:
    scene.hi3dgen.lights, scene.hi3dgen_world.width = True, "1024"
    bpy.ops.hi3dgen.generate(filepath=str(photograph(tmp_path / "meadow.jpg")), engine="world", fov=40.0)
    assert scene.world.name == "meadow world"
    assert scene.world["hi3dgen"]["settings"]["fov"] == 40.0, "what the artist says comes before the file"


def test_blender_reads_the_light_that_was_sent(scene: Any) -> None:
    light = np.random.default_rng(2).random((16, 32, 3), np.float32) * (1, 30, 0.01)
    _, refused = add(scene, result({"panorama": product(light)}))
    assert not refused
    (world,) = part("scene.worlds").made_here()
    found = pixels_of(part("scene.worlds").image_of(world))
    assert (np.abs(found - light) <= light.max(axis=-1, keepdims=True) / 250).all()


def test_the_picture_lies_ahead_and_its_bright_side_lights_a_ball(scene: Any) -> None:
    made = placed(lamp_at_left(), fov=70.0, pitch=0.0, width="256", report=unwatched)
    assert isinstance(made, Placed)
    add(scene, result({"panorama": product(continued(made, report=unwatched).light)}))
    bpy.ops.hi3dgen.use_world()
    mesh = bpy.data.meshes.new("ball")
    ball = bmesh.new()
    bmesh.ops.create_uvsphere(ball, u_segments=32, v_segments=16, radius=1)
    ball.to_mesh(mesh)
    ball.free()
    scene.collection.objects.link(bpy.data.objects.new("ball", mesh))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler, camera.data.angle = (0, -5, 0), (np.pi / 2, 0, 0), np.radians(60)
    scene.collection.objects.link(camera)
    scene.camera = camera
    seen = rendered(scene)[..., 1]
    background = seen[4]
    assert background[:8].mean() > 3 * background[-8:].mean(), "the picture is ahead, and not mirrored"
    middle = seen[SIDE // 2 - 6 : SIDE // 2 + 6]
    left, right = middle[:, 24:30].mean(), middle[:, 34:40].mean()
    assert left > 1.15 * right, f"the ball is lit from its left: {left:.3f}, {right:.3f}"


def test_a_lens_is_read_from_files_that_are_packed_turned_or_only_named(scene: Any, tmp_path: Path) -> None:
    lens_of = part("scene.photograph").lens_of
    path = photograph(tmp_path / "a.jpg")
    assert lens_of(path) == pytest.approx(WIDTH_28, abs=0.01)
    image = bpy.data.images.load(str(path))
    image.pack()
    assert lens_of(image) == pytest.approx(WIDTH_28, abs=0.01)
    upright = 2 * np.degrees(np.arctan(12 / 28))
    assert lens_of(photograph(tmp_path / "b.jpg", orientation=6)) == pytest.approx(upright, abs=0.01)
    assert lens_of(bpy.data.images.new("painted", 4, 4)) == 0
    assert lens_of(tmp_path / "none.jpg") == 0
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        assert lens_of(tmp_path / "pipe.jpg") == 0, "and it is not waited for"
    assert [each.name for each in bpy.data.images] == ["a.jpg", "painted"]


def test_a_folders_pictures_have_their_own_lenses(scene: Any, tmp_path: Path) -> None:
    scene.hi3dgen.engine, scene.hi3dgen_world.width = "world", "1024"
    photograph(tmp_path / "a.jpg")
    Image.fromarray(outdoors()[..., :3]).save(tmp_path / "b.png")
    assert bpy.ops.hi3dgen.generate_folder(directory=str(tmp_path)) == {"FINISHED"}
    fovs = {world.name: world["hi3dgen"]["settings"]["fov"] for world in bpy.data.worlds if "hi3dgen" in world}
    assert fovs == {"a world": pytest.approx(WIDTH_28, abs=0.01), "b world": 0}


def test_in_a_window_it_is_told_what_has_come_of_a_folder(
    scene: Any, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.hi3dgen.engine, scene.hi3dgen_world.width = "world", "1024"
    (tmp_path / "shelf").mkdir()
    photograph(tmp_path / "shelf" / "a.jpg")
    told: list[str] = []

    def tell(_window: Any, sentence: str) -> None:
        told.append(sentence)

    monkeypatch.setattr(part("folder"), "tell", tell)
    monkeypatch.setattr(part("link.runtime"), "has_window", lambda: True)
    try:
        bpy.ops.hi3dgen.generate_folder(directory=str(tmp_path / "shelf"))
        tick_until(session, lambda: not session.live)
        assert told == ["shelf: 1 picture made."]
    finally:
        bpy.app.timers.unregister(part("link.runtime")._tick)
        session.jobs[-1].saved.forget()


def test_a_world_is_turned_and_brightened_by_nodes_that_may_be_gone(scene: Any) -> None:
    add(scene, result({"panorama": product(np.ones((4, 8, 3)))}))
    (world,) = part("scene.worlds").made_here()
    turn, strength = part("scene.worlds").handles_of(world)
    assert (*turn.default_value, strength.default_value) == (0, 0, 0, 1)
    nodes = world.node_tree.nodes
    assert turn.node.outputs["Vector"].links[0].to_node.inputs["Rotation"].default_value[2] == pytest.approx(-np.pi / 2)
    nodes.remove(turn.node)
    assert part("scene.worlds").handles_of(world) == (None, strength)


def test_the_scenes_own_world_is_among_those_that_are_shown(scene: Any) -> None:
    worlds = part("scene.worlds")
    light = bpy.data.images.new("light", 4, 2)
    for number in range(6):
        world = worlds.made_world(f"world {number}", light)
        world["hi3dgen_product"], world[worlds.CAME] = "panorama", float(number)
    scene.world = bpy.data.worlds["world 0"]
    layout = MagicMock()
    layout.panel.return_value = layout, layout
    part("ui.world_box").draw(layout, bpy.context)
    buttons = [call.kwargs for call in layout.mock_calls if call[0].endswith(".operator") and "depress" in call.kwargs]
    assert [button["text"] for button in buttons] == ["world 5", "world 4", "world 3", "world 0"]
    assert [button["depress"] for button in buttons] == [False, False, False, True]


def test_what_is_gone_is_a_sentence(scene: Any, tmp_path: Path) -> None:
    assert not bpy.ops.hi3dgen.use_world.poll()
    add(scene, result({"panorama": product(np.ones((4, 8, 3)))}))
    with pytest.raises(RuntimeError, match="No world “elsewhere” was made in this file"):
        bpy.ops.hi3dgen.use_world(world="elsewhere")
    with pytest.raises(RuntimeError, match="could not be written"):
        bpy.ops.hi3dgen.save_world(filepath=str(tmp_path / "no" / "light.hdr"))
    bpy.data.images.remove(part("scene.worlds").image_of(part("scene.worlds").made_here()[0]))
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.hi3dgen.save_world(filepath=str(tmp_path / "light.hdr"))
