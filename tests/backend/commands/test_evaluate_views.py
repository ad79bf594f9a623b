# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate views` measures folders of views, meshes and what an engine makes, and refuses what cannot be compared."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.__main__ import main
from backend.files.pictures import write_picture
from backend.files.views import write_views
from backend.flow.engine import Engine
from backend.flow.products import Camera, Picture, Report, Views
from backend.flow.stage import Stage
from backend.texture.camera import orbit
from backend.training.views.drawing import drawn, framed
from tests.backend.training.views.coloured_box import box, write_box

pytest.importorskip("PIL", reason="Pillow reads and writes pictures: pip install pillow")
pytest.importorskip("trimesh")
CAMERAS = tuple(orbit(azimuth, 15.0, 2.4, 30.0) for azimuth in (0, 120, 240))
NAMES = ["azimuth 0, elevation 15", "azimuth 120, elevation 15", "azimuth -120, elevation 15", "mean"]


def views_of(cameras: tuple[Camera, ...] = CAMERAS) -> Views:
    return Views(np.stack([drawn(framed([box()]), camera, (48, 48)) for camera in cameras]), cameras)


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "no weights"))
    folder = tmp_path / "truth"
    folder.mkdir()
    write_views(folder, views_of())
    return folder


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, Any]], str]:
    code = main(["evaluate", "views", "--json", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else [], err


def test_views_and_meshes_are_measured_against_views(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_box(tmp_path / "far.glb", box(shift=(3.0, 1.0, -2.0)))  # comes into the frame of views by its box
    code, found, err = evaluate(capsys, truth, truth, tmp_path / "far.glb")
    assert (code, err) == (0, "")
    assert [each["name"] for each in found] == [*NAMES, *NAMES]
    assert [each["prediction"] for each in found] == [str(truth)] * 4 + [str(tmp_path / "far.glb")] * 4
    assert all(each["psnr"] == pytest.approx(58.92, abs=0.01) for each in found[:4])
    assert all(each["psnr"] > 40 and each["object_ssim"] > 0.99 for each in found[4:])
    assert all(each["clip"] is None for each in found)


def test_a_mesh_in_place_is_seen_where_it_lies(truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_box(tmp_path / "near.glb", box(shift=(0.1, 0.0, 0.0)))
    _, framed_one, _ = evaluate(capsys, truth, tmp_path / "near.glb")
    _, in_place, _ = evaluate(capsys, truth, tmp_path / "near.glb", "--in-place")
    assert in_place[-1]["psnr"] < 22
    assert framed_one[-1]["psnr"] > 40


def test_a_mesh_can_be_the_truth_of_views(truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_box(tmp_path / "box.glb", box())
    code, found, _ = evaluate(capsys, tmp_path / "box.glb", truth)
    assert code == 0
    assert found[-1]["psnr"] > 40


def test_the_numbers_are_a_line_a_view_and_their_mean(truth: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "views", str(truth), str(truth)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(truth)
    assert lines[1].split() == ["PSNR", "SSIM", "object", "PSNR", "object", "SSIM", "CLIP"]
    assert [line[:32].strip() for line in lines[2:]] == NAMES
    assert lines[-1].split()[1:] == ["58.923", "1.000", "58.923", "1.000", "-"]


def test_a_view_of_another_camera_costs_only_itself(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write_views(other, views_of((*CAMERAS[:2], orbit(250, 15, 2.4, 30.0))))
    code, found, err = evaluate(capsys, truth, other)
    assert code == 1
    assert [each["name"] for each in found] == [*NAMES[:2], "mean"]
    assert err.count("\n") == 1
    assert f"“{other}” has no view from azimuth -120, elevation 15: the nearest is turned by 10.0 degrees" in err


def test_what_an_engine_makes_is_measured(truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def look(picture: Picture, *, report: Report) -> Views:
        report(1, 1)
        return replace(views_of(), pictures=np.broadcast_to(picture, (3, *picture.shape)).copy())

    engine = Engine(
        name="still",
        label="Still",
        description="Shows the picture from everywhere.",
        needs_gpu=False,
        missing=lambda: "",
        settings=(),
        stages=(Stage("look", "Looking", "views", ("picture",), (), look),),
        gives={"views": Views},
    )
    write_picture(tmp_path / "front.png", views_of().pictures[0])
    arguments = ["evaluate", "views", str(truth), "--engine", "still", "--picture", str(tmp_path / "front.png")]
    assert main([*arguments, "--json"], {"still": engine}) == 0
    front, right, _, mean = json.loads(capsys.readouterr().out)
    assert front["prediction"] == "still"
    assert front["psnr"] > 50
    assert right["psnr"] < 25
    assert front["psnr"] > mean["psnr"] > right["psnr"]


def test_the_mesh_of_an_engine_is_seen_by_the_true_cameras(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picture(tmp_path / "front.png", views_of().pictures[0])
    engine = ("--engine", "draft", "--set", "resolution=64", "--set", "upright=false", "--set", "colours=front")
    code, found, _ = evaluate(capsys, truth, *engine, "--picture", tmp_path / "front.png")
    assert code == 0
    assert (
        found[0]["object_psnr"] > found[1]["object_psnr"]
    )  # the box has other colours where the picture does not look


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "There is nothing to measure."),
        (["--engine", "draft"], "An engine is measured with a picture."),
        (["TRUTH", "--picture", "TRUTH/000.png"], "An engine is measured with a picture."),
        (["TRUTH/none"], "cannot be opened"),
        (["TRUTH/none.glb"], "There is no file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(
    truth: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, found, err = evaluate(capsys, truth, *(each.replace("TRUTH", str(truth)) for each in arguments))
    assert (code, found) == (1, [])
    assert sentence in err
    assert err.count("\n") == 1


def test_two_meshes_have_no_cameras(truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_box(tmp_path / "box.glb", box())
    code, _, err = evaluate(capsys, tmp_path / "box.glb", truth, tmp_path / "box.glb")
    assert code == 1
    assert "box.glb” has cameras." in err
