# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of its own: what it gets and sees, what it may do wrong, and that it ends if nobody wants it any more."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from backend.engines.external.exchange import Brought
from backend.engines.external.program import program_at
from backend.engines.external.stages import run_for
from backend.errors import Cancelled, UserError
from backend.flow.products import NormalMap
from backend.raster import png_reader
from tests.backend.engines.external.describing import box, cutout
from tests.backend.process import ROOT

SECONDS = 30.0  # after which a test counts as hanging
POSIX = pytest.mark.skipif(os.name != "posix", reason="processes are ended otherwise on Windows")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder; the folders of requests come beside it, and none is left."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield tmp_path
    assert [path.name for path in place.iterdir() if path.is_dir()] == []


def silent(_step: int, _of: int) -> None:
    pass


def run(user: Path, *others: Any, report: Any = silent, about: dict[str, Any] | None = None, **used: Any) -> Brought:
    """What the program makes of a small cut-out."""
    return run_for(box(user, **(about or {})), lambda: None)(cutout(), *others, report=report, **used)


def test_a_box_comes_back_welded_in_blenders_axes_with_its_image(scratch: Path) -> None:
    steps: list[int] = []

    def report(step: int, of: int) -> None:
        steps.append(1000 * step // of)

    brought = run(scratch, report=report, seed=7, height=3.0, title="A B")
    mesh = brought.mesh
    assert mesh is not None
    assert brought.notes == ("Named A B",)
    assert (len(mesh.vertices), len(mesh.triangles)) == (8, 12)
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), (2, 2, 6), atol=1e-6, err_msg="z is up")
    assert mesh.uv.shape == (12, 3, 2)
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    assert mesh.texture.base_colour[0, [0, 7]].tolist() == [[200, 30, 20, 255], [20, 60, 7, 255]]
    assert steps == sorted(steps)


def test_the_program_gets_what_it_wants_and_no_secrets(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HF_TOKEN": "a", "HI3DGEN_TOKEN": "b", "PYTHONPATH": "c", "WANTED": "d"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HI3DGEN_DEVICE", "cuda:1")
    tell = scratch / "told.json"
    about = {"environment": {"TELL": str(tell)}, "inherit": ["WANTED"], "wants": ["whole_picture", "normal_map"]}
    normal_map = NormalMap(np.full((8, 8, 3), (0, 0, 1), np.float32), np.ones((8, 8), np.float32), cutout().crop)
    whole = np.full((16, 16, 4), 90, np.uint8)
    run(scratch, whole, normal_map, about=about, seed=3, height=2.0, title="a")
    told = json.loads(tell.read_text())
    assert told["request"]["settings"] == {"height": 2.0, "title": "a"}
    assert (told["request"]["seed"], told["request"]["device"]) == (3, "cuda:1")
    assert told["environment"]["WANTED"] == "d"
    assert not {"HF_TOKEN", "HI3DGEN_TOKEN", "HI3DGEN_DEVICE", "PYTHONPATH"} & {*told["environment"]}
    assert Path(told["folder"]).resolve() == (scratch / "external").resolve()
    seen = {name: png_reader.decode((scratch / f"seen_{name}.png").read_bytes()) for name in about["wants"]}
    assert seen["normal_map"].shape == (8, 8, 4), "in the frame of the cut-out"
    assert seen["normal_map"][4, 4].tolist() == [128, 128, 255, 255]
    assert seen["whole_picture"][8, 8].tolist() == [90, 90, 90, 255]
    assert seen["whole_picture"][1, 1, 3] == 0, "its alpha is the mask"


@pytest.mark.parametrize(
    ("way", "code", "sentence", "advice"),
    [
        ("die", "external-failed", r"ended with the code 3, and said last: CUDA error: no kernel", "check box"),
        ("refuse", "external-failed", r"^The graphics card has 8 GB, and 16 are needed\. ", "Choose a smaller octree."),
        ("nothing", "external-result", r"its result\.json cannot be read: No such file", "has to leave"),
        ("outside", "external-result", r"“../../outside.glb” lies outside of the output folder", "has to leave"),
        ("garbage", "bad-mesh-file", r"“mesh.glb” cannot be read as a GLB file: it ends in the middle", "again"),
    ],
)
def test_what_goes_wrong_is_a_sentence(scratch: Path, way: str, code: str, sentence: str, advice: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        run(scratch, way=way)
    assert caught.value.code == code
    assert advice in caught.value.advice
    assert caught.value.sentence.endswith(".")


def test_whatever_a_program_prints_its_mesh_comes(scratch: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert run(scratch, way="babble").mesh is not None
    said = [record.getMessage() for record in caplog.records]
    assert "box: 50 %" in said
    assert said[-1] == "box: what else it says is left out"
    assert len(said) < 2100


def test_a_program_that_cannot_start_is_a_sentence(scratch: Path) -> None:
    program = scratch / "program"
    program.write_bytes(b"\x7fELF, but no program")
    program.chmod(0o755)
    with pytest.raises(UserError, match="could not be started: it does not start: ") as caught:
        run(scratch, about={"command": [str(program)]})
    assert caught.value.code == "external-failed"


def test_a_path_may_lack_the_ending_that_windows_gives_programs(tmp_path: Path) -> None:
    place = tmp_path / "Scripts" / "python"
    place.parent.mkdir()
    assert program_at(str(place), (".COM", ".EXE")) is None
    program = place.with_name("python.EXE")
    program.write_bytes(b"")
    program.chmod(0o700)
    assert program_at(str(place), (".COM", ".EXE")) == str(program)
    assert program_at(str(program), (".COM", ".EXE")) == str(program)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="The files for Box could not be written: No such file or directory") as caught:
        run(tmp_path)
    assert caught.value.code == "not-written"


@pytest.mark.parametrize("needs_gpu", [True, False])
def test_others_make_room_for_one_that_needs_the_card(scratch: Path, *, needs_gpu: bool) -> None:
    made: list[str] = []
    run_for(box(scratch, gpu=needs_gpu), lambda: made.append("room"))(cutout(), report=silent)
    assert made == ["room"] * needs_gpu


def hanging(folder: Path) -> list[psutil.Process]:
    """The program and its own child, as soon as they hang."""
    deadline = time.monotonic() + SECONDS
    place = folder / "hanging.txt"
    while not (place.exists() and place.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [psutil.Process(int(number)) for number in place.read_text().split()]


def assert_gone(processes: list[psutil.Process]) -> None:
    _, left = psutil.wait_procs(processes, SECONDS)
    assert left == []


@POSIX
@pytest.mark.parametrize("way", ["hang", pytest.param("stay", marks=pytest.mark.slow)])
def test_a_cancelled_program_ends_with_all_that_it_has_started(scratch: Path, way: str) -> None:
    found: list[psutil.Process] = []

    def report(_step: int, _of: int) -> None:
        if (scratch / "scratch" / "hanging.txt").exists():
            found[:] = hanging(scratch / "scratch")
            raise Cancelled

    with pytest.raises(Cancelled):
        run(scratch, report=report, way=way)
    assert found
    assert_gone(found)


@POSIX
def test_a_program_that_takes_too_long_is_ended(scratch: Path) -> None:
    with pytest.raises(UserError, match="Box took longer than its 1 seconds, and was ended") as caught:
        run(scratch, about={"time_limit": 1}, way="hang")
    assert caught.value.code == "external-too-slow"
    assert_gone([each for each in map(_process, (scratch / "scratch" / "hanging.txt").read_text().split()) if each])


def _process(number: str) -> psutil.Process | None:
    return psutil.Process(int(number)) if psutil.pid_exists(int(number)) else None


BACKEND = """
import sys, tempfile
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from backend.engines.external.program import program_at
from backend.engines.external.stages import run_for
from tests.backend.engines.external.describing import box, cutout
run_for(box(Path(sys.argv[2])), lambda: None)(cutout(), report=lambda *_: None, way="hang")
"""


@POSIX
def test_the_backends_death_ends_the_program_and_removes_its_files(scratch: Path) -> None:
    backend = subprocess.Popen([sys.executable, "-c", BACKEND, scratch / "scratch", scratch], cwd=ROOT)
    found = hanging(scratch / "scratch")
    supervisor = found[0].parent()
    assert supervisor is not None
    backend.send_signal(signal.SIGKILL)
    backend.wait()
    assert_gone([*found, supervisor])
