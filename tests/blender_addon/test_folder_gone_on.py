# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder's job is paused, or its Blender ends; it is gone on with, and nothing is made twice and nothing lost."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender_addon.support import MODULE, disc, tick_until

NAMES = ["0", "1", "2", "3"]
LOCKED = """
import sys
from pathlib import Path
from backend import lock
file = Path(sys.argv[1]).open("ab")
assert lock.take(file)
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(extension: ModuleType) -> Iterator[Any]:
    """The add-on's module, with no job on the disk before and after."""
    module = import_module(f"{MODULE}.blender_addon.folder")
    for saved in saved_jobs():
        saved.forget()
    yield module
    for saved in saved_jobs():
        saved.forget()


@pytest.fixture
def shelf(scene: Any, tmp_path: Path) -> Path:
    """A folder with pictures of three discs of their own colours, and the second one of a wall."""
    scene.hi3dgen_draft.resolution, scene.hi3dgen.seed = 64, 7
    place = tmp_path / "shelf"
    place.mkdir()
    for number, name in enumerate(NAMES):
        pixels = disc(48)
        pixels[..., 2] = 60 * number
        Image.fromarray(pixels if name != "1" else np.full((48, 48, 3), 128, np.uint8)).save(place / f"{name}.png")
    return place


def saved_jobs() -> list[Any]:
    return import_module(f"{MODULE}.blender_addon.link.runtime").saved_jobs().all(anew=True)


def errors() -> Any:
    return import_module(f"{MODULE}.blender_addon.errors")


def begin(folder: Any, scene: Any, place: Path, count: int = 1) -> Any:
    """Queue the job as the operator does."""
    placing = import_module(f"{MODULE}.blender_addon.scene.placing").Placing(size=0.5)
    chosen = {"settings": {"resolution": 64}, "inputs": {}, "count": count, "placing": placing, "viewport": 0}
    return folder.submit(scene, place, folder.pictures_of(place, [], Counter(), below=False), "draft", 7, **chosen)


def paused(folder: Any, scene: Any, session: Any, place: Path) -> Any:
    """The job on the disk: it was paused with its third picture, which was being made, so that one is left."""
    series = begin(folder, scene, place)
    tick_until(session, lambda: series.at == 2 and series.turn is not None and not series.is_reading)
    assert bpy.ops.hi3dgen.pause_folder() == {"FINISHED"}
    tick_until(session, lambda: not session.live)
    assert (series.state.name, len(series.landed)) == ("DONE", 2)
    (saved,) = folder.waiting()
    return saved


def made() -> list[str]:
    return [thing.name for thing in bpy.context.scene.objects if "hi3dgen" in thing]


def requests_of(session: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the backend is asked for from now on."""
    sent: list[Any] = []
    messages = import_module(f"{MODULE}.backend.wire.messages")
    client = session._client
    send = client.send

    def counted(message: Any) -> None:
        if isinstance(message, messages.Request):
            sent.append(message)
        send(message)

    monkeypatch.setattr(client, "send", counted)
    return sent


def test_a_paused_job_goes_on_by_a_click_and_what_failed_is_tried_again(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = paused(folder, scene, session, shelf)
    assert (saved.made, [*saved.failed], folder.left(saved)) == ({0, 2}, [1], [1, 3])
    bpy.data.objects.remove(bpy.data.objects["0"])
    sent = requests_of(session, monkeypatch)
    Image.fromarray(disc(48)).save(shelf / "1.png")
    assert bpy.ops.hi3dgen.go_on_folder() == {"FINISHED"}
    assert made() == ["2", "1", "3"], "what the artist has deleted does not come again"
    assert len(sent) == 2
    places = {name: tuple(round(value, 4) for value in bpy.data.objects[name].location[:2]) for name in made()}
    assert len({*places.values()}) == 3
    assert folder.waiting() == []
    assert saved_jobs() == [], "without a window nobody would see that it is kept"


@pytest.mark.parametrize("fresh", [False, True])
def test_of_a_picture_whose_later_variation_failed_the_missing_ones_are_made(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch, *, fresh: bool
) -> None:
    messages = import_module(f"{MODULE}.backend.wire.messages")
    (shelf / "1.png").unlink()
    hear = session._hear

    def second_fails(message: Any) -> None:
        if isinstance(message, messages.Result) and message.index == 1:
            message = messages.Failure(message.job, "out-of-memory", "The memory was not enough.", "Close others.")
        hear(message)

    with monkeypatch.context() as patch:
        patch.setattr(session, "_hear", second_fails)
        series = begin(folder, scene, shelf, count=2)
        tick_until(session, lambda: series.at == 1)
    assert bpy.ops.hi3dgen.pause_folder() == {"FINISHED"}
    tick_until(session, lambda: not session.live)
    assert "0" in made(), "what there is stands in the scene"
    (saved,) = folder.waiting()
    assert (0 in saved.failed, folder.left(saved)[0]) == (True, 0)
    if fresh:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    sent = requests_of(session, monkeypatch)
    assert bpy.ops.hi3dgen.go_on_folder() == {"FINISHED"}
    assert len(made()) == 6, "each is there, and none twice"
    assert (sent[0].seed, sent[0].count) == ((7, 2) if fresh else (8, 1))


def test_in_a_fresh_file_all_comes_and_only_the_rest_is_made(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused(folder, scene, session, shelf)
    before = np.array([vertex.co for vertex in bpy.data.objects["2"].data.vertices])
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    sent = requests_of(session, monkeypatch)
    with pytest.raises(RuntimeError, match=r"3 of 4 pictures are made\. “1\.png” failed: Nothing"):
        bpy.ops.hi3dgen.go_on_folder()
    assert made() == ["0", "2", "3"]
    assert len(sent) == 2, "the wall's and the last one's"
    after = np.array([vertex.co for vertex in bpy.data.objects["2"].data.vertices])
    assert np.array_equal(before, after)
    assert np.ptp(after[:, 2]) <= 0.5 + 1e-4, "of the size that was chosen at the beginning"


def test_in_the_saved_file_only_what_it_lacks_comes(
    scene: Any, session: Any, folder: Any, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = begin(folder, scene, shelf)
    tick_until(session, lambda: series.landed)
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    tick_until(session, lambda: series.at == 3)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert series.state.name == "CANCELLED", "what was asked for in one file must not land in another"
    assert made() == ["0"]
    (saved,) = folder.waiting()
    assert (saved.made, folder.left(saved)) == ({0, 2}, [1, 2, 3])
    place = tuple(bpy.data.objects["0"].location)
    sent = requests_of(session, monkeypatch)
    with pytest.raises(RuntimeError, match=r"3 of 4 pictures are made\."):
        bpy.ops.hi3dgen.go_on_folder(job=saved.name)
    assert made() == ["0", "2", "3"]
    assert len(sent) == 2
    assert tuple(bpy.data.objects["0"].location) == place
    assert tuple(bpy.data.objects["2"].location) == pytest.approx((place[0] + 0.625, place[1], 0), abs=1e-5)


def test_a_picture_that_has_changed_is_made_again_and_so_is_what_cannot_be_read(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = paused(folder, scene, session, shelf)
    for name in ("0", "1"):
        Image.fromarray(np.roll(disc(48), 3, axis=0)).save(shelf / f"{name}.png")
    frames = saved.place / "2.frames"
    frames.write_bytes(frames.read_bytes()[:-5])
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    sent = requests_of(session, monkeypatch)
    assert bpy.ops.hi3dgen.go_on_folder() == {"FINISHED"}
    assert made() == NAMES
    assert len(sent) == 4


def test_in_a_window_it_is_kept_until_the_file_with_all_of_it_is_saved(
    scene: Any, session: Any, folder: Any, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = import_module(f"{MODULE}.blender_addon.link.runtime")
    monkeypatch.setattr(runtime, "has_window", lambda: True)
    try:
        series = begin(folder, scene, shelf)
        tick_until(session, lambda: series.at == 2)
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "half.blend"))
        assert len(saved_jobs()) == 1
        tick_until(session, lambda: not session.live)
        assert (len(saved_jobs()), folder.waiting()) == (1, []), "all of it is in the file"
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "whole.blend"))
        assert saved_jobs() == []
    finally:
        bpy.app.timers.unregister(runtime._tick)


def test_cancel_and_forget_delete_it_and_meshes_stay(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    series = begin(folder, scene, shelf)
    tick_until(session, lambda: len(series.landed) == 1)
    assert bpy.ops.hi3dgen.cancel() == {"FINISHED"}
    tick_until(session, lambda: not session.live)
    assert (made(), saved_jobs(), series.state.name) == (["0"], [], "CANCELLED")

    saved = paused(folder, scene, session, shelf)
    assert folder.left(saved) == [1, 3], "beside what the scene knows of the first job"
    assert bpy.ops.hi3dgen.forget_folder(job=saved.name) == {"FINISHED"}
    assert (made(), saved_jobs(), saved.place.exists()) == (["0", "0.001", "2"], [], False)
    with pytest.raises(RuntimeError, match="There is nothing to go on with"):
        bpy.ops.hi3dgen.go_on_folder()


def test_what_another_version_has_begun_can_only_be_forgotten(
    scene: Any, session: Any, folder: Any, shelf: Path, tmp_path: Path
) -> None:
    saved = paused(folder, scene, session, shelf)
    plan = json.loads((saved.place / "job.json").read_text())
    (saved.place / "job.json").write_text(json.dumps({**plan, "pictures": {"0": "0.png"}}))
    assert (saved_jobs(), folder.waiting()) == ([], [])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert saved.place.exists(), "nobody has asked for that"
    with pytest.raises(RuntimeError, match="There is nothing to go on with"):
        bpy.ops.hi3dgen.go_on_folder()
    assert bpy.ops.hi3dgen.forget_folder(job=saved.name) == {"FINISHED"}
    assert (made(), saved.place.exists()) == (["0", "2"], False)
    with pytest.raises(RuntimeError, match="There is nothing to go on with"):
        bpy.ops.hi3dgen.forget_folder()


def test_a_damaged_reason_costs_nothing_that_is_made(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    saved = paused(folder, scene, session, shelf)
    (reason,) = (path for path in saved.place.glob("*.json") if path.stem.isdecimal())
    reason.write_text("{")
    (again,) = saved_jobs()
    assert (again.made, again.failed) == ({0, 2}, {})


def test_the_preferences_count_what_is_kept(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    setup = import_module(f"{MODULE}.blender_addon.link.setup_timer").setup()
    box = import_module(f"{MODULE}.blender_addon.ui.storage_box")
    saved = paused(folder, scene, session, shelf)
    assert bpy.ops.hi3dgen.clear_caches() == {"FINISHED"}
    place = setup.places["folder jobs"]
    assert (Path(place["folder"]), box.label_of("folder jobs")) == (saved.place.parent, "Folder Jobs")
    assert place["bytes"] > (saved.place / "0.frames").stat().st_size > 0
    assert saved_jobs()[0].made == {0, 2}, "what is kept is no cache"
    assert bpy.ops.hi3dgen.forget_folder() == {"FINISHED"}
    assert setup.places["folder jobs"]["bytes"] == 0


def test_what_another_blender_makes_is_not_offered(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    saved = paused(folder, scene, session, shelf)
    with subprocess.Popen(
        [sys.executable, "-c", LOCKED, str(saved.place / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as another:
        assert another.stdout is not None
        assert another.stdout.readline() == b"taken\n"
        with pytest.raises(errors().AddonError, match="Another Blender makes the pictures of “shelf”"):
            folder.go_on(scene, saved, 0)
        assert saved_jobs() == []
        saved.forget()
        another.kill()
    assert len(saved_jobs()) == 1, "it was killed"


def test_a_job_that_cannot_be_kept_goes_on_and_says_so(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    series = begin(folder, scene, shelf)
    shutil.rmtree(series.saved.place)  # as a disk that was pulled out
    tick_until(session, lambda: not session.live)
    assert made() == ["0", "2", "3"]
    assert "What this job makes cannot be kept on the disk: No such file" in series.saved.trouble


def test_a_job_that_is_not_on_the_disk_is_not_paused_as_nothing_could_go_on_with_it(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = session.user_folder / "folder jobs"
    shutil.rmtree(place, ignore_errors=True)
    place.write_bytes(b"")  # as a disk that takes no folder
    try:
        begin(folder, scene, shelf)
        assert session.notice.startswith("If Blender ends, this job is lost")
        assert bpy.ops.hi3dgen.pause_folder() == {"FINISHED"}
        tick_until(session, lambda: not session.live)
    finally:
        place.unlink()
    assert made() == ["0", "2", "3"]


def test_what_goes_with_every_picture_is_kept_and_what_is_torn_says_so(
    extension: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    module = import_module(f"{MODULE}.blender_addon.link.saved_jobs")
    plan = module.Plan("shelf", ("/a.png",), ("a.png",), "draft", 7, {"solid": True, "faces": 9}, 2, {"size": 0.5})
    inputs = {"back": disc(8), "own view": disc(5)[:3]}
    store, another = module.SavedJobs(tmp_path), module.SavedJobs(tmp_path)
    made = store.new(plan, inputs)
    assert another.all() == [], "the first one makes it"
    store.close()
    (saved,) = another.all(anew=True)
    assert (saved.plan, saved.name) == (plan, made.name)
    read = saved.inputs()
    assert [*read] == [*inputs]
    assert all(np.array_equal(read[name], inputs[name]) for name in inputs)
    (saved.place / "inputs.npz").write_bytes(b"torn")
    with pytest.raises(errors().AddonError, match="The pictures that go with those of “shelf” cannot be read"):
        saved.inputs()
    (saved.place / "job.json").write_text("{}")
    for _ in range(3):
        assert another.all(anew=True) == [], "what is of no use is not offered"
    assert sum("is of no use" in record.message for record in caplog.records) == 1, "a panel looks every two seconds"


def test_how_results_come_into_a_scene_is_kept_whole(folder: Any) -> None:
    placing = import_module(f"{MODULE}.blender_addon.scene.placing")
    chosen = placing.Placing((1, 2, 3), 0.5, placing.Origin.CENTRE, placing.Stands.CURSOR, smooth=False, lights=True)
    assert folder._placing_of(folder._kept(chosen)) == chosen


@pytest.mark.parametrize("operator", ["cancel", "cancel_current"])
def test_one_that_waits_is_deleted_by_cancel_too(
    scene: Any, session: Any, folder: Any, shelf: Path, operator: str
) -> None:
    series = begin(folder, scene, shelf)
    assert len(saved_jobs()) == 1
    assert getattr(bpy.ops.hi3dgen, operator)() == {"FINISHED"}
    assert (series.state.name, saved_jobs(), folder.waiting()) == ("CANCELLED", [], [])


def test_one_whose_meshes_wait_for_the_scene_is_deleted_by_cancel_too(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "occupied_until", lambda: "the render is done")
    series = begin(folder, scene, shelf)
    tick_until(session, lambda: series.state.name == "LANDING")
    assert series.live
    assert bpy.ops.hi3dgen.cancel() == {"FINISHED"}
    assert (series.state.name, saved_jobs(), made()) == ("CANCELLED", [], [])


def test_while_the_folder_is_away_the_job_is_kept(
    scene: Any, session: Any, folder: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = paused(folder, scene, session, shelf)
    away = shelf.rename(shelf.with_name("away"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with pytest.raises(
        RuntimeError, match=rf"The folder “{shelf}” with the pictures of “shelf” is not there\. Connect"
    ):
        bpy.ops.hi3dgen.go_on_folder()
    assert (saved_jobs()[0].made, [*saved_jobs()[0].failed]) == ({0, 2}, [1])

    away.rename(shelf)
    (shelf / "0.png").unlink()
    with pytest.raises(RuntimeError, match=r"“0\.png”.* failed: There is no file"):
        bpy.ops.hi3dgen.go_on_folder()
    (saved,) = folder.waiting()
    assert (saved.made, made()) == ({0, 2, 3}, ["2", "3"]), "what is made of the first one may come yet"


def test_a_folder_that_goes_away_meanwhile_halts_the_job(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    series = begin(folder, scene, shelf)
    tick_until(session, lambda: series.at == 1)
    shelf.rename(shelf.with_name("away"))
    tick_until(session, lambda: not series.live)
    assert series.state.name == "FAILED"
    assert session.error.sentence == f"The folder “{shelf}” with the pictures of “shelf” is not there."
    (saved,) = folder.waiting()
    assert (saved.made, [*saved.failed], folder.left(saved)) == ({0}, [1], [1, 2, 3])


def test_while_the_engine_is_away_the_job_is_kept(
    scene: Any, session: Any, folder: Any, shelf: Path, engines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = paused(folder, scene, session, shelf)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    messages = import_module(f"{MODULE}.backend.wire.messages")
    known = engines.known()
    with monkeypatch.context() as patch:
        patch.setattr(engines, "_known", messages.Capabilities("", known[1:]))
        with pytest.raises(
            RuntimeError, match=r"The engine “draft”, which makes the pictures of “shelf”, is not there"
        ):
            bpy.ops.hi3dgen.go_on_folder()
    plan = json.loads((saved.place / "job.json").read_text())
    (saved.place / "job.json").write_text(json.dumps({**plan, "engine": "gone"}))
    with monkeypatch.context() as patch:
        gone = replace(known[0], name="gone")  # since Blender has learnt what there is
        patch.setattr(engines, "_known", messages.Capabilities("", (*known, gone)))
        with pytest.raises(RuntimeError, match="There is no engine “gone”"):
            bpy.ops.hi3dgen.go_on_folder()
    (saved,) = folder.waiting()
    assert (saved.made, [*saved.failed]) == ({0, 2}, [1])


def test_a_backend_that_cannot_be_reached_halts_the_job(scene: Any, session: Any, folder: Any, shelf: Path) -> None:
    preferences = bpy.context.preferences
    chosen = preferences.addons[MODULE].preferences
    saved = paused(folder, scene, session, shelf)
    chosen.computer, chosen.ssh_name = "SSH", "anna@workstation"
    preferences.system.use_online_access = False
    with pytest.raises(RuntimeError, match="Blender is not allowed to go online"):
        bpy.ops.hi3dgen.go_on_folder()
    (saved,) = folder.waiting()
    assert saved.made == {0, 2}
