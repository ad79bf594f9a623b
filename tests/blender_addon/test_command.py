# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender --command hi3dgen`, called as Blender calls it: the arguments after the name, an exit code back."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.blender_addon.support import MODULE


@pytest.fixture
def command(scene: Any) -> Callable[[list[str]], int]:
    """The command's function."""
    return import_module(f"{MODULE}.blender_addon.command").run


def test_every_picture_becomes_a_mesh_and_a_normal_map(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "more" / "apple.png"
    other.parent.mkdir()
    other.write_bytes(picture_file.read_bytes())
    output = tmp_path / "out"
    assert command([str(picture_file), str(other), "-o", str(output), "--seed", "4", "--resolution", "96"]) == 0
    made = {path.name for path in output.iterdir()}
    assert made == {"apple.glb", "apple_normals.png", "apple-2.glb", "apple-2_normals.png"}
    mesh = trimesh.load(output / "apple.glb", force="mesh")
    assert mesh.extents.max() == pytest.approx(1.0, abs=1e-3)
    assert mesh.bounds[0][1] == pytest.approx(0.0, abs=1e-4), "glTF is y up"
    assert mesh.visual.material.baseColorTexture.size == (96, 96)
    assert np.array(Image.open(output / "apple_normals.png"))[0, 0].tolist()[:3] == [255, 255, 255]


def test_one_bad_picture_does_not_keep_the_others(
    command: Callable[[list[str]], int], picture_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    missing = tmp_path / "nowhere.png"
    assert command([str(missing), str(picture_file), "-o", str(output), "--resolution", "96"]) == 1
    assert (output / "apple.glb").exists()
    sentence = capsys.readouterr().err
    assert "nowhere.png" in sentence
    assert "Traceback" not in sentence


@pytest.mark.parametrize("arguments", [[], ["a.png"], ["a.png", "-o", "out", "--seed", "-1"]])
def test_wrong_arguments_end_with_2(command: Callable[[list[str]], int], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(arguments)
    assert ended.value.code == 2
