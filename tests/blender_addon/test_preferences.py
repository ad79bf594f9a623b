# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences: what they say reaches the backend, and what is removed, cleared or copied is what they say."""

import json
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import bpy
import psutil
import pytest

from backend.version import VERSION
from tests.blender_addon.scripted import write_program
from tests.blender_addon.support import MODULE, tick_until

PACKAGE = "trellis-normal-v0-1"
DEFAULTS = {"idle_minutes": 15, "cache_megabytes": 512, "log_level": "info", "device": "", "upscaler": ""}


@pytest.fixture
def preferences(session: Any) -> Iterator[Any]:
    """The extension's preferences, as they were before afterwards."""
    found = bpy.context.preferences.addons[MODULE].preferences
    assert {name: getattr(found, name) for name in DEFAULTS} == DEFAULTS
    yield found
    for name, value in DEFAULTS.items():
        setattr(found, name, value)


@pytest.fixture
def setup(session: Any) -> Iterator[Any]:
    """The setup, which knows nothing yet."""
    timer = import_module(f"{MODULE}.blender_addon.link.setup_timer")
    timer.unregister()
    yield timer.setup()
    timer.unregister()


def ready(session: Any) -> psutil.Process:
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    return psutil.Process(session.pid)


def write(path: Path, count: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)
    return path


def test_what_is_chosen_reaches_the_backend_which_starts_anew(session: Any, preferences: Any) -> None:
    runtime = import_module(f"{MODULE}.blender_addon.link.runtime")
    process = import_module(f"{MODULE}.blender_addon.link.process")
    assert runtime.options() == process.Options(idle_seconds=900.0, cache_bytes=512_000_000, online=False)
    before = ready(session)
    preferences.device = " cuda:1 "
    assert session.phase.name == "STOPPED", "the next job starts one that knows it"
    preferences.idle_minutes, preferences.cache_megabytes, preferences.log_level = 0, 64, "debug"
    preferences.upscaler = "/of mine/x4.pth"
    after = ready(session)
    assert after.pid != before.pid
    assert after.environ()["HI3DGEN_DEVICE"] == "cuda:1"
    assert after.environ()["HI3DGEN_UPSCALER"] == "/of mine/x4.pth"
    own = process.Options(0.0, 64_000_000, "debug", "cuda:1", "/of mine/x4.pth", online=False)
    assert session._process.options == own
    assert any("DEBUG" in line for line in process.log_tail(session.user_folder, 50))


def test_a_backend_that_was_not_told_of_a_device_takes_the_environments(
    session: Any, setup: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.doctor = {"lines": ["It was asked before."]}
    session.close()
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    assert ready(session).environ()["HI3DGEN_DEVICE"] == "cpu"
    operators = import_module(f"{MODULE}.blender_addon.ui.setup_operators")
    assert operators.device_label("") == "cpu, by HI3DGEN_DEVICE"
    assert bpy.ops.hi3dgen.copy_report() == {"FINISHED"}
    text = capsys.readouterr().out
    assert "device cpu, ends after" in text
    assert "asked before" not in text
    assert f"Hi3DGen {VERSION}" in text
    session.close()


def test_the_backend_says_how_much_it_remembers(scene: Any, session: Any, picture_file: Path) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    job = generate.submit(scene, picture_file, "draft", 31, settings={"resolution": 96})
    tick_until(session, lambda: not job.live)
    session.ask_status()
    assert session.live
    tick_until(session, lambda: not session.live)
    assert session.cached_bytes > 0
    assert bpy.ops.hi3dgen.clear_caches() == {"FINISHED"}
    tick_until(session, lambda: not session.live)
    assert session.cached_bytes == 0


def test_clearing_counts_again_and_asks_nothing_else(session: Any, setup: Any) -> None:
    data = Path(os.environ["HI3DGEN_USER_FOLDER"])
    left = write(data / "hi3dgen-downloads" / "torch.whl", 3_000_000)
    setup.asked = True
    bpy.ops.hi3dgen.clear_caches()
    assert not left.exists()
    assert not (session.user_folder / "hi3dgen-bytecode").exists()
    assert setup.places["downloads"] == {**setup.places["downloads"], "folder": str(left.parent), "bytes": 0}
    assert setup.places["logs"]["bytes"] > 0
    assert setup.asked


def test_the_engine_is_removed_with_its_weights_or_without(session: Any, setup: Any) -> None:
    data = Path(os.environ["HI3DGEN_USER_FOLDER"])
    weights = write(data / "weights" / PACKAGE / "pipeline.json", 700)
    library = write(data / "environments" / "cpu-1a2b3c4d" / "torch.so", 5000)
    assert bpy.ops.hi3dgen.clear_caches() == {"FINISHED"}, "and then it is known where things are"
    assert {name: place["bytes"] for name, place in setup.places.items() if name in ("environment", "weights")} == {
        "environment": 5000,
        "weights": 700,
    }
    removed_places = import_module(f"{MODULE}.blender_addon.ui.setup_operators").removed_places
    assert removed_places(setup.places, weights=False) == [f"Environment: {data / 'environments'}"]
    assert removed_places(setup.places, weights=True)[1:] == [f"Weights: {data / 'weights'}"]
    assert bpy.ops.hi3dgen.remove_engine() == {"FINISHED"}
    assert not library.exists()
    assert weights.exists()
    assert bpy.ops.hi3dgen.remove_engine(weights=True) == {"FINISHED"}
    assert not weights.exists()


def test_nothing_is_removed_while_a_mesh_is_made_or_something_is_installed(
    scene: Any, session: Any, setup: Any, picture_file: Path, tmp_path: Path
) -> None:
    library = write(Path(os.environ["HI3DGEN_USER_FOLDER"]) / "environments" / "cpu-1a2b3c4d" / "torch.so", 5000)
    generate = import_module(f"{MODULE}.blender_addon.generate")
    job = generate.submit(scene, picture_file, "draft", 12, settings={"resolution": 1024})
    tick_until(session, lambda: job.state.name == "RUNNING")
    with pytest.raises(RuntimeError, match="A mesh is being made"):
        bpy.ops.hi3dgen.remove_engine()
    session.cancel(job)
    tick_until(session, lambda: not job.live)
    usual, setup.extension = setup.extension, write_program(tmp_path, "import time; time.sleep(60)")
    setup.install("cpu")
    pid = session.pid
    for remove in (bpy.ops.hi3dgen.remove_engine, bpy.ops.hi3dgen.clear_caches):
        with pytest.raises(RuntimeError, match="Something is going on already"):
            remove()
    setup.cancel()
    setup.wait()
    setup.extension = usual
    assert library.exists()
    assert session.pid == pid, "the backend goes on"
    assert bpy.ops.hi3dgen.remove_engine() == {"FINISHED"}


def drawn(module: str) -> str:
    """The labels that a box of the preferences draws into a layout, in one text."""
    layout = MagicMock()
    import_module(f"{MODULE}.blender_addon.ui.{module}").draw(layout, 10_000.0)
    return " ".join(call.kwargs["text"] for call in layout.mock_calls if call[0].endswith(".label"))


def test_sizes_that_cannot_be_counted_are_not_waited_for(session: Any, setup: Any) -> None:
    errors = import_module(f"{MODULE}.blender_addon.errors")
    assert "Counting …" in drawn("storage_box")
    setup._take("places", {}, errors.AddonError("The system knows no home folder of this user.", "Set it."))
    text = drawn("storage_box")
    assert "no home folder of this user. Set it." in text
    assert "Counting" not in text


def test_what_blender_would_delete_is_told_with_its_reason(
    session: Any, setup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = import_module(f"{MODULE}.blender_addon.link.runtime")
    assert "stay when the extension is uninstalled" in drawn("storage_box")
    setup.user_folder = tmp_path
    write(tmp_path / "weights" / PACKAGE / "pipeline.json", 700)
    assert f"own folder, “{tmp_path}”" in drawn("storage_box")
    assert "Restart it, and they are moved." in drawn("storage_box")
    monkeypatch.setattr(runtime, "_not_moved", "Another Blender was busy.")
    assert drawn("storage_box").endswith("Another Blender was busy.")
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path / "mine"))
    assert f"“{tmp_path / 'mine'}” leads there." in drawn("storage_box")


def test_the_report_says_what_is_needed_and_nothing_of_the_artist(
    session: Any, setup: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = import_module(f"{MODULE}.blender_addon.errors")
    process = import_module(f"{MODULE}.blender_addon.link.process")
    monkeypatch.setenv("USER", "quentin")
    ready(session)
    session.error = errors.AddonError(
        "“/home/quentin/secret owl.png” cannot be read.", "Ask quentin.", code="unreadable"
    )
    process.note(session.user_folder, "[Errno 2] No such file: '/home/quentin/secret owl.png'")
    assert bpy.ops.hi3dgen.copy_report() == {"FINISHED"}
    text = capsys.readouterr().out
    for wanted in (
        f"Blender {bpy.app.version_string}",
        "Hi3DGen 0.1.0",
        "numpy ",
        "memory ",
        "engine Draft: ready, on the processor",
        "device automatic, ends after 15 min, results 512.0 MB at most, log info",
        "unreadable: “…” cannot be read. Ask ….",
        "[Errno 2] No such file: '…'",
    ):
        assert wanted in text, text
    for secret in ("quentin", "secret", str(Path.home()), str(session.user_folder), sys.executable):
        assert secret not in text, text
    session.error = None


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("it is in /home/ada/My Pictures/owl.png, gone", "it is in …"),
        (r"it is in C:\Users\Ada\owl.png", "it is in …"),
        (r"it is on \\server\share\owl.png", "it is on …"),
        ("it is in ~/owl.png", "it is in …"),
        ("OSError: [Errno 2] no file: '/home/ada/o.png'", "OSError: [Errno 2] no file: '…'"),
        ("the picture “Ada's owl” is empty", "the picture “…” is empty"),
        ("the picture “Ada's “best” owl” is empty", "the picture “…” is empty"),
        ("die Bilder „owl.png“ und „my “best” owl“ fehlen", "die Bilder „…“ und „…“ fehlen"),
        ("les images « owl.png » et «owl» manquent", "les images «…» et «…» manquent"),
        ("画像「owl.png」と『owl』がありません", "画像「…」と『…』がありません"),
        ("cannot stat \u2018Ada\u2019s owl\u2019: no", "cannot stat \u2018…\u2019: no"),
        ("cannot identify b'my owl.png' or b\"owl\"", "cannot identify b'…' or b\"…\""),
        (r"""no key 'Ada\'s "best" owl', "the \"best\" owl" """, """no key '…', "…" """),
        ("“owl.png”, “my owl” failed: It is gone.", "“…”, “…” failed: It is gone."),
        ("the engine “Draft” is ready", "the engine “Draft” is ready"),
        ('  File "/home/ada/x/hi3dgen/backend/jobs.py", line 7', '  File "…/backend/jobs.py", line 7'),
        (
            r'  File "C:\Ada\lib\site-packages\torch\nn.py", line 7',
            r'  File "…/site-packages\torch\nn.py", line 7',
        ),
        ('  File "/home/ada/backend/secret/my.py", line 7', '  File "…/backend/secret/my.py", line 7'),
        ("ADA sat before her computer", "… sat before her computer"),
        ("adaptation is 3/4 done, and/or 11.2 MB/s", "adaptation is 3/4 done, and/or 11.2 MB/s"),
        ("see https://pytorch.org/get", "see https://pytorch.org/get"),
        ("see https://download.pytorch.org/whl, please", "see https://download.pytorch.org/whl, please"),
        ("from https://ada:secret@download.pytorch.org/whl/", "from …"),
        ("from https://mirror.acme.com/simple/torch/", "from …"),
        ("no answer of proxy.acme.com, port 3128", "no answer of …, port 3128"),
        ("the server ws-042 and ws-042.acme.local", "the server … and …"),
        ("see file:///C:/Users/Jane/Acme/my owl.png", "see …"),
        ("cannot open:/home/jane/owl.png", "cannot open:…"),
        ("cannot open:C:/jane/owl.png", "cannot open:…"),
        ("it is in ../acme/my owl.png", "it is in …"),
        ("it is in //textures/my owl.png", "it is in …"),
        ("it is in ~jane/owl.png", "it is in …"),
        ("renders/acme/hero.png is empty", "… is empty"),
        (r"renders\acme\hero is empty", "… is empty"),
        ('no key "Acme Hero" in it', 'no key "…" in it'),
        ("KeyError: 'AcmeHero'", "KeyError: '…'"),
        ("it has 'Acme's hero' in it", "it has '…' in it"),
        ("No module named 'torch'", "No module named 'torch'"),
        ("see backend/install/hashes.txt", "see backend/install/hashes.txt"),
        (
            "NVIDIA GeForce RTX 3060/PCIe/SSE2, 4.6.0 NVIDIA 535.54",
            "NVIDIA GeForce RTX 3060/PCIe/SSE2, 4.6.0 NVIDIA 535.54",
        ),
        ("pip/25.0 on linux/x86_64, n/a.", "pip/25.0 on linux/x86_64, n/a."),
        ("Blender's own Python, the engine's 1.2", "Blender's own Python, the engine's 1.2"),
    ],
)
def test_no_line_of_a_report_names_a_path_or_the_artist(
    line: str, seen: str, extension: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "Ada")
    monkeypatch.setenv("https_proxy", "http://proxy.acme.com:3128")
    monkeypatch.setenv("HF_ENDPOINT", "https://huggingface.co")
    monkeypatch.setattr("socket.gethostname", lambda: "ws-042.acme.local")
    assert import_module(f"{MODULE}.blender_addon.ui.anonymous").anonymous(line, ["Draft", "torch"]) == seen


def test_of_a_log_the_report_has_what_went_wrong(extension: object) -> None:
    at = "2026-01-01 10:00:00,000"
    log = [
        f"{at} INFO backend.jobs: job 1: draft",
        f"{at} ERROR backend.jobs: job 1 failed",
        "    Traceback (most recent call last):",
        "    ValueError: no",
        f"{at} INFO backend.jobs: job 2: draft",
        "Fatal Python error: Segmentation fault",
    ]
    complaints = import_module(f"{MODULE}.blender_addon.ui.report").complaints
    assert complaints(log) == [*log[1:4], log[5]]
    assert len(complaints([f"{at} ERROR x: {number}" for number in range(200)])) < 100


def test_the_log_is_opened_if_there_is_one(session: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ready(session)
    opened = tmp_path / "opened"
    if sys.platform != "linux":
        pytest.skip("another program opens files there")
    program = write(tmp_path / "bin" / "xdg-open", 0)
    program.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert bpy.ops.hi3dgen.open_log() == {"FINISHED"}
    assert Path(opened.read_text("utf-8").strip()).name == f"backend-{os.getpid()}.log"
    session.close()
    time.sleep(0.2)
    user, session.user_folder = session.user_folder, tmp_path
    try:
        with pytest.raises(RuntimeError, match="not written a log yet"):
            bpy.ops.hi3dgen.open_log()
    finally:
        session.user_folder = user


def test_the_device_menu_names_devices_as_their_owner_knows_them(session: Any, setup: Any, preferences: Any) -> None:
    operators = import_module(f"{MODULE}.blender_addon.ui.setup_operators")
    setup.doctor = json.loads('{"devices": [["cpu", "the processor"], ["cuda:0", "NVIDIA RTX 3060"]]}')
    names = [operators.device_label(name) for name in ("", "cpu", "cuda:0", "cuda:9")]
    assert names == ["Automatic", "The processor (cpu)", "NVIDIA RTX 3060 (cuda:0)", "cuda:9"]
    bpy.ops.hi3dgen.choose_device(device="cuda:0")
    assert preferences.device == "cuda:0"
