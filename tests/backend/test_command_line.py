# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend` as people and scripts meet it: real processes, real files, plain sentences."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.__main__ import main
from backend.commands.arguments import add_engine
from backend.engines import DRAFT, ENGINES
from backend.version import VERSION
from tests.backend.process import ROOT, SECONDS

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")
trimesh = pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")

SMALL = ("--set", "resolution=64", "--set", "colours=front")
WITHOUT = "import runpy, sys; sys.modules[{library!r}] = None; runpy.run_module('backend', run_name='__main__')"


def backend(*arguments: object, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line, on request as if a library were not installed."""
    start = ["-c", WITHOUT.format(library=without)] if without else ["-m", "backend"]
    command = [sys.executable, "-s", *start, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False, env=utf8()
    )


def utf8() -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A picture of a disk left of the middle."""
    rows, columns = np.mgrid[:120, :160]
    rgba = np.zeros((120, 160, 4), np.uint8)
    rgba[..., :3] = (200, 120, 40)
    rgba[..., 3] = np.clip(45.5 - np.hypot(rows - 59.5, columns - 69.5), 0, 1) * 255
    path = tmp_path / "disk.png"
    Image.fromarray(rgba).save(path)
    return path


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image)


def refuses(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> bool:
    """Whether it failed with one line on standard error that holds these words, and nothing else."""
    lines = done.stderr.splitlines()
    return done.returncode == code and done.stdout == "" and len(lines) == 1 and all(word in lines[0] for word in words)


@pytest.mark.parametrize("suffix", ["glb", "obj", "stl", "ply"])
def test_a_picture_becomes_a_mesh(tmp_path: Path, disk: Path, suffix: str) -> None:
    out = tmp_path / f"mesh.{suffix}"
    done = backend("generate", disk, "-o", out, *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert str(out) in done.stdout
    mesh = trimesh.load(out, force="mesh")
    uv = getattr(mesh.visual, "uv", None)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)  # a file holds one UV a vertex: those at seams are there twice
    assert mesh.is_watertight
    assert mesh.volume > 0
    metre = 1000.0 if suffix == "stl" else 1.0
    assert np.ptp(mesh.vertices, axis=0).max() == pytest.approx(metre, rel=1e-5)
    up = 1 if suffix in ("glb", "obj") else 2
    assert mesh.bounds[0][up] == pytest.approx(0.0, abs=1e-5 * metre)
    assert (uv is not None) == (suffix in ("glb", "obj"))


def test_json_tells_what_was_made_and_the_recipe_makes_it_again(tmp_path: Path, disk: Path) -> None:
    chosen = ("--seed", 7, "--preset", "Preview", *SMALL)
    done = backend("generate", disk, "-o", tmp_path / "a.ply", "--normal-map", tmp_path / "n.png", "--json", *chosen)
    made = json.loads(done.stdout)
    assert done.stderr == ""
    assert made["mesh"] == str(tmp_path / "a.ply")
    assert made["normal_map"] == str(tmp_path / "n.png")
    assert made["recipe"]["seed"] == 7
    assert made["recipe"]["version"] == VERSION
    defaults = {setting.name: setting.default for setting in DRAFT.settings}
    assert made["recipe"]["settings"] == {**defaults, "faces": 20_000, "resolution": 64, "colours": "front"}, (
        "the preset's, but for what is set beside it"
    )
    assert set(made["seconds"]) == {stage.name for stage in DRAFT.stages if stage.runs_for(["picture"])}
    mesh = trimesh.load(tmp_path / "a.ply", process=False)
    assert (len(mesh.vertices), len(mesh.faces)) == (made["vertices"], made["triangles"])

    again = ("--set", "faces=20000", *SMALL)
    assert backend("generate", disk, "-o", tmp_path / "b.ply", "--seed", 7, *again).returncode == 0
    assert (tmp_path / "a.ply").read_bytes() == (tmp_path / "b.ply").read_bytes()
    assert backend("generate", disk, "-o", tmp_path / "b.ply", "--seed", 8, *again, "--overwrite").returncode == 0
    assert (tmp_path / "a.ply").read_bytes() != (tmp_path / "b.ply").read_bytes()


def test_several_seeds_are_several_files_and_each_can_be_made_alone(tmp_path: Path, disk: Path) -> None:
    out = tmp_path / "m.ply"
    done = backend(
        "generate", disk, "-o", out, "--seed", 2**31 - 1, "--count", 2, "--normal-map", tmp_path / "n.png", "--json",
        *SMALL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert [one["recipe"]["seed"] for one in made] == [2**31 - 1, 0]
    paths = [tmp_path / "m_seed2147483647.ply", tmp_path / "m_seed0.ply"]
    assert [one["mesh"] for one in made] == [str(path) for path in paths]
    assert sorted(tmp_path.iterdir()) == sorted([disk, tmp_path / "n.png", *paths])
    assert backend("generate", disk, "-o", out, "--seed", 0, *SMALL).returncode == 0
    assert out.read_bytes() == paths[1].read_bytes()
    assert out.read_bytes() != paths[0].read_bytes()


def test_the_normal_map_has_its_colours_and_is_taken_back(tmp_path: Path, disk: Path) -> None:
    out = tmp_path / "normals.png"
    done = backend("normals", disk, "-o", out, "--set", "resolution=256")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    rgb = pixels(out).astype(int)
    assert rgb.shape == (120, 160, 3)
    assert (rgb[:10] == 255).all()  # white outside
    assert (rgb[:, 120:] == 255).all()
    assert rgb[60, 40, 0] < 100  # x to the right
    assert rgb[60, 100, 0] > 156
    assert rgb[30, 70, 1] > 156  # y up
    assert rgb[90, 70, 1] < 100
    assert abs(rgb[60, 70] - (128, 128, 255)).max() < 12  # z to the viewer

    more = ("--back", disk, "--left", disk, "--right", disk)
    done = backend("generate", disk, "--normals", out, *more, "-o", tmp_path / "a.ply", "--json", *SMALL)
    inputs = json.loads(done.stdout)["recipe"]["inputs"]
    assert inputs.keys() == {"picture", "own_normal_map", "back", "left", "right"}
    assert trimesh.load(tmp_path / "a.ply").is_watertight

    Image.fromarray((255 - rgb).astype(np.uint8)).save(out)
    assert refuses(backend("generate", disk, "--normals", out, "-o", tmp_path / "b.ply", *SMALL), "normal map")
    assert not (tmp_path / "b.ply").exists()


def test_the_cut_out_is_written_and_taken_back(tmp_path: Path, disk: Path) -> None:
    out = tmp_path / "mask.png"
    done = backend("generate", disk, "-o", tmp_path / "a.ply", "--save", f"cutout={out}", *SMALL)
    assert (done.returncode, done.stderr) == (0, "")
    mask = pixels(out).copy()
    assert mask.shape[:2] == (120, 160)
    assert mask[60, 70].max() == 255
    assert mask[60, 140].max() == 0

    mask[:, 70:] = 0
    Image.fromarray(mask).save(out)
    done = backend("generate", disk, "--cutout", out, "-o", tmp_path / "b.ply", "--json", *SMALL)
    assert json.loads(done.stdout)["recipe"]["inputs"]["own_cutout"]
    whole, half = (np.ptp(trimesh.load(tmp_path / name).vertices, axis=0) for name in ("a.ply", "b.ply"))
    assert half[0] / half[2] < 0.7 * whole[0] / whole[2], "half of the disk is left"

    Image.fromarray(np.zeros((60, 60), np.uint8)).save(out)
    assert refuses(backend("generate", disk, "--cutout", out, "-o", tmp_path / "c.ply", *SMALL), "shape of the picture")
    assert not (tmp_path / "c.ply").exists()


def test_what_cannot_be_done_is_said_in_a_line_and_nothing_is_written(
    tmp_path: Path, disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused(arguments: tuple[object, ...], *words: str) -> bool:
        code = main([*map(str, arguments)])
        said = capfd.readouterr()
        lines = said.err.splitlines()
        return code == 1 and not said.out and len(lines) == 1 and all(word in lines[0] for word in words)

    out = tmp_path / "a.glb"
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    empty = tmp_path / "empty.png"
    Image.new("RGBA", (50, 40)).save(empty)
    before = sorted(tmp_path.iterdir())
    assert refused(("generate", tmp_path / "none.png", "-o", out), "none.png")
    assert refused(("generate", text, "-o", out), "text.png", "picture")
    assert refused(("generate", empty, "-o", out), "transparent")
    assert refused(("generate", disk, "-o", tmp_path / "a.fbx"), "a.fbx", ".glb, .obj, .stl, .ply")
    assert refused(("generate", disk, "-o", tmp_path / "nowhere" / "a.glb"), "no folder", "nowhere")
    assert refused(("generate", disk, "-o", out, "--normal-map", tmp_path / "n.gif"), "n.gif")
    assert refused(("generate", disk, "-o", out, "--normal-map", disk), "disk.png")
    assert refused(("generate", disk, "-o", out, "--normals", text), "text.png")
    assert refused(("generate", disk, "-o", out, "--save", f"mesh={tmp_path / 'b.glb'}"), "a.glb", "b.glb", "mesh")
    over = ("--normal-map", tmp_path / "a_texture.png")
    assert refused(("generate", disk, "-o", tmp_path / "a.obj", *over), "a.obj", "a_texture.png")
    assert refused(("generate", disk, "-o", out, "--set", "colour=1"), "colour", "resolution")
    assert refused(("generate", disk, "-o", out, "--set", "resolution=inf"), "Resolution", "1024")
    assert refused(("generate", disk, "-o", out, "--set", "resolution=nan"), "Resolution", "1024")
    assert refused(("generate", disk, "-o", out, "--set", "resolution=high"), "Resolution", "high", "1024")
    assert refused(("generate", disk, "-o", out, "--set", "resolution=1"), "Resolution cannot be 1.", "1024")
    assert refused(("generate", disk, "-o", out, "--upscaler", tmp_path / "x4.pth"), "no file", "x4.pth")
    assert refused(("normals", disk, "-o", disk), "disk.png")
    assert refused(("normals", disk, "-o", text), "text.png”", "is there already", "--overwrite")
    assert refused(("generate", disk, "-o", out, "--normal-map", text), "text.png”", "is there already")
    (tmp_path / "a_seed1.mtl").write_text("mine")
    before = sorted(tmp_path.iterdir())
    assert refused(("generate", disk, "-o", tmp_path / "a.obj", "--count", 2), "a_seed1.mtl”", "is there already")
    assert refused(("normals", disk, "-o", tmp_path / "n.glb"), "n.glb")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "COMMAND"),
        (("paint",), "paint"),
        (("generate",), "PICTURE"),
        (("generate", "a.png"), "-o"),
        (("generate", "a.png", "-o", "a.glb", "--seed", "-1"), "seed"),
        (("generate", "a.png", "-o", "a.glb", "--seed", "2147483648"), "2147483647"),
        (("generate", "a.png", "-o", "a.glb", "--seed", "abc"), "A seed is a whole number"),
        (("generate", "a.png", "-o", "a.glb", "--count", "0"), "count"),
        (("generate", "a.png", "-o", "a.glb", "--count", "17"), "16"),
        (("generate", "a.png", "-o", "a.glb", "--engine", "nobody"), "draft"),
        (("generate", "a.png", "-o", "a.glb", "--set", "resolution"), "NAME=VALUE"),
        (("generate", "a.png", "-o", "a.glb", "--set", "=64"), "NAME=VALUE"),
        (("generate", "", "-o", "a.glb"), "empty"),
        (("batch", "", "-o", "out"), "empty"),
        (("storage", "now"), "unrecognized arguments: now"),
    ],
)
def test_wrong_arguments_are_told_with_the_usage(
    arguments: tuple[str, ...], word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    said = capfd.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("usage: ")
    assert word in said.splitlines()[-1]


def test_an_unknown_argument_is_told_with_the_usage_of_its_command(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "normals", "folder", "--picture", "a.png"])
    assert capfd.readouterr().err.startswith("usage: python -m backend evaluate normals ")


def test_without_engines_every_name_is_accepted() -> None:
    parser = argparse.ArgumentParser()
    add_engine(parser, [])
    assert parser.parse_args([]).engine is None
    assert parser.parse_args(["--engine", "any"]).engine == "any"
    assert parser.format_help().endswith("a setting of the engine\n")


def test_the_help_lists_every_setting_with_what_fits_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("generate", "normals", "batch"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        for engine in ENGINES.values():
            assert f"settings of --engine {engine.name} " in shown
            for setting in engine.settings:
                assert f" {setting.name} {setting.description}. " in shown
        assert "A whole number from 64 to 1024 (default 512)" in shown
        assert "A number from 0.3 to 2.5 (default 1.0)" in shown
        assert "True or false (default true)" in shown
        assert "One of: preview, balanced, upstream (default upstream)" in shown


@pytest.mark.parametrize(("library", "package"), [("trimesh", "trimesh"), ("PIL", "pillow")])
def test_a_library_that_is_missing_is_named_with_what_installs_it(
    tmp_path: Path, disk: Path, library: str, package: str
) -> None:
    done = backend("generate", disk, "-o", tmp_path / "a.glb", without=library)
    assert refuses(done, f"pip install {package}")
    doctor = backend("doctor", without=library)
    assert doctor.returncode == 0
    assert f"{library} (" in doctor.stdout
    assert "not installed" in doctor.stdout


def test_normals_need_no_trimesh(tmp_path: Path, disk: Path) -> None:
    assert backend("normals", disk, "-o", tmp_path / "n.png", *SMALL, without="trimesh").returncode == 0
    assert (tmp_path / "n.png").exists()


def test_the_doctor_says_what_can_run_here() -> None:
    done = backend("doctor")
    assert done.returncode == 0
    for word in (VERSION, sys.executable, np.__version__, "engine Draft: ready", "PIL", "trimesh"):
        assert word in done.stdout
    assert done.stderr == ""


def test_the_version_is_told() -> None:
    assert backend("--version").stdout == f"{VERSION}\n"


@pytest.mark.skipif(os.name != "posix", reason="this system has no terminal to open")
def test_a_terminal_sees_progress_and_an_interrupt_ends_it(tmp_path: Path, disk: Path) -> None:
    reader, writer = os.openpty()
    command = [
        sys.executable,
        "-s",
        "-m",
        "backend",
        "generate",
        disk,
        "-o",
        tmp_path / "a.glb",
        "--set",
        "resolution=1024",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=writer, env=utf8()) as process:
        os.close(writer)
        shown = b""
        while b"Cutting out" not in shown:
            shown += os.read(reader, 1024)
        process.send_signal(signal.SIGINT)
        try:
            while data := os.read(reader, 1024):
                shown += data
        except OSError:  # how Linux tells the end of a terminal
            pass
        assert process.wait(SECONDS) == 130
    os.close(reader)
    assert "█".encode() in shown or "░".encode() in shown
    assert b"Interrupted." in shown
    assert b"Traceback" not in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk.png"]
