# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate geometry` measures an engine's meshes of a folder, and an object that is broken costs only itself."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.backend.process import ROOT

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")

from tests.backend.training.geometry.known_objects import write_ball  # noqa: E402 - after the check for Pillow


def evaluate(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-s", "-m", "backend", "evaluate", "geometry", folder, "--set", "resolution=64"]
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_ball(tmp_path)
    return tmp_path


def test_every_object_is_measured_and_averaged(folder: Path) -> None:
    write_ball(folder, "unsure", occupancy_reliable=np.False_)
    sheet = folder / "sheet.png"
    done = evaluate(folder, "--set", "upright=false", "--true-normals", "--lens", "--json", "--sheet", sheet)
    assert done.returncode == 0, done.stderr
    first, unsure, mean, median = json.loads(done.stdout)
    assert [one["name"] for one in (first, unsure, mean, median)] == ["ball", "unsure", "mean", "median"]
    assert {one["alignment"] for one in (first, unsure, mean, median)} == {"lens"}
    assert first["side0"] > 0.9
    assert 0.4 < first["volume"] <= 1
    assert 0.4 < first["extent"] < 1.6
    assert first["chamfer"] < 0.15
    assert (first["watertight"], first["winding"], first["bodies"]) == (1, 1, 1)
    assert unsure["volume"] is None
    assert mean["volume"] == median["volume"] == first["volume"]
    assert mean["chamfer"] == pytest.approx(first["chamfer"]) == unsure["chamfer"]
    width, height = Image.open(sheet).size
    assert width > height > 2 * 64


def test_a_broken_object_costs_only_its_own_line(folder: Path) -> None:
    write_ball(folder, "lost")
    (folder / "mesh" / "lost.npz").unlink()
    write_ball(folder, "broken")
    (folder / "mesh" / "broken.npz").write_bytes(b"PK nothing")
    write_ball(folder, "wrong", faces=np.array([[0, 1, 99999]]))
    write_ball(folder, "blind", outer=np.zeros(4, np.uint8))
    write_ball(folder, "pictureless")
    (folder / "images" / "pictureless.png").write_bytes(b"no picture")
    done = evaluate(folder)
    assert done.returncode == 1
    sentences = {line.partition(":")[0]: line for line in done.stderr.splitlines()}
    assert sorted(sentences) == ["blind", "broken", "lost", "pictureless", "wrong"]
    assert "There is no file" in sentences["lost"]
    assert "“broken.npz” cannot be read" in sentences["broken"]
    assert "triples of its vertices" in sentences["wrong"]
    assert "bits are not packed" in sentences["blind"]
    assert "cannot be read as a picture" in sentences["pictureless"]
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["ball", "mean", "median"]


def test_only_the_named_objects_are_measured(folder: Path) -> None:
    write_ball(folder, "other")
    done = evaluate(folder, "--only", "other")
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.startswith("aligned: front")
    assert [line.split()[0] for line in lines] == ["other", "mean", "median"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "nobody"], "There is no object “nobody”. There are: ball."),
        (["--set", "upright=maybe"], "cannot be maybe"),
        (["--set", "nothing=1"], "has no setting “nothing”"),
        (["--sheet", "FOLDER/none/sheet.png"], "There is no folder"),
        (["--sheet", "FOLDER/sheet.txt"], "does not end like a picture"),
        (["--sheet", "FOLDER/images/ball.png"], "is read, so it is not written over"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(
    folder: Path, arguments: list[str], sentence: str
) -> None:
    done = evaluate(folder, *(argument.replace("FOLDER", str(folder)) for argument in arguments))
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_without_a_list_of_objects_is_refused(folder: Path) -> None:
    for text, sentence in (
        ("[]", "lists no objects"),
        ('{"ball": 1}', "lists no objects"),
        ("{", "is no JSON"),
        (None, "cannot be read"),
    ):
        (folder / "objects.json").unlink()
        if text is not None:
            (folder / "objects.json").write_text(text, "utf-8")
        done = evaluate(folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert sentence in done.stderr
        (folder / "objects.json").touch()
