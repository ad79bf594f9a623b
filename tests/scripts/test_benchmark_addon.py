# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's benchmark in real Blenders, with a small picture and a small mesh."""

import sys
from importlib.util import find_spec
from pathlib import Path

import benchmark_addon
import pytest

pytest.importorskip("PIL", reason="writes pictures: pip install pillow")


ENVIRONMENT = """
import json, os, sys
from pathlib import Path
Path(sys.argv[-1]).write_text(json.dumps(dict(os.environ)), encoding="utf-8")
"""


def test_no_blender_that_is_measured_knows_the_folders_of_this_machine(tmp_path: Path) -> None:
    blender = benchmark_addon.Blender((sys.executable, "-c", ENVIRONMENT), tmp_path, busy=False)
    environment = blender.run("install")
    for name in ("BLENDER_USER_RESOURCES", "HI3DGEN_USER_FOLDER"):
        assert Path(environment[name]).is_relative_to(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("bpy") is None, reason="needs Blender as a module: python3 scripts/test.py installs it")
def test_every_number_is_measured_and_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HI3DGEN_BLENDER", raising=False)
    found = benchmark_addon.measure(benchmark_addon.PARTS, 1, 96, 1100, 2000, busy=True)
    printed = capsys.readouterr().out
    assert list(found) == list(benchmark_addon.PARTS)
    assert found["enabling"][0] > 0
    cold, warm = found["pictures"]
    for job in (cold, warm, *found["large"]):
        assert job["seconds"] > job["stages"] > 0
        assert job["making"] > 0
    assert cold["backend"] > 0
    assert found["mesh"]["triangles"] == 2 * 32**2
    assert len(found["mesh"]["landed"]) == len(found["mesh"]["imported"]) == 1
    for line in ("enabling", "96 px: the click", "1100 px: longest turn", "2048 triangles into the scene", "faster"):
        assert line in printed
