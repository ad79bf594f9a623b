# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's first command, as a newcomer runs it, and what it says when it cannot."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG"
BLEND = (b"BLENDER", b"\x28\xb5\x2f\xfd")  # plain, or compressed with Zstandard


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command and return how it ended."""
    command = [sys.executable, ROOT / "scripts" / "demo.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_newcomer_sees_a_mesh(tmp_path: Path) -> None:
    for name in ("scene.blend", "mesh.glb", "normal.png", "preview.png"):
        (ROOT / "demo" / name).unlink(missing_ok=True)
    ran = demo()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = {path.name: path.read_bytes()[:8] for path in (ROOT / "demo").iterdir()}
    assert made["preview.png"].startswith(PNG)
    assert made["normal.png"].startswith(PNG)
    assert made["mesh.glb"].startswith(b"glTF")
    assert made["scene.blend"].startswith(BLEND)
    for name in made:
        assert str(ROOT / "demo" / name) in ran.stdout or name.endswith(".blend1")
    assert "From the picture to the mesh" in ran.stdout


def test_a_picture_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    ran = demo(tmp_path / "nowhere.png")
    assert ran.returncode == 1
    assert "There is no file" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_picture_that_cannot_be_cut_out_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_text("this is no picture")
    ran = demo(path)
    assert ran.returncode == 1
    assert "cannot be read as a picture" in ran.stderr
    assert "Traceback" not in ran.stderr
