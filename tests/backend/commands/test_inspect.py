# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend inspect`: sentences for people, numbers for programs, and a mesh that stands as a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.__main__ import main
from backend.commands.inspect import FLAWED

trimesh = pytest.importorskip("trimesh", reason="trimesh reads meshes: pip install trimesh")
Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")

Output = pytest.CaptureFixture[str]


def inspect(output: Output, *arguments: object) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it printed and complained of."""
    code = main(["inspect", *map(str, arguments)])
    said = output.readouterr()
    return code, said.out, said.err


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    """A ball of radius 1 m with UVs, one half red and one half a picture, as two nodes of a file that are no bodies."""
    whole = trimesh.creation.icosphere(3)
    picture = Image.fromarray(np.full((8, 16, 3), (10, 200, 30), np.uint8))
    shown = trimesh.visual.material.PBRMaterial(baseColorTexture=picture)
    scene = trimesh.Scene()
    left = whole.triangles_center[:, 0] < 0
    for name, chosen in (("picture", left), ("red", ~left)):
        half = whole.submesh([np.flatnonzero(chosen)], append=True)
        if name == "picture":
            half.visual = trimesh.visual.TextureVisuals(uv=half.vertices[:, :2] / 2 + 0.5, material=shown)
        else:
            half.visual.vertex_colors = np.tile([255, 0, 0, 255], (len(half.vertices), 1))
        scene.add_geometry(half, geom_name=name)
    path = tmp_path / "ball.glb"
    scene.export(path)
    return path


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".stl", ".ply"])
def test_every_kind_of_file_is_measured_in_its_unit(tmp_path: Path, capsys: Output, suffix: str) -> None:
    path = tmp_path / f"box{suffix}"
    sides = np.array([0.02, 0.03, 0.04])
    trimesh.creation.box(sides * (1000 if suffix == ".stl" else 1)).export(path)
    code, out, _ = inspect(capsys, path)
    assert code == 0
    size = "20 x 40 x 30" if suffix in (".glb", ".obj") else "20 x 30 x 40"  # y is up in those
    assert f"Its size is {size} mm." in out
    assert "It is closed and holds 24 cm³." in out


def test_several_are_numbers_for_programs_and_a_flaw_is_an_exit_code(
    tmp_path: Path, capsys: Output, ball: Path
) -> None:
    box = tmp_path / "box.ply"
    trimesh.creation.box((1, 1, 1)).export(box)
    assert inspect(capsys, box)[0] == 0
    code, out, _ = inspect(capsys, box, ball, "--size", 50, "--wall", 60, "--json")
    assert code == FLAWED
    first, second = json.loads(out)
    assert first["mesh"] == str(box)
    assert first["millimetres"] == pytest.approx([50, 50, 50])
    assert first["wall"] == pytest.approx(0.06)
    assert first["thin"] == 1.0
    assert first["stands"]
    assert second["closed"]
    assert not second["stands"]
    assert second["texture"] == [16, 8]


def test_what_cannot_be_read_does_not_keep_the_others_from_it(tmp_path: Path, capsys: Output) -> None:
    box, broken = tmp_path / "box.ply", tmp_path / "broken.glb"
    trimesh.creation.box((1, 1, 1)).export(box)
    broken.write_bytes(b"no mesh")
    code, out, err = inspect(capsys, broken, box)
    assert code == 1
    assert "cannot be read as a mesh" in err
    assert "12 triangles" in out


def test_a_standing_mesh_keeps_its_materials_colours_and_uvs(tmp_path: Path, capsys: Output, ball: Path) -> None:
    out = tmp_path / "standing.glb"
    code, said, _ = inspect(capsys, ball, "--stand", out, "--size", 100)
    assert code == 0
    assert "It stands, and tips over from" in said
    halves = [*trimesh.load(out).geometry.values()]
    assert len(halves) == 2
    shown = next(half for half in halves if half.visual.kind == "texture")
    red = next(half for half in halves if half.visual.kind == "vertex")
    assert shown.visual.material.baseColorTexture.size == (16, 8)
    assert (red.visual.vertex_colors[:, :3] == (255, 0, 0)).all()
    floor = shown.vertices[:, 1].min()
    walls = (np.abs(shown.vertices[:, 1] - floor) > 1e-4) & (shown.vertices[:, 0] < -0.01)
    places = shown.vertices[walls] / np.ptp(shown.vertices[:, 2]) * 2
    expected = places[:, :2] / 2 + 0.5
    np.testing.assert_allclose(shown.visual.uv[walls], expected, atol=0.02)
    together = trimesh.util.concatenate([trimesh.Trimesh(half.vertices, half.faces) for half in halves])
    together.merge_vertices()
    assert together.is_watertight
    assert together.volume > 0


def refused(output: Output, *arguments: Any) -> str:
    code, out, err = inspect(output, *arguments)
    assert code == 1
    assert out == ""
    return err


def test_what_cannot_stand_says_so_and_nothing_is_written(tmp_path: Path, capsys: Output, ball: Path) -> None:
    out, cone, half = tmp_path / "out.stl", tmp_path / "cone.ply", tmp_path / "half.ply"
    shape = trimesh.creation.cone(0.1, 1)
    shape.apply_transform(trimesh.transformations.euler_matrix(np.pi, 0, 0))
    shape.export(cone)
    trimesh.Trimesh(shape.vertices, shape.faces[:-3]).export(half)
    assert "lowest tenth" in refused(capsys, cone, "--stand", out)
    assert "not closed" in refused(capsys, half, "--stand", out)
    assert "several meshes" in refused(capsys, cone, half, "--stand", out)
    assert "is read" in refused(capsys, ball, "--stand", ball, "--overwrite")
    assert not out.exists()
    out.write_bytes(b"mine")
    assert "is there already" in refused(capsys, ball, "--stand", out)
    assert out.read_bytes() == b"mine"
