# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals are measured as the published measure says: which pixels count, what is an edge, which way x points."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("cv2", reason="OpenCV is not installed here: the extra evaluation has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra evaluation has it")

from PIL import Image

from backend.__main__ import main
from backend.engines import DRAFT
from backend.errors import UserError
from backend.files.pictures import read_picture
from backend.training.normals.evaluation import PANEL, Example, mean, read_example, row, score
from backend.training.normals.folder import names

ROOT = Path(__file__).parents[4]
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


def only(folder: Path, *, x_left: bool = False) -> Example:
    return read_example(folder, "ridge.png", read_picture, x_left=x_left)


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


@pytest.mark.parametrize(("height", "width"), [(64, 20), (20, 64), (7, 7), (300, 200), (1000, 999)])
def test_a_row_is_as_large_for_pictures_of_any_shape(height: int, width: int) -> None:
    inside = np.ones((height, width), bool)
    normals = np.broadcast_to(np.array([0, 0, 1], np.float32), (height, width, 3))
    example = Example("x", np.full((height, width, 4), 255, np.uint8), normals, inside, inside)
    shown = row(example, normals)
    assert shown.shape == (PANEL, 4 * PANEL, 3)
    columns = np.flatnonzero((shown[PANEL // 2, PANEL : 2 * PANEL] != 255).any(axis=1))
    assert abs((columns[0] + columns[-1]) / 2 - (PANEL - 1) / 2) <= 1
    assert shown[0, 0].min() == 255


def test_a_picture_of_which_no_pixel_counts_has_no_number_and_spoils_no_mean(folder: Path) -> None:
    whole = only(folder)
    empty = replace(whole, inside=np.zeros_like(whole.inside), edges=np.zeros_like(whole.edges))
    scores = [score(empty, ridge(40)), score(whole, ridge(20))]
    assert np.isnan([scores[0].error, scores[0].sharp, scores[0].median, *scores[0].shares]).all()
    assert mean(scores) == replace(scores[1], name="mean")


def test_folders_that_are_no_examples_are_refused_with_a_sentence(folder: Path) -> None:
    with pytest.raises(UserError, match="no pictures"):
        names(folder / "images")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "mask" / "ridge.png")
    with pytest.raises(UserError, match="differ in size"):
        only(folder)
    (folder / "mask" / "ridge.png").unlink()
    with pytest.raises(UserError, match="no file"):
        names(folder)


def evaluate(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", "evaluate", "normals", folder, "--engine", "constant", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("engine", ["constant", "outline", "draft"])
def test_the_command_measures_every_estimator(folder: Path, tmp_path: Path, engine: str) -> None:
    sheet = tmp_path / "sheet.png"
    done = evaluate(folder, "--engine", engine, "--json", "--sheet", sheet)
    assert done.returncode == 0, done.stderr
    ridge_score, average = json.loads(done.stdout)
    assert (ridge_score["name"], average["name"]) == ("ridge.png", "mean")
    assert ridge_score["error"] == average["error"]
    assert 10 < average["error"] < 60
    if engine == "constant":
        assert average["error"] == pytest.approx(40, abs=0.5)
    assert Image.open(sheet).size == (4 * PANEL, PANEL)


def add(folder: Path, name: str, height: int, width: int) -> None:
    """Add a picture that faces the viewer."""
    for part, value in (("images", 90), ("mask", 255), ("normals", (128, 128, 255))):
        Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(folder / part / name)


def test_a_sheet_of_pictures_of_different_shapes_is_written_and_every_score_is_printed(folder: Path) -> None:
    add(folder, "high.png", 90, 30)
    add(folder, "wide.png", 40, 600)
    sheet = folder / "sheet.png"
    done = evaluate(folder, "--sheet", sheet)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["high.png", "ridge.png", "wide.png", "mean"]
    assert Image.open(sheet).size == (4 * PANEL, 3 * PANEL)


def test_a_sheet_that_could_not_be_written_is_refused_before_anything_is_measured(folder: Path) -> None:
    for sheet, sentence in (
        (folder / "none" / "sheet.png", "There is no folder"),
        (folder / "sheet.txt", "does not end like a picture"),
        (folder / "images" / "ridge.png", "is read, so it is not written over"),
    ):
        done = evaluate(folder, "--sheet", sheet)
        assert (done.returncode, done.stdout) == (1, "")
        assert sentence in done.stderr
    for index in range(64):
        add(folder, f"{index}.png", 4, 4)
    done = evaluate(folder, "--sheet", folder / "sheet.webp")
    assert (done.returncode, done.stdout) == (1, "")
    assert "too high for the format webp" in done.stderr


def test_a_picture_that_cannot_be_measured_costs_only_its_own_score(folder: Path) -> None:
    add(folder, "broken.png", 40, 40)
    (folder / "mask" / "broken.png").write_bytes(b"no picture")
    add(folder, "small.png", 6, 6)
    Image.fromarray(np.zeros((6, 6), np.uint8)).save(folder / "mask" / "small.png")
    done = evaluate(folder, "--json", "--sheet", folder / "sheet.png")
    assert done.returncode == 1
    assert done.stderr.startswith("broken.png: “broken.png” cannot be read as a picture.")
    ridge_score, small, average = json.loads(done.stdout)
    assert (small["name"], small["error"], small["shares"]) == ("small.png", None, [None] * 3)
    assert average["error"] == ridge_score["error"] == pytest.approx(40, abs=0.5)
    assert Image.open(folder / "sheet.png").size == (4 * PANEL, 2 * PANEL)


def test_an_engine_that_a_program_adds_can_be_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["evaluate", "normals", str(folder), "--engine", "own", "--json"], {"own": replace(DRAFT, name="own")})
        == 0
    )
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["ridge.png", "mean"]
