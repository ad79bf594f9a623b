# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests need from outside the checkout, and the sentence that a test without it is skipped with."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

WINDOW_TOOLS = ("Xvfb", "xdotool", "import")  # a screen, a hand for its mouse and keyboard, a camera


@pytest.fixture(scope="session")
def real_blender() -> Callable[[str], list[str | Path]]:
    """A function from `blender`, `Xvfb`, `xdotool` or `import` to the beginning of the command that runs it.

    HI3DGEN_BLENDER names the `blender` command. Where it lives in a chroot, the command `run` beside it runs the
    other tools in there; else they are looked for on PATH.
    """
    named = os.environ.get("HI3DGEN_BLENDER", "")
    blender = shutil.which(named)
    if blender is None:
        state = f"HI3DGEN_BLENDER is {named!r}, which is no command" if named else "HI3DGEN_BLENDER is not set"
        pytest.skip(f"{state}: set it to the path of Blender 4.2 or newer, such as /usr/bin/blender")
    run = Path(blender).with_name("run")
    within: list[str | Path] = [run] if run.exists() else []
    lacking = [] if within else [tool for tool in WINDOW_TOOLS if shutil.which(tool) is None]
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not found: a window is tested with xvfb, xdotool and ImageMagick")
    return lambda tool: [blender] if tool == "blender" else [*within, tool]
