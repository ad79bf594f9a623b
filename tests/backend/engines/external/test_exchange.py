# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program leaves is read from its output folder alone, in each of the formats, and nothing else is believed."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.external.exchange import OUTPUT, Brought, read_result
from backend.errors import UserError
from backend.raster.png import encode
from tests.backend.engines.external.describing import box
from tests.backend.engines.external.external_engine import TURNED


def left(tmp_path: Path, result: object, **about: Any) -> Brought:
    """What is read of a result, beside the files that are in the output folder already."""
    (tmp_path / OUTPUT).mkdir(exist_ok=True)
    (tmp_path / OUTPUT / "result.json").write_text(json.dumps(result))
    return read_result(tmp_path, box(tmp_path, **about), lambda _step, _of: None)


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply", ".stl"])
def test_every_format_stands_upright_in_blenders_axes(tmp_path: Path, suffix: str) -> None:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
    is_y_up = suffix in (".glb", ".obj")
    (tmp_path / OUTPUT).mkdir()
    trimesh.creation.box((1, 3, 2) if is_y_up else (1, 2, 3)).export(tmp_path / OUTPUT / f"mesh{suffix}")
    mesh = left(tmp_path, {"protocol": 1, "mesh": f"mesh{suffix}"}).mesh
    assert mesh is not None
    assert (len(mesh.vertices), len(mesh.triangles)) == (8, 12), "welded"
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), (1, 2, 3), atol=1e-6)


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply"])
def test_colours_of_vertices_come_along(tmp_path: Path, suffix: str) -> None:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
    ball = trimesh.creation.icosphere(2)
    ball.visual.vertex_colors = np.where(ball.vertices[:, :1] < 0, (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    (tmp_path / OUTPUT).mkdir()
    ball.export(tmp_path / OUTPUT / f"mesh{suffix}")
    mesh = left(tmp_path, {"protocol": 1, "mesh": f"mesh{suffix}"}).mesh
    assert mesh is not None
    assert mesh.colours is not None
    apart = np.abs(mesh.vertices[:, 0]) > 0.01
    np.testing.assert_allclose(mesh.colours[apart, 0], mesh.vertices[apart, 0] < 0, atol=0.01)
    np.testing.assert_allclose(mesh.colours[apart, 2], mesh.vertices[apart, 0] > 0, atol=0.01)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ([], "its result.json is not of the protocol 1"),
        ({"protocol": 2, "mesh": "mesh.glb"}, "its result.json is not of the protocol 1"),
        ({"protocol": 1}, "the mesh of its result.json: it names no file"),
        ({"protocol": 1, "mesh": "none.glb"}, "the mesh of its result.json: No such file or directory"),
        ({"protocol": 1, "mesh": "result.json"}, "“result.json” is of no kind that is read"),
        ({"protocol": 1, "mesh": "/etc/passwd"}, "“/etc/passwd” lies outside of the output folder"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="other systems name other files")
def test_what_is_no_result_is_a_sentence(tmp_path: Path, result: object, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        left(tmp_path, result)
    assert caught.value.code == "external-result"


def test_notes_are_lines_and_few(tmp_path: Path) -> None:
    folder = tmp_path / OUTPUT / "around"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(encode(np.zeros((4, 4, 3), np.uint8)))
    (folder / "cameras.json").write_text(json.dumps({"cameras": [{"file": "a.png", "matrix": TURNED, "fov": 40.0}]}))
    notes = [5, "two\nlines", "", *(["x" * 900] * 20)]
    brought = left(tmp_path, {"protocol": 1, "views": "around", "notes": notes}, gives="views")
    assert brought.views is not None
    assert brought.notes[0] == "two lines"
    assert [len(note) for note in brought.notes[1:]] == [300] * 6


@pytest.mark.skipif(os.name != "posix", reason="Windows has links only for some")
def test_a_link_that_leads_outside_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(encode(np.zeros((4, 4, 3), np.uint8)))
    folder = tmp_path / OUTPUT / "around"
    folder.mkdir(parents=True)
    (folder / "a.png").symlink_to(secret)
    cameras = json.dumps({"cameras": [{"file": "a.png", "matrix": TURNED, "fov": 40.0}]})
    (folder / "cameras.json").write_text(cameras)
    with pytest.raises(UserError, match=r"“around/a\.png” lies outside of the output folder"):
        left(tmp_path, {"protocol": 1, "views": "around"}, gives="views")
    (tmp_path / "cameras.json").write_text(cameras)
    (folder / "cameras.json").unlink()
    (folder / "cameras.json").symlink_to(tmp_path / "cameras.json")
    with pytest.raises(UserError, match=r"“around/cameras\.json” lies outside of the output folder"):
        left(tmp_path, {"protocol": 1, "views": "around"}, gives="views")
