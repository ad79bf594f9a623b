# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend process as the add-on keeps it: how it starts, how it ends, and what a death costs."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import psutil
import pytest

from tests.blender_addon.support import CHECKOUT, MODULE, disc, image_of, tick_until


def submit(scene: Any, name: str = "plum", *, resolution: int = 1024) -> Any:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    image = bpy.data.images.get(name) or image_of(disc(), name)
    seed = len(bpy.data.objects)
    return generate.submit(scene, image, "draft", seed, settings={"resolution": resolution})


def kill_backend(session: Any) -> None:
    psutil.Process(session.pid).kill()


def test_it_runs_blenders_python_and_keeps_the_secret(scene: Any, session: Any) -> None:
    job = submit(scene, resolution=64)
    tick_until(session, lambda: not job.live)
    child = psutil.Process(session.pid)
    assert child.cmdline()[1:] == ["-s", "-m", "backend", "serve"]
    assert Path(child.cwd()) != CHECKOUT
    environment = child.environ()
    assert not any(len(value) >= 64 and value.isalnum() for value in environment.values())
    connections = child.net_connections()
    assert {connection.laddr.ip for connection in connections} == {"127.0.0.1"}


def test_death_in_a_job_fails_that_job_alone(scene: Any, session: Any) -> None:
    session.deaths = 0
    first, second = submit(scene), submit(scene, resolution=64)
    tick_until(session, lambda: first.progress is not None)
    objects = len(bpy.data.objects)
    kill_backend(session)
    tick_until(session, lambda: not first.live)
    assert "ended in the middle" in first.error.sentence
    assert "log" in first.error.advice
    tick_until(session, lambda: not second.live)
    assert second.error is None, "a fresh backend took the job that waited"
    assert len(bpy.data.objects) == objects + 1
    assert session.deaths == 0, "a result proves that it works"


def test_three_deaths_in_a_row_open_the_breaker(scene: Any, session: Any) -> None:
    from_errors = import_module(f"{MODULE}.blender_addon.errors")
    session.deaths = 0
    for _ in range(3):
        job = submit(scene)
        tick_until(session, lambda job=job: job.progress is not None)
        kill_backend(session)
        tick_until(session, lambda job=job: not job.live)
    assert session.phase.name == "BROKEN"
    with pytest.raises(from_errors.AddonError, match="3 times in a row"):
        submit(scene)
    assert bpy.ops.hi3dgen.try_again() == {"FINISHED"}
    job = submit(scene, resolution=64)
    tick_until(session, lambda: not job.live)
    assert job.error is None


def test_cancel_ends_a_job_and_the_next_one_runs(scene: Any, session: Any) -> None:
    job = submit(scene)
    tick_until(session, lambda: job.progress is not None)
    objects = len(bpy.data.objects)
    bpy.ops.hi3dgen.cancel()
    assert not job.live
    assert session.error is None
    other = submit(scene, resolution=64)
    tick_until(session, lambda: not other.live)
    assert other.error is None
    assert len(bpy.data.objects) == objects + 1


def submit_many(scene: Any, count: int) -> Any:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    image = image_of(disc(), "grapes")
    return generate.submit(scene, image, "draft", 1, settings={"resolution": 512}, count=count)


def test_stopping_keeps_the_meshes_that_are_made(scene: Any, session: Any) -> None:
    job = submit_many(scene, 16)
    tick_until(session, lambda: len(job.results) == 2)
    assert not bpy.data.objects, "they come together, in one undo step"
    bpy.ops.hi3dgen.cancel()
    tick_until(session, lambda: not job.live)
    assert job.state.name == "DONE"
    assert [thing["hi3dgen"]["seed"] for thing in bpy.data.objects] == [1, 2]
    assert session.error is None


def test_a_death_in_between_keeps_the_meshes_that_are_made(scene: Any, session: Any) -> None:
    job = submit_many(scene, 16)
    tick_until(session, lambda: len(job.results) == 2)
    kill_backend(session)
    tick_until(session, lambda: not job.live)
    assert job.state.name == "FAILED"
    assert "ended in the middle" in session.error.sentence
    assert len(bpy.data.objects) >= 2


def test_another_file_does_not_receive_the_meshes_that_are_made(scene: Any, session: Any) -> None:
    job = submit_many(scene, 16)
    tick_until(session, lambda: len(job.results) == 1)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    assert not job.live
    session.tick()
    assert not bpy.data.objects


def test_another_file_does_not_receive_this_files_mesh(scene: Any, session: Any) -> None:
    job = submit(scene)
    tick_until(session, lambda: job.progress is not None)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    assert not job.live


def test_an_idle_backend_ends_and_the_next_job_starts_another(scene: Any, session: Any) -> None:
    session.close()
    session.options, usual = (lambda: replace(usual(), idle_seconds=1.0)), session.options
    try:
        job = submit(scene, resolution=64)
        tick_until(session, lambda: not job.live)
        child = psutil.Process(session.pid)
        tick_until(session, lambda: session.phase.name == "STOPPED")
        assert psutil.wait_procs([child], timeout=20)[0]
        assert session.error is None
    finally:
        session.options = usual
    job = submit(scene, resolution=64)
    tick_until(session, lambda: not job.live)
    assert job.error is None


def test_a_folder_that_cannot_be_written_costs_the_log_alone(scene: Any, tmp_path: Path) -> None:
    extension = import_module(f"{MODULE}.blender_addon.extension")
    occupied = tmp_path / "hi3dgen"
    occupied.write_text("a file where the folder should be")

    def nowhere(_package: str) -> str:
        return ""

    def in_the_way(_package: str) -> str:
        return str(occupied)

    for answer in (nowhere, in_the_way):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bpy.utils, "extension_path_user", answer)
            assert extension.user_folder() == Path(bpy.app.tempdir)


def test_an_answer_that_is_no_backends_is_a_failure_and_not_a_wait(scene: Any, tmp_path: Path) -> None:
    process = import_module(f"{MODULE}.blender_addon.link.process")
    impostor = tmp_path / "backend"
    impostor.mkdir()
    for answer in ("[]", "{}", "hello", '{"port": "x"}'):
        (impostor / "__main__.py").write_text(f"print('{answer}', flush=True); input()")
        started = process.BackendProcess(tmp_path, tmp_path / "user", process.Options())
        (tmp_path / "user").mkdir(exist_ok=True)
        assert isinstance(started.events.get(timeout=20), process.NotStarted)
        started.end()


def test_the_log_tells_what_happened(scene: Any, session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    job = submit(scene, resolution=64)
    tick_until(session, lambda: not job.live)
    bpy.ops.hi3dgen.show_log()
    assert "listens on port" in capsys.readouterr().out


KILLED_BLENDER = """
import os, sys, time
os.environ["BLENDER_USER_RESOURCES"] = sys.argv[1]
import bpy, addon_utils
addon_utils.enable("{module}", default_set=True)
from bl_ext.user_default.hi3dgen.blender_addon.link import runtime
session = runtime.session()
session.start()
while session.phase.name != "READY":
    session.tick()
    time.sleep(0.01)
print(session.pid, flush=True)
time.sleep(60)
"""


def test_it_ends_when_blender_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "extensions" / "user_default"
    folder.mkdir(parents=True)
    (folder / "hi3dgen").symlink_to(CHECKOUT, target_is_directory=True)
    script = KILLED_BLENDER.format(module=MODULE)
    blender = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert blender.stdout is not None
    line = next(line for line in blender.stdout if line.strip().isdigit())
    backend = psutil.Process(int(line))
    blender.kill()
    blender.wait()
    assert psutil.wait_procs([backend], timeout=10)[0], "the backend outlived Blender"
