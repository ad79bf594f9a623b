# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycles shows the very shapes of the fast maker, with the same normals."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender as a module is not installed here")
pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

from backend.files.pictures import read_picture
from backend.training.normals.folder import names, pictured
from backend.training.shapes import draw_camera
from backend.training.shapes.sculptures import draw_shape
from backend.training.shapes.tracing import look

ROOT = Path(__file__).parents[2]
SIZE = 96


def render(folder: Path, count: int) -> None:
    script = ROOT / "scripts" / "render_training_set.py"
    command = [sys.executable, script, folder, "--count", str(count), "--size", str(SIZE), "--seed", "5", "--pristine"]
    subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_picture_is_the_same_to_the_bit_again(tmp_path: Path) -> None:
    for again in ("one", "other"):
        render(tmp_path / again, count=1)
    for part in ("images", "mask", "normals"):
        one, other = ((tmp_path / again / part / "00000.png").read_bytes() for again in ("one", "other"))
        assert one == other


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pristine_pictures_have_the_normals_of_their_shapes(tmp_path: Path) -> None:
    render(tmp_path, count=2)
    assert names(tmp_path) == ("00000.png", "00001.png")
    for index, name in enumerate(names(tmp_path)):
        shown = pictured(tmp_path, name, read_picture)
        rng = np.random.default_rng([5, index, 1])
        shape = draw_shape(rng)
        camera = draw_camera(rng, shape)
        surface = look(shape, camera._replace(half=camera.half * 1.2), SIZE)
        coverage = shown.picture[..., 3]
        assert np.mean((coverage > 127) == surface.hit) > 0.98
        both = surface.hit & (coverage == 255)
        cosine = (surface.normals @ camera.turn.T * shown.normals).sum(axis=2)[both]
        # Edges and reliefs finer than a pixel are averaged in the one and asked at a point in the other.
        assert np.median(np.degrees(np.arccos(cosine.clip(-1, 1)))) < 6
        assert shown.picture[both][:, :3].std() > 10
