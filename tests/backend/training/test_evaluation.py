# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals are measured as the published measure says: which pixels count, what is an edge, which way x points."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("cv2", reason="OpenCV is not installed here: the extra evaluation has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra evaluation has it")

from PIL import Image

from backend.errors import UserError
from backend.files.pictures import read_picture
from backend.training.evaluation import examples, mean, row, score

ROOT = Path(__file__).parents[3]
SIZE = 64


def ridge(lean: float) -> NDArray[np.float32]:
    """Two planes that meet in the middle: the left one leans to the left, the right one to the right, by degrees."""
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    side = np.where(np.arange(SIZE) < SIZE // 2, -1, 1)
    normals[..., 0] = np.sin(np.radians(lean)) * side
    normals[..., 2] = np.cos(np.radians(lean))
    return normals


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture of a ridge of 40 degrees inside a square mask of 44 pixels."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[10:54, 10:54] = 255
    mask[0, 0] = 191  # not sure enough
    stored = np.rint((ridge(40) + 1) * 127.5).astype(np.uint8)
    for part, pixels in (("images", np.full((SIZE, SIZE, 3), 90, np.uint8)), ("mask", mask), ("normals", stored)):
        (tmp_path / part).mkdir()
        Image.fromarray(pixels).save(tmp_path / part / "ridge.png")
    return tmp_path


def only(folder: Path, *, x_left: bool = False) -> Any:
    (example,) = examples(folder, read_picture, x_left=x_left)
    return example


def test_the_mask_is_eroded_and_edges_are_about_the_ridge(folder: Path) -> None:
    example = only(folder)
    assert example.inside.sum() == (44 - 9) ** 2  # of a square of 10 pixels, 9 go
    assert not example.inside[0, 0]
    columns = np.flatnonzero(example.edges.any(axis=0))
    assert set(columns) <= set(range(29, 36))
    assert 3 <= len(columns) <= 5
    assert (example.picture[..., 3] == read_picture(folder / "mask" / "ridge.png")[..., 0]).all()


def test_angles_are_those_between_the_normals(folder: Path) -> None:
    perfect = score(only(folder), ridge(40))
    assert perfect.error < 0.5
    assert perfect.sharp < 0.5
    assert perfect.shares == (1, 1, 1)
    off = score(only(folder), ridge(20))
    assert (off.error, off.sharp, off.median) == pytest.approx((20, 20, 20), abs=0.5)
    assert off.shares == (0, 1, 1)


def test_maps_whose_x_points_left_are_turned(folder: Path) -> None:
    assert score(only(folder, x_left=True), ridge(40)).error == pytest.approx(80, abs=0.5)
    assert score(only(folder, x_left=True), ridge(-40)).error < 0.5


def test_the_mean_is_over_pictures(folder: Path) -> None:
    scores = [score(only(folder), ridge(lean)) for lean in (40, 20)]
    both = mean(scores)
    assert both.error == pytest.approx((scores[0].error + scores[1].error) / 2)
    assert both.shares == (0.5, 1, 1)


def test_the_sheet_shows_four_panels_and_no_error_is_black(folder: Path) -> None:
    shown = row(only(folder), ridge(40), size=32)
    assert shown.shape == (32, 4 * 32, 3)
    assert shown[16, 3 * 32 + 16].max() < 10
    assert row(only(folder), -ridge(40), size=32)[16, 3 * 32 + 16].min() == 255


def test_folders_that_are_no_examples_are_refused_with_a_sentence(folder: Path) -> None:
    with pytest.raises(UserError, match="no pictures"):
        list(examples(folder / "images", read_picture, x_left=False))
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "mask" / "ridge.png")
    with pytest.raises(UserError, match="differ in size"):
        list(examples(folder, read_picture, x_left=False))
    (folder / "mask" / "ridge.png").unlink()
    with pytest.raises(UserError, match="no file"):
        list(examples(folder, read_picture, x_left=False))


@pytest.mark.parametrize("engine", ["constant", "outline", "draft"])
def test_the_command_measures_every_estimator(folder: Path, tmp_path: Path, engine: str) -> None:
    sheet = tmp_path / "sheet.png"
    command = [sys.executable, "-m", "backend", "evaluate", "normals", str(folder), "--engine", engine, "--json"]
    done = subprocess.run([*command, "--sheet", str(sheet)], cwd=ROOT, capture_output=True, text=True, check=True)
    ridge_score, average = json.loads(done.stdout)
    assert (ridge_score["name"], average["name"]) == ("ridge.png", "mean")
    assert ridge_score["error"] == average["error"]
    assert 10 < average["error"] < 60
    if engine == "constant":
        assert average["error"] == pytest.approx(40, abs=0.5)
    assert Image.open(sheet).size == (4 * SIZE, SIZE)
