# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend world`: a photograph with its lens becomes light in a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.__main__ import main
from backend.batch.running import Task
from backend.batch.worker import make
from backend.engines import ENGINES
from backend.files.lens import lens_of
from backend.flow.pipeline import Pipeline
from tests.backend.engines.world.scenes import outdoors
from tests.backend.raster.test_radiance import read

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")

Output = pytest.CaptureFixture[str]
FULL_FRAME_28 = 65.47  # degrees across 36 mm


def photograph(path: Path, orientation: int = 1, focal: int = 28, size: tuple[int, int] = (60, 40)) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0xA405] = focal
    Image.fromarray(outdoors(*size)[..., :3]).save(path, exif=exif)
    return path


def test_a_lens_is_as_wide_as_its_equivalent(tmp_path: Path) -> None:
    assert lens_of(photograph(tmp_path / "a.jpg")) == pytest.approx(FULL_FRAME_28, abs=0.01)
    upright = 2 * np.degrees(np.arctan(12 / 28))  # across 24 mm
    assert lens_of(photograph(tmp_path / "b.jpg", orientation=6)) == pytest.approx(upright, abs=0.01)
    assert lens_of(photograph(tmp_path / "c.jpg", focal=0)) == 0
    assert lens_of(photograph(tmp_path / "c.jpg", focal=3)) == 0, "a fisheye's, wider than any setting takes"
    (tmp_path / "d.jpg").write_bytes(b"no picture")
    assert lens_of(tmp_path / "d.jpg") == 0


def test_a_photograph_becomes_light(tmp_path: Path, capsys: Output) -> None:
    picture, out = photograph(tmp_path / "a.jpg"), tmp_path / "a.hdr"
    arguments = ["world", str(picture), "-o", str(out), "--set", "width=1024", "--json"]
    assert main(arguments) == 0
    said: Any = json.loads(capsys.readouterr().out)
    assert (said["width"], said["height"]) == (1024, 512)
    assert said["recipe"]["settings"]["fov"] == pytest.approx(FULL_FRAME_28, abs=0.01)
    assert len(said["notes"]) == 1, "nothing of a lens that is not known"
    assert read(out.read_bytes()).shape == (512, 1024, 3)
    assert main(arguments) == 1, "it is there already"
    assert main(["world", str(picture), "-o", str(tmp_path / "a.png"), "--set", "width=1024", "--set", "fov=90"]) == 0
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1024, 512)


def test_generate_and_batches_know_the_lens_too(tmp_path: Path, capsys: Output) -> None:
    picture = photograph(tmp_path / "a.jpg")
    made = [tmp_path / "world.hdr", tmp_path / "generate.hdr", tmp_path / "a.hdr"]
    assert main(["world", str(picture), "-o", str(made[0]), "--set", "width=1024"]) == 0
    assert main(["generate", str(picture), "-o", str(made[1]), "--engine", "world", "--set", "width=1024"]) == 0
    request = {"engine": "world", "seed": 0, "count": 1, "settings": {"width": "1024", "fov": 0.0}}
    paths = {"picture": str(picture)}
    task = Task("a.jpg", "a", paths, {**request, "products": ["panorama"]}, str(tmp_path), str(tmp_path / "tile.jpg"))
    assert make(Pipeline(ENGINES), task, lambda _: None).code == ""
    assert len({path.read_bytes() for path in made}) == 1


@pytest.mark.parametrize("name", ["a.exr", "a.jpg"])
def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path, capsys: Output, name: str) -> None:
    picture = photograph(tmp_path / "a.jpg")
    assert main(["world", str(picture), "-o", str(tmp_path / name)]) == 1
    assert "Use one of .hdr, .png." in capsys.readouterr().err


def test_a_pipeline_that_is_not_there_is_a_sentence(tmp_path: Path, capsys: Output) -> None:
    pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
    picture = photograph(tmp_path / "a.jpg")
    arguments = ["--pipeline", str(tmp_path), "--set", "width=1024"]
    assert main(["world", str(picture), "-o", str(tmp_path / "a.hdr"), *arguments]) == 1
    assert "There is no pipeline in" in capsys.readouterr().err
    assert not (tmp_path / "a.hdr").exists()
