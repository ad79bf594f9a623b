# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pictures as one job: from the files to the meshes in a grid, through a real backend process."""

import os
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender_addon.support import MODULE, disc, tick_until


@pytest.fixture
def folder(extension: ModuleType) -> Any:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.folder")


@pytest.fixture
def birds(scene: Any, tmp_path: Path) -> Path:
    """A folder with pictures of two owls and of a wall, and another folder in it with an owl of the same name."""
    scene.hi3dgen_draft.resolution, scene.hi3dgen.seed = 64, 7  # in all tests: the backend remembers its results
    place = tmp_path / "Vögel 鳥"
    (place / "night").mkdir(parents=True)
    for number, name in enumerate(("owl 10.png", "owl 2.png", "night/owl 2.png")):
        pixels = disc(48)
        pixels[..., number] = 100
        Image.fromarray(pixels).save(place / name)
    Image.fromarray(np.full((48, 48, 3), 128, np.uint8)).save(place / "wall.png")
    (place / "notes.txt").write_text("no picture", encoding="utf-8")
    (place / ".hidden.png").write_bytes(b"")
    return place


def submit(folder: Any, scene: Any, place: Path, pictures: list[Path]) -> Any:
    """Queue the job as the operator does."""
    placing = import_module(f"{MODULE}.blender_addon.scene.placing").Placing()
    chosen = {"settings": {"resolution": 64}, "inputs": {}, "count": 1, "placing": placing, "viewport": 0}
    return folder.submit(scene, place, pictures, "draft", 7, **chosen)


def placed(*names: str) -> list[tuple[float, ...]]:
    """Where objects stand, to the millimetre."""
    return [tuple(round(value, 3) for value in bpy.data.objects[name].location) for name in names]


def test_a_folder_becomes_a_grid_of_meshes_by_name_and_what_fails_is_named(scene: Any, birds: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    (birds / "sky.exr").write_bytes(b"")
    with pytest.raises(
        RuntimeError, match=r"3 of 4 pictures are made\. “wall\.png” failed: Nothing in the picture stands out"
    ):
        bpy.ops.hi3dgen.generate_folder(directory=str(birds), below=True)
    notice = "Left out, as such files are not read from folders: 1 .exr. Save them as PNG."
    assert import_module(f"{MODULE}.blender_addon.link.runtime").session().notice == notice
    night, second, tenth = (bpy.data.objects[name] for name in ("owl 2", "owl 2.001", "owl 10"))
    assert placed("owl 2", "owl 2.001", "owl 10") == [(1.75, 0.625, 0), (3, 0.625, 0), (1.75, -0.625, 0)]
    shown = [Path(thing.active_material.node_tree.nodes["Picture"].image.filepath) for thing in (night, second, tenth)]
    assert shown == [birds / "night" / "owl 2.png", birds / "owl 2.png", birds / "owl 10.png"]
    assert [thing["hi3dgen"]["seed"] for thing in (night, second, tenth)] == [7, 7, 7]
    assert {*bpy.context.selected_objects} == {night, second, tenth}
    assert bpy.context.object == night

    assert bpy.ops.hi3dgen.reroll() == {"FINISHED"}
    assert bpy.context.object["hi3dgen"]["inputs"]["picture"] == night["hi3dgen"]["inputs"]["picture"]
    assert bpy.context.object["hi3dgen"]["seed"] == 8
    bpy.context.view_layer.objects.active = tenth
    assert bpy.ops.hi3dgen.make_again(seed=9) == {"FINISHED"}
    assert tenth["hi3dgen"]["seed"] == 9


def test_chosen_files_are_made_by_the_panels_settings_and_again_in_place(scene: Any, birds: Path) -> None:
    files = [{"name": "owl 10.png"}, {"name": "owl 2.png"}]
    scene.hi3dgen.count = 2
    assert bpy.ops.hi3dgen.generate_folder(directory=str(birds), files=files) == {"FINISHED"}
    assert placed("owl 2", "owl 2.001", "owl 10", "owl 10.001") == [
        *((-0.625, 0.625, 0), (0.625, 0.625, 0)),
        *((-0.625, -0.625, 0), (0.625, -0.625, 0)),
    ]
    scene.hi3dgen.count, scene.hi3dgen.stands = 1, "IN_PLACE"
    assert bpy.ops.hi3dgen.generate_folder(directory=str(birds), files=files) == {"FINISHED"}
    assert placed("owl 2.002", "owl 10.002") == placed("owl 2", "owl 10.001"), "of the active one, else of the latest"


def test_it_comes_as_it_is_made_and_a_picture_that_is_deleted_meanwhile_is_named(
    scene: Any, session: Any, folder: Any, birds: Path
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    pictures = folder.pictures_of(birds, [], Counter(), below=True)
    job = submit(folder, scene, birds, pictures)
    other = generate.submit(scene, pictures[0], "draft", 8, settings={"resolution": 64})
    tick_until(session, lambda: job.name == "2 of 4: owl 2.png")
    tick_until(session, lambda: job.landed)
    assert [thing.name for thing in bpy.data.objects] == ["owl 2"]
    bpy.data.objects.remove(bpy.context.object)
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    pictures[3].unlink()
    tick_until(session, lambda: len(job.landed) == 2)
    assert bpy.context.selected_objects == [cube], "the artist has selected something else"
    cube.select_set(state=False)
    second = bpy.data.objects["owl 2"]
    second.select_set(state=True)
    tick_until(session, lambda: not job.live)
    assert other.live, "it was behind in the queue"
    assert job.error.sentence == f"3 of 4 pictures are made. “wall.png” failed: There is no file “{pictures[3]}”."
    assert {*bpy.context.selected_objects} == {second, bpy.data.objects["owl 10"]}


def test_a_report_that_blender_does_not_show_stops_no_job(
    scene: Any, session: Any, folder: Any, birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = import_module(f"{MODULE}.blender_addon.link.runtime")
    monkeypatch.setattr(runtime, "has_window", lambda: True)
    monkeypatch.setattr(folder, "whereabouts", None)  # whoever asks where the meshes are fails
    try:
        job = submit(folder, scene, birds, [birds / "owl 2.png"])
        tick_until(session, lambda: not job.live)
    finally:
        bpy.app.timers.unregister(runtime._tick)
    assert (job.state.name, len(job.landed)) == ("DONE", 1)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_of_files_may_be_no_text(birds: Path) -> None:
    place = Path(os.fsdecode(b"%s \xff" % os.fsencode(birds)))
    birds.rename(place)
    (place / "wall.png").rename(place / os.fsdecode(b"wall \xff.png"))
    (place / "owl 2.png").rename(place / os.fsdecode(b"owl \xff.png"))
    torn = place / os.fsdecode(b"torn \xff.png")
    torn.write_bytes(b"no picture")
    told = r"2 of 4 pictures are made\. “torn �\.png” failed: “torn �\.png” cannot be .* “wall �\.png” failed: Nothing"
    with pytest.raises(RuntimeError, match=told):
        bpy.ops.hi3dgen.generate_folder(directory=str(place))
    assert bpy.data.objects["owl �"].active_material.node_tree.nodes["Picture"].image.size[0] == 48


def test_what_is_chosen_is_found_or_said(folder: Any, birds: Path) -> None:
    def named(*names: str, below: bool = False) -> list[str]:
        return [path.relative_to(birds).as_posix() for path in folder.pictures_of(birds, names, Counter(), below=below)]

    assert named() == named("") == ["owl 2.png", "owl 10.png", "wall.png"]
    assert named(below=True) == ["night/owl 2.png", "owl 2.png", "owl 10.png", "wall.png"]
    assert named("wall.png", "night") == ["night/owl 2.png", "wall.png"]
    assert named("gone.png") == ["gone.png"], "it is named when its turn comes"
    (birds / "empty").mkdir()
    with pytest.raises(RuntimeError, match=r"There is no picture in “.*empty”\. Choose a folder with pictures"):
        bpy.ops.hi3dgen.generate_folder(directory=str(birds / "empty"))
    with pytest.raises(RuntimeError, match=r"No folder was chosen\."):
        bpy.ops.hi3dgen.generate_folder()
    with pytest.raises(RuntimeError, match="There is no folder"):
        bpy.ops.hi3dgen.generate_folder(directory=str(birds / "gone"))
