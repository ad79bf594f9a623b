# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command prints never costs what it has made: any terminal, any name, any reader."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.backend.process import ROOT, SECONDS

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")
trimesh = pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")
posix = pytest.mark.skipif(os.name != "posix", reason="names, links and devices as POSIX has them")


def generate(
    picture: Path, out: Path, *options: str, encoding: str = "utf-8", stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    command = [
        sys.executable,
        "-s",
        "-m",
        "backend",
        "generate",
        picture,
        "-o",
        out,
        "--set",
        "resolution=64",
        "--set",
        "colours=front",
    ]
    return subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[10:50, 15:45] = (200, 120, 40, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("two\nlines", "ascii"), ("gr\u00fcn", "ascii"), ("gr\u00fcn", "latin-1"), ("\N{SNOWMAN}", "latin-1")],
)
def test_a_path_that_the_terminal_has_no_characters_for_is_printed_somehow(
    tmp_path: Path, picture: Path, name: str, encoding: str
) -> None:
    out = tmp_path / f"{name}.ply"
    done = generate(picture, out, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert str(out).encode(encoding, "backslashreplace") in done.stdout
    assert out.is_file()


@posix
def test_names_that_are_not_utf_8_work_from_end_to_end(tmp_path: Path, picture: Path) -> None:
    named, out, normals = (tmp_path / os.fsdecode(b"gr\xfcn" + suffix) for suffix in (b".png", b".obj", b"_n.png"))
    picture.rename(named)
    for options in ((), ("--json",)):
        done = generate(named, out, "--normal-map", str(normals), "--overwrite", *options)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\\udcfcn.obj" in done.stdout
        assert out.is_file()
        assert normals.is_file()
    done = generate(tmp_path / os.fsdecode(b"none\xfc.png"), out, "--overwrite")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"none\\udcfc.png" in done.stderr


@posix
def test_a_reader_that_has_gone_costs_nothing_but_the_exit_code(tmp_path: Path, picture: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = generate(picture, tmp_path / "a.glb", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
    assert (tmp_path / "a.glb").is_file()


@posix
def test_a_planted_link_is_not_written_through(tmp_path: Path, picture: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "a.glb").symlink_to(precious)
    assert b"is there already" in generate(picture, tmp_path / "a.glb").stderr
    assert generate(picture, tmp_path / "a.glb", "--overwrite").returncode == 0
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "a.glb").is_symlink()


def test_a_name_that_is_too_long_with_its_seed_is_refused_before_the_work(tmp_path: Path, picture: Path) -> None:
    out = tmp_path / ("n" * 248 + ".ply")
    done = generate(picture, out, "--count", "2")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"too long" in done.stderr
    assert sorted(tmp_path.iterdir()) == [picture]
    assert generate(picture, out).returncode == 0
    assert out.is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_behind_the_output_is_a_sentence() -> None:
    command = [sys.executable, "-s", "-m", "backend", "capabilities"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"No space left on device" in done.stderr


@posix
@pytest.mark.parametrize(
    ("command", "code"),
    [("normals a.png -o n.png --overwrite", 0), ("weights download", 1), ("install", 1), ("serve", 2)],
)
def test_closed_standard_streams_are_no_bug(tmp_path: Path, picture: Path, command: str, code: int) -> None:
    log = tmp_path / "errors"
    start = f'exec "{sys.executable}" -s -m backend {command}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HI3DGEN_USER_FOLDER": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    for closed in (f"0<&- 2>{log}", "0<&- 2>&- >&-"):
        ran = subprocess.run(
            ["sh", "-c", f"{start} {closed}"], cwd=picture.parent, env=environment, timeout=SECONDS, check=False
        )
        assert ran.returncode == code
    assert "Traceback" not in log.read_text(encoding="utf-8")


@posix
def test_the_end_of_the_input_is_no_answer_to_a_question(tmp_path: Path) -> None:
    mine, its = os.openpty()
    command = [sys.executable, "-s", "-m", "backend", "install"]
    environment = {**os.environ, "HI3DGEN_USER_FOLDER": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(mine, 4096)
        os.write(mine, b"\x04")  # Ctrl-D
        try:
            while data := os.read(mine, 4096):
                shown += data
        except OSError:  # how Linux tells the end of a terminal
            pass
        assert process.wait(SECONDS) == 1
    os.close(mine)
    assert b"Nothing was downloaded." in shown
    assert b"Traceback" not in shown
