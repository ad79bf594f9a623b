# SPDX-License-Identifier: GPL-3.0-or-later
"""The Blender that HI3DGEN_BLENDER names can be run, and so can the tools that a window is tested with."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.window


def test_blender_runs_scripts_on_shared_paths(real_blender: Callable[[str], list[str | Path]], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import bpy, pathlib\npathlib.Path(__file__).with_name('seen').write_text(str(bpy.app.version))\n"
    )
    subprocess.run([*real_blender("blender"), "-b", "--factory-startup", "-P", script], check=True, timeout=100)
    assert (tmp_path / "seen").read_text() >= "(4, 2"


@pytest.mark.parametrize(("tool", "option"), [("Xvfb", "-help"), ("xdotool", "version"), ("import", "-version")])
def test_the_tools_answer(real_blender: Callable[[str], list[str | Path]], tool: str, option: str) -> None:
    answered = subprocess.run([*real_blender(tool), option], capture_output=True, check=False, timeout=60)
    assert answered.stdout or answered.stderr
    assert answered.returncode in {0, 1}  # Xvfb -help ends with 1; a tool that is not there with 127
