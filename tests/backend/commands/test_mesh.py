# SPDX-License-Identifier: GPL-3.0-or-later
"""`mesh` on the command line: a folder of views becomes a mesh's file."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.__main__ import main
from backend.files.scenes import read_scene
from backend.files.views import CAMERAS, write_views
from backend.flow.products import Views
from backend.texture.camera import orbit
from tests.backend.texture.photographs import box, joined, photographed

pytest.importorskip("trimesh")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With `views`, of a box."""
    made = tmp_path_factory.mktemp("mesh")
    (made / "views").mkdir()
    body = joined([box((-0.5, -0.3, -0.2), (0.5, 0.3, 0.2))])
    cameras = tuple(orbit(90 * k, 15, 2.4, 40) for k in range(4))
    pictures = np.stack([photographed(body, camera, (48, 48))[0] for camera in cameras])
    write_views(made / "views", Views(pictures, cameras))
    return made


def test_a_folder_of_views_becomes_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "box.glb"
    given = ["mesh", str(folder / "views"), "-o", str(out), "--set", "cells=16", "--set", "steps=0"]
    assert main([*given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recipe"]["settings"]["cells"] == 16
    assert read_scene(out).mesh.uv.shape == (told["triangles"], 3, 2)
    assert main(given) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_folder_without_cameras_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    assert main(["mesh", str(folder / "empty"), "-o", str(folder / "none.glb")]) == 1
    assert CAMERAS in capsys.readouterr().err
    assert not (folder / "none.glb").exists()
