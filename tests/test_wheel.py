# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheel holds the weights of every network that ships."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools", reason="setuptools is not installed here: it builds the wheel")
pytest.importorskip("pip", reason="pip is not installed here: it builds the wheel")

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_all_weights_and_the_page_of_labels(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "backend", source / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "-q", "-w", str(tmp_path), str(source)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    weights = {path.relative_to(ROOT).as_posix() for path in (ROOT / "backend").rglob("*.npz")}
    assert len(weights) >= 3
    assert weights <= held
    assert "backend/detailverse/page.html" in held
