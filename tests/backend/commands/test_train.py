# SPDX-License-Identifier: GPL-3.0-or-later
"""`train`, as a person calls it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

from PIL import Image

from backend.__main__ import main
from backend.geometry.network import load as load_geometry
from backend.normals.network import load

ROOT = Path(__file__).parents[3]


def train(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", "train", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """A function from arguments that `train` refuses to the sentence that it prints."""

    def sentence(*arguments: str | Path) -> str:
        assert main(["train", *map(str, arguments)]) == 1
        return capsys.readouterr().err

    return sentence


def test_a_sheet_shows_pictures_beside_their_normals(tmp_path: Path, refused: Refused) -> None:
    done = train("sheet", "--seed", "4", "--count", "5", "--size", "32", "-o", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    assert sheet.shape == (2 * 32, 4 * 2 * 32, 3)
    normals = sheet[:32, 32:64].astype(float) / 127.5 - 1
    inside = (sheet[:32, 32:64] < 255).any(axis=2)
    np.testing.assert_allclose(np.linalg.norm(normals[inside], axis=1), 1, atol=0.02)
    assert (sheet[32:, 64:] == 255).all()  # the second row has one pair
    for asked in (("--size", "8"), ("--size", "1024", "--count", "400")):
        assert "16 to 1024 pixels" in refused("sheet", *asked, "-o", tmp_path / "small.png")
    assert "There is no folder" in refused("sheet", "-o", tmp_path / "none" / "sheet.png")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--workers", "-1"), ("--workers", "many"), ("--steps", "0"), ("--steps", "-3"), ("--steps", "9" * 5000),
        ("--minutes", "nan"), ("--minutes", "inf"), ("--minutes", "0"), ("--minutes", "soon"),
    ],
)  # fmt: skip
def test_a_number_that_makes_no_sense_is_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "normals", "--config", "none", "--folder", "none", f"{option}={value}"])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert f"argument {option}: “{value:.60}” is no" in printed


@pytest.mark.parametrize("what", ["normals", "geometry", "cutouts"])
def test_a_start_that_holds_no_weights_is_a_sentence(what: str, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "start.npz").write_text("no weights")
    folder = tmp_path / "folder"
    asked = ("--config", "tiny", "--folder", folder, "--stage", "cool", "--start", tmp_path / "start.npz")
    assert "holds no weights of this configuration's network" in refused(what, *asked)
    assert not list(folder.glob("*.pt"))


@pytest.mark.slow
@pytest.mark.timeout(400)  # a fresh checkout compiles the kernels first
def test_a_training_goes_on_with_pictures_of_a_folder(tmp_path: Path, refused: Refused) -> None:
    for part, value in (("images", (90, 60, 30)), ("mask", (255,) * 3), ("normals", (128, 128, 255))):
        (tmp_path / "pictures" / part).mkdir(parents=True)
        pixels = np.zeros((40, 40, 3), np.uint8)
        pixels[8:32, 8:32] = value
        Image.fromarray(pixels).save(tmp_path / "pictures" / part / "plate.png")
    common = ("normals", "--config", "tiny", "--folder", tmp_path / "run", "--workers", "0")
    for stage, source in (("trunk", ()), ("cool", ()), ("refine", ("--pictures", tmp_path / "pictures"))):
        done = train(*common, "--stage", stage, "--steps", "5", *source)
        assert done.returncode == 0, done.stderr
    # A plate that faces the viewer is nearer to what an untrained network says than anything made on the fly.
    plates, made = (
        float(line.split('"angle": ')[1].split("}")[0].split(",")[0]) for line in (done.stdout, first(tmp_path))
    )
    assert plates < made
    load(tmp_path / "run" / "refine-5.npz")
    assert "There are no pictures" in refused(*common, "--stage", "refine", "--pictures", tmp_path)


def first(folder: Path) -> str:
    """The curve of stage one."""
    return (folder / "run" / "cool-5.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.timeout(400)  # a fresh checkout compiles the kernels first
def test_geometry_is_trained_by_a_worker_that_ends_without_a_word(tmp_path: Path, refused: Refused) -> None:
    for steps in (5, 10):
        done = train("geometry", "--config", "tiny", "--folder", tmp_path, "--steps", str(steps))
        assert done.returncode == 0
        assert done.stderr == ""
    assert done.stdout.split()[-1] == str(tmp_path / "trunk.pt")
    load_geometry(tmp_path / "trunk.npz")
    assert "tiny, draft, ablation" in refused("geometry", "--config", "none", "--folder", tmp_path)
