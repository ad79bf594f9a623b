# SPDX-License-Identifier: GPL-3.0-or-later
"""`texture` on the command line: a mesh's file and a picture's become one file."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.__main__ import main
from backend.commands.texture import read_camera
from backend.errors import UserError
from backend.files.pictures import write_picture
from backend.files.scenes import read_scene
from backend.files.views import write_views
from backend.flow.products import Views
from backend.texture.camera import orbit
from tests.backend.texture.photographs import camera_at, photographed, thing

trimesh = pytest.importorskip("trimesh")
CAMERA = camera_at(25, 20, 2.6, 40, (0.05, 0, 0.4))
QUICK = ("--set", "resolution=96", "--set", "image_size=1024")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With `thing.ply`, `picture.png` and `camera.json`."""
    made = tmp_path_factory.mktemp("texture")
    mesh = thing()
    trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False).export(made / "thing.ply")
    write_picture(made / "picture.png", photographed(mesh, CAMERA, (128, 128))[0])
    camera = {"matrix": CAMERA.matrix.tolist(), "fov": CAMERA.fov}
    (made / "camera.json").write_text(json.dumps(camera), encoding="utf-8")
    return made


def run(folder: Path, out: str, *more: str) -> int:
    return main(["texture", str(folder / "thing.ply"), str(folder / "picture.png"), "-o", str(folder / out), *more])


def test_the_camera_that_was_found_is_told_and_can_be_used_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    viewpoints = folder / "found.json"
    assert run(folder, "a.glb", *QUICK, "--json", "--save", f"viewpoints={viewpoints}", "--set", "search=near",
               "--azimuth", "20", "--elevation", "25") == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert told["fits"]
    assert told["cameras"][0]["azimuth"] == pytest.approx(25, abs=12)
    assert read_scene(folder / "a.glb").mesh.uv.shape == (len(thing().triangles), 3, 2)
    found = read_camera(viewpoints)
    np.testing.assert_allclose(found.matrix, told["cameras"][0]["matrix"])
    assert run(folder, "a.glb", *QUICK, "--camera", str(viewpoints)) == 1  # it is there already
    assert "is there already" in capsys.readouterr().err


def test_a_camera_is_taken_as_it_is_given(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "b.obj", *QUICK, "--camera", str(folder / "camera.json")) == 0
    assert "field of view 40.0 degrees" in capsys.readouterr().out
    assert read_scene(folder / "b.obj").mesh.uv.shape == (len(thing().triangles), 3, 2)
    assert run(folder, "c.glb", *QUICK, "--azimuth", "25", "--elevation", "20", "--fov", "40") == 0
    assert "azimuth 25.0, elevation 20.0" in capsys.readouterr().out


def test_views_paint_what_the_picture_does_not_see(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mesh, middle = thing(), (0.0, -0.075, 0.45)
    around = [orbit(turn, 15, 2.3, 40) for turn in (60, 180)]  # from the picture's side, around the origin
    placed = [camera_at(25 + turn, 15, 2.3, 40, middle) for turn in (60, 180)]
    pictures = [photographed(mesh, camera, (96, 96))[0] for camera in placed]
    (folder / "views").mkdir()
    write_views(folder / "views", Views(np.stack(pictures), tuple(around)))
    saved, given = folder / "placed.json", ("--camera", str(folder / "camera.json"), *QUICK)
    views = ("--views", str(folder / "views"), "--save", f"view_cameras={saved}")
    assert run(folder, "with.glb", *given, *views, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {"cut_views", "place_views", "paint_views"} <= {*told["seconds"]}
    first = json.loads(saved.read_text(encoding="utf-8"))["cameras"][0]
    np.testing.assert_allclose(np.array(first["matrix"])[:3, 3], placed[0].matrix[:3, 3], atol=0.1)
    assert run(folder, "none.glb", *given, "--save", f"view_cameras={folder / 'none.json'}") == 1
    assert "Add --views FOLDER." in capsys.readouterr().err
    over = ("--save", f"view_cameras={folder / 'views' / 'cameras.json'}", "--overwrite")
    assert run(folder, "none.glb", *given, *views[:2], *over) == 1
    assert "is read, so it is not written over" in capsys.readouterr().err


@pytest.mark.parametrize(("cutout", "normals"), [("twice_texture.png", "n.png"), ("same.png", "same.png")])
def test_no_file_is_written_twice(cutout: str, normals: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = ("--save", f"cutout={folder / cutout}", "--save", f"normal_map={folder / normals}")
    assert run(folder, "twice.obj", *QUICK, *saved) == 1
    assert "is given for two products" in capsys.readouterr().err
    assert not [*folder.glob("twice*"), *folder.glob("same*")]


HUGE = pytest.param(f'{{"matrix": {np.eye(4).tolist()}, "fov": {10**400}}}', id="huge")
ENDLESS = pytest.param("[" * 99_999, id="endless")


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"matrix": [1, 2]}', '{"matrix": "a", "fov": 3}', "3", HUGE, ENDLESS]
)
def test_what_is_no_camera_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "camera.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_camera(tmp_path / "camera.json")
    assert caught.value.code == "bad-camera"
