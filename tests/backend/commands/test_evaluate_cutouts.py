# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut-outs of a folder and of made-up pictures are measured from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

from PIL import Image

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(300)  # the first pictures of a fresh checkout are compiled


def evaluate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", "evaluate", "cutouts", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_folder_is_measured_picture_by_picture(tmp_path: Path) -> None:
    y, x = np.mgrid[:100, :100]
    body = np.hypot(x - 50, y - 50) < 30
    for part, image in (("plain", np.where(body[..., None], (200, 40, 30), 255)), ("mask", body * 255)):
        (tmp_path / part).mkdir()
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / part / "disc.png")
    (tmp_path / "plain" / "broken.png").write_text("no picture")
    (tmp_path / "mask" / "broken.png").write_text("no picture")
    wide = np.pad(np.asarray(Image.open(tmp_path / "plain" / "disc.png")), ((0, 0), (0, 60), (0, 0)), mode="edge")
    for part, image in (("plain", wide), ("mask", np.pad(body * 255, ((0, 0), (0, 60))))):
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / part / "wide.png")
    Image.fromarray(wide).save(tmp_path / "plain" / "other.png")
    Image.fromarray(body.astype(np.uint8)).save(tmp_path / "mask" / "other.png")
    done = evaluate(tmp_path, "--json", "--sheet", tmp_path / "sheet.png")
    assert done.returncode == 1  # two could not be measured
    lines = json.loads(done.stdout)
    assert [line["name"] for line in lines] == ["disc", "wide"]
    assert min(line["mean"] for line in lines) > 0.97
    assert sum(line["bad"] for line in lines) == 0
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["broken", "other"]
    assert Image.open(tmp_path / "sheet.png").size == (2 * 256, 2 * 256)
    read = (tmp_path / "plain" / "disc.png").read_bytes()
    assert evaluate(tmp_path, "--sheet", tmp_path / "plain" / "disc.png").returncode == 1
    assert (tmp_path / "plain" / "disc.png").read_bytes() == read


@pytest.mark.slow
def test_made_up_pictures_are_measured_by_kind() -> None:
    done = evaluate("--count", "1", "--seed", "2")
    assert done.returncode == 0, done.stderr
    assert [line[:12].strip() for line in done.stdout.splitlines()[1:]] == [
        *("plain", "graded", "own colour", "hard shadow", "cut off", "framed", "grainy", "textured", "table and wa"),
        *("out of focus", "photograph", "reflection", "marked", "glass", "close", "drawn", "written", "all"),
    ]


def test_colours_alone_are_measured_without_the_network(tmp_path: Path) -> None:
    y, x = np.mgrid[:160, :160]
    ball = np.hypot(x - 80, y - 90) < 45
    shade = np.clip(1.1 - np.hypot(x - 65, y - 70) / 120, 0, 1)[..., None]
    ground = np.where((y < 90)[..., None], (205, 198, 180), (125, 92, 66))  # a wall and a table
    for part, image in (("plain", np.where(ball[..., None], shade * (70, 120, 180), ground)), ("mask", ball * 255)):
        (tmp_path / part).mkdir()
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / part / "ball.png")
    guided, alone = (evaluate(tmp_path, "--json", *arguments) for arguments in ((), ("--colours-alone",)))
    assert guided.returncode == alone.returncode == 0
    assert json.loads(guided.stdout)[0]["mean"] > 0.9
    assert json.loads(alone.stdout)[0]["refused"] == 1


@pytest.mark.parametrize("arguments", [("--count", "0"), ("nowhere",)])
def test_what_cannot_be_measured_is_a_sentence(arguments: tuple[str, ...]) -> None:
    done = evaluate(*arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
