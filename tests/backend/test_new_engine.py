# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that no line of the product knows goes through the real server, the real wire and the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.__main__ import main
from backend.files.views import read_views
from backend.wire import products
from backend.wire.messages import Preview, Progress, Request, Result
from tests.backend.process import ROOT, Backend, Conversation
from tests.backend.vase import vase

PROGRAM = ROOT / "tests" / "new_engine.py"
SMALL = {"resolution": 64, "faces": 1000, "distance": 3.0}


@pytest.fixture
def client() -> Any:
    with Backend((sys.executable, "-s", str(PROGRAM), "serve")) as backend, backend.client() as client:
        yield client


def test_it_is_as_short_as_an_engine_should_be() -> None:
    code = PROGRAM.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(code) if line.startswith("def "))
    assert code.index(")") - first < 60


def test_the_server_describes_it_and_gives_its_products(client: Conversation) -> None:
    (info,) = (engine for engine in client.capabilities.engines if engine.name == "orbit")
    assert info.products == {"normal_map": "normal_map", "views": "views", "mesh": "mesh"}
    assert "distance" in [setting.name for setting in info.settings]
    client.send(Request("one", "orbit", 4, {"picture": vase()}, SMALL, count=2))
    heard = client.until_end_of("one")
    assert {"Looking around", "Painting"} <= {message.label for message in heard if isinstance(message, Progress)}
    assert "views" in [message.product for message in heard if isinstance(message, Preview)]
    results = [message for message in heard if isinstance(message, Result)]
    assert [result.seed for result in results] == [4, 5]
    for result in results:
        normal_map, views, mesh = result.products.values()
        assert isinstance(normal_map, products.NormalMap)
        assert isinstance(views, products.Views)
        assert [picture[:4] for picture in views.pictures] == [b"\x89PNG"] * 4
        assert views.fovs == (50.0,) * 4
        np.testing.assert_allclose(np.linalg.norm(views.matrices[:, :3, 3], axis=1), 3.0, atol=1e-5)
        assert isinstance(mesh, products.Mesh)
        assert mesh.uv is None
        assert mesh.corner_uv is not None
        assert mesh.corner_uv.shape == (len(mesh.triangles), 3, 2)
        assert mesh.base_colour is not None
        assert mesh.roughness is not None
        assert mesh.normal is None


def test_the_command_line_writes_its_products(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it")
    image.fromarray(vase()).save(tmp_path / "vase.png")
    settings = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    places = ["-o", tmp_path / "vase.glb", "--save", f"views={tmp_path / 'around'}", "--normal-map", tmp_path / "n.png"]
    command = [sys.executable, PROGRAM, "generate", tmp_path / "vase.png", "--engine", "orbit", *settings, *places]
    sheet = tmp_path / "sheet.png"
    done = subprocess.run([*command, "--contact-sheet", sheet, "--json"], capture_output=True, text=True, check=True)
    made = json.loads(done.stdout)
    assert (made["views"], made["pictures"]) == (str(tmp_path / "around"), 4)
    assert made["contact_sheet"] == str(sheet)
    views = read_views(tmp_path / "around")
    assert views.pictures.shape == (4, 32, 32, 4)
    assert [camera.fov for camera in views.cameras] == [50.0] * 4
    with image.open(sheet) as whole:
        assert np.array_equal(np.asarray(whole)[32:, :32], views.pictures[2]), "row by row"
    (mesh,) = trimesh.load(tmp_path / "vase.glb").geometry.values()
    assert len(mesh.faces) == made["triangles"]
    assert len(mesh.vertices) > made["vertices"], "vertices are split at the seams"
    material = mesh.visual.material
    assert material.baseColorTexture.size == (16, 16)
    assert material.baseColorTexture.getpixel((3, 3))[1:3] == (40, 20)
    assert material.metallicRoughnessTexture.getpixel((3, 3))[1] == 90, "glTF has the roughness in green"


def test_a_contact_sheet_without_views_is_refused_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "none.png", "-o", "none.glb", "--contact-sheet", "sheet.png"]) == 1
    assert "A contact sheet shows views" in capsys.readouterr().err


def test_a_contact_sheet_has_a_path_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    paths = ["-o", "views", "--save", "normal_views=sheet.png", "--contact-sheet", "sheet.png"]
    assert main(["generate", "none.png", "--engine", "zero123pp", *paths]) == 1
    assert "“sheet.png” is given for two products." in capsys.readouterr().err


def test_a_product_that_it_does_not_give_is_refused_before_the_work(tmp_path: Path) -> None:
    command = [sys.executable, PROGRAM, "generate", tmp_path / "a.png", "--engine", "orbit", "-o", tmp_path / "a.glb"]
    done = subprocess.run([*command, "--save", "smell=x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not give “smell”" in done.stderr
    assert "normal_map, views, mesh" in done.stderr
