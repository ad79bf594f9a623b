# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine set up from inside Blender: by the operators, from a tiny package index, and what the backend then is."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import bpy
import numpy as np
import psutil
import pytest

from backend.folders import IN_USE
from backend.safe_files import MAX_LOG
from backend.weights.catalogue import GUIDED
from tests.backend.install.tiny_index import TinyIndex, pinned, serve
from tests.blender_addon.scripted import write_program
from tests.blender_addon.support import MODULE, tick_until


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyIndex]:
    """One whose numpy is this Python's, without the packages beside it: the backend runs with it."""
    alone = tmp_path_factory.mktemp("numpy")
    for folder in Path(np.__file__).parents[1].glob("numpy*"):  # its libraries may lie beside it
        (alone / folder.name).symlink_to(folder, target_is_directory=True)
    with serve() as index:
        index.put("simple", "numpy", pinned("numpy"), {"numpy-of-the-tests.pth": str(alone)})
        yield index


@pytest.fixture
def online(index: TinyIndex, session: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Blender that may go online, where there is but the tiny index; the data folder, emptied after."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in index.environment.items():
        monkeypatch.setenv(name, value)
    bpy.context.preferences.system.use_online_access = True
    yield Path(os.environ["HI3DGEN_USER_FOLDER"])
    bpy.context.preferences.system.use_online_access = False
    session.close()
    shutil.rmtree(os.environ["HI3DGEN_USER_FOLDER"], ignore_errors=True)


@pytest.fixture
def setup(online: Path) -> Any:
    return import_module(f"{MODULE}.blender_addon.link.setup_timer").setup()


def test_nothing_goes_out_before_blender_and_the_artist_allow_it(session: Any, index: TinyIndex) -> None:
    index.asked.clear()
    bpy.context.preferences.system.use_online_access = False
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.hi3dgen.install(agree=True)
    bpy.context.preferences.system.use_online_access = True
    with pytest.raises(RuntimeError, match="agreed to"):
        bpy.ops.hi3dgen.install()
    with pytest.raises(RuntimeError, match="agreed to"):
        bpy.ops.hi3dgen.download_weights()
    bpy.context.preferences.system.use_online_access = False
    assert index.asked == []


@pytest.mark.slow
def test_one_click_installs_the_engine_and_the_backend_runs_in_it(online: Path, session: Any, setup: Any) -> None:
    tick_until(session, lambda: session.phase.name != "STARTING")
    with pytest.raises(RuntimeError, match="Press Install first"):
        bpy.ops.hi3dgen.download_weights(agree=True)
    assert bpy.ops.hi3dgen.install(agree=True, torch="cpu") == {"FINISHED"}
    python = online / json.loads((online / IN_USE).read_text("utf-8"))["python"]
    tick_until(session, lambda: session.phase.name != "STARTING")
    child = psutil.Process(session.pid)
    assert Path(child.cmdline()[0]) == python
    assert child.environ()["HI3DGEN_USER_FOLDER"] == str(online)

    assert bpy.ops.hi3dgen.unload() == {"FINISHED"}
    assert session.notice == "The backend has given its memory back."
    tick_until(session, lambda: session.phase.name == "READY")
    assert session.pid != child.pid, "what PyTorch holds ends with its process"

    setup.ask("cpu")
    while setup.live:
        setup.tick()
    assert setup.plan["up_to_date"] is True
    assert setup.plan["installed"]["device"] == "CPU"
    assert {package["state"] for package in setup.weights["packages"]} == {"absent"}
    assert setup.plan_error is None
    setup.ask("cpu", "/no/such/python")
    while setup.live:
        setup.tick()
    assert "/no/such/python" in setup.plan_error.sentence

    assert bpy.ops.hi3dgen.remove_engine() == {"FINISHED"}
    assert not python.exists()
    tick_until(session, lambda: session.phase.name == "READY")
    assert Path(psutil.Process(session.pid).cmdline()[0]) == Path(sys.executable)
    assert session.trouble == ""


@pytest.mark.slow
def test_a_failure_is_told_by_its_sentence(setup: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(RuntimeError, match="could not be reached"):
        bpy.ops.hi3dgen.install(agree=True, torch="cpu")


def test_it_can_be_cancelled(online: Path, index: TinyIndex, setup: Any) -> None:
    index.held.clear()
    index.asked.clear()
    try:
        setup.install("cpu")
        while not index.wheels_asked():
            setup.tick()
            assert setup.busy, setup.work.error
        assert bpy.ops.hi3dgen.cancel_setup() == {"FINISHED"}
        setup.wait()
    finally:
        index.held.set()
    assert setup.work.error.sentence == "It was cancelled."
    assert not setup.renewed
    if sys.platform != "win32":
        assert list((online / "environments").iterdir()) == []


def broken(folder: Path, damage: str) -> None:
    """An environment that looks whole but for its `damage`."""
    python = folder / "environments" / "x" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    (folder / IN_USE).write_text('{"python": "environments/x/bin/python"}')
    (python.parents[1] / "hi3dgen-environment.json").write_text("{}")
    python.unlink(missing_ok=True)
    if damage == "no stamp":
        (python.parents[1] / "hi3dgen-environment.json").unlink()
    if damage == "pointer":
        (folder / IN_USE).write_text('{"python')
    if damage == "gone":
        python.symlink_to("/no/such/python")
    else:
        python.write_text("#!/bin/sh\nexit 3\n")
        python.chmod(0o755)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [("no stamp", "not whole"), ("pointer", "cannot be read"), ("gone", "is gone"), ("crash", "does not start")],
)
def test_a_broken_environment_costs_the_engine_and_not_the_backend(
    damage: str, reason: str, online: Path, session: Any
) -> None:
    if sys.platform == "win32":
        pytest.skip("the broken Python is a shell script")
    session.close()
    broken(online, damage)
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    assert Path(psutil.Process(session.pid).cmdline()[0]) == Path(sys.executable)
    assert reason in session.trouble
    assert "install it again" in session.trouble
    assert session.deaths == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_a_child_that_dies_is_told_with_its_log(online: Path, index: TinyIndex, setup: Any) -> None:
    index.held.clear()
    index.asked.clear()
    setup.install("cpu")
    while not index.wheels_asked():
        setup.tick()
        assert setup.busy, setup.work.error
    pip = psutil.Process(setup.work._process.pid).children()
    os.kill(setup.work._process.pid, signal.SIGKILL)
    setup.wait()
    index.held.set()
    for process in pip:
        process.kill()
    assert setup.work.error.sentence == "It ended unexpectedly."
    assert "setup.log" in setup.work.error.advice


def new_setup(extension: Path, user_folder: Path) -> Any:
    return import_module(f"{MODULE}.blender_addon.link.setup").Setup(extension, user_folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_further_weights_are_downloaded_by_their_name(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    broken(tmp_path, "gone")
    python = tmp_path / "environments" / "x" / "bin" / "python"
    python.unlink()
    python.symlink_to(sys.executable)
    setup = new_setup(
        write_program(tmp_path, """import json, sys; print(json.dumps({"got": sys.argv[1:]}))"""), tmp_path
    )
    for package in ("", GUIDED.name):
        setup.download(package)
        setup.wait()
        assert setup.work.error is None
        assert setup.work.answer["got"] == ["weights", "download", *([package] if package else []), "--json", "--agree"]
        assert setup.renewed
    with pytest.raises(error_type(), match=r"There are no weights “none”\. Choose one of: .*stable-diffusion-2-depth"):
        setup.download("none")


def test_further_weights_are_offered_with_their_size_and_licence(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = import_module(f"{MODULE}.blender_addon.ui.engine_box")
    setup = new_setup(tmp_path, tmp_path)
    package = {"name": GUIDED.name, "purpose": GUIDED.purpose, "licence": GUIDED.licence, "optional": True}
    package |= {"licence_url": GUIDED.licence_url, "bytes": GUIDED.bytes, "state": "absent", "trouble": ""}
    setup.plan = {"installed": {"torch": "2", "device": "CPU"}, "up_to_date": True, "has_files": True}
    setup.asked = True
    monkeypatch.setattr(box.setup_timer, "_setup", setup)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.further = True
    shown: dict[str, str] = {}
    for state in ("absent", "present"):
        setup.weights = {"packages": [], "more": [{**package, "state": state}]}
        layout = MagicMock()
        box.draw(layout, preferences, 10_000.0)
        shown[state] = " ".join(call.kwargs["text"] for call in layout.mock_calls if "text" in call.kwargs)
    assert "Draws the sides that the picture does not show" in shown["absent"]
    assert f"{GUIDED.name}: 2.58 GB, OpenRAIL++, optional" in shown["absent"]
    assert f"Download {GUIDED.name}" in shown["absent"]
    assert GUIDED.name not in shown["present"]


def error_type() -> type[Exception]:
    return import_module(f"{MODULE}.blender_addon.errors").AddonError


def tick_to_the_end(setup: Any) -> None:
    while setup.live:
        setup.tick()
        time.sleep(0.005)


def test_a_question_that_cannot_be_put_is_answered_with_a_sentence(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = new_setup(write_program(tmp_path, "import time; time.sleep(60)"), tmp_path)
    setup.ask("cpu")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    setup.ask("cpu")
    for error, command in ((setup.plan_error, "install"), (setup.weights_error, "weights")):
        assert f"“{command}” could not be started" in error.sentence
    assert not setup.live, "the questions of before are forgotten"
    with pytest.raises(error_type(), match="“install” could not be started"):
        setup.install("cpu")
    assert not setup.busy


def test_a_child_that_windows_does_not_tie_to_blender_is_ended(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def refuses(pid: int) -> object:
        started.append(pid)
        raise OSError("Access is denied")

    monkeypatch.setattr(import_module(f"{MODULE}.blender_addon.link.child"), "tie", refuses)
    setup = new_setup(write_program(tmp_path, "import time; time.sleep(60)"), tmp_path)
    setup.ask("cpu")
    assert "Access is denied" in setup.plan_error.sentence
    assert len(started) == 4, "one for each question"
    assert not any(psutil.pid_exists(pid) for pid in started)


def test_a_question_without_an_answer_is_an_error(scene: Any, tmp_path: Path) -> None:
    setup = new_setup(write_program(tmp_path, "print('a stray line')"), tmp_path)
    setup.ask("cpu")
    tick_to_the_end(setup)
    for error in (setup.plan_error, setup.weights_error, setup.places_error):
        assert error.sentence == "It ended unexpectedly."


def test_places_are_counted_although_a_log_was_just_deleted(scene: Any, tmp_path: Path) -> None:
    setup = new_setup(write_program(tmp_path, """print('{"places": []}')"""), tmp_path)
    (tmp_path / "backend-1.log").write_text("12345")
    (tmp_path / "backend-2.log").symlink_to(tmp_path / "deleted")
    setup.ask("cpu")
    tick_to_the_end(setup)
    assert setup.places_error is None
    assert setup.places["logs"]["bytes"] == 5 + (tmp_path / "setup.log").stat().st_size


def test_the_log_of_the_setup_is_bounded(scene: Any, tmp_path: Path) -> None:
    program = f"import sys; sys.stderr.write('x' * {MAX_LOG})"
    setup = new_setup(write_program(tmp_path, program), tmp_path)
    for _ in range(6):
        setup.install("cpu")
        setup.wait()
    logs = sorted(tmp_path.glob("*.log"))
    assert [log.name for log in logs] == ["setup-older.log", "setup.log"]
    assert sum(log.stat().st_size for log in logs) <= 4 * MAX_LOG


def test_progress_is_shown_in_bytes_and_speed(scene: Any) -> None:
    box = import_module(f"{MODULE}.blender_addon.ui.engine_box")
    step = import_module(f"{MODULE}.blender_addon.link.setup").Step
    torch = step("Downloading torch", 120_500_000, 526_602_329, 11_200_000.0, "bytes")
    assert box.progress_text(torch) == "Downloading torch: 120.5 MB of 526.6 MB, 11.2 MB/s"
    assert box.progress_text(step("Unpacking packages", 12, 47)) == "Unpacking packages: 12 of 47"
    assert box.progress_text(step("Testing", 0, 1)) == "Testing"
