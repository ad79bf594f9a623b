# SPDX-License-Identifier: GPL-3.0-or-later
"""A large picture in a window: Blender goes on while it is read, and says so."""

from pathlib import Path

import numpy as np
import pytest

from tests.gui import pictures
from tests.gui.blender import Blender

pytestmark = [pytest.mark.window, pytest.mark.slow]

HOLD = """
import threading
gate, reading = threading.Event(), sys.modules[f"{MODULE}.blender_addon.scene.reading"]
touched = reading._touched
reading._touched = lambda count: gate.wait(60) and touched(count)
"""


def test_the_artist_works_on_while_a_large_picture_is_read(blender: Blender, tmp_path: Path, shots: Path) -> None:
    large = pictures.write(tmp_path / "large.png", np.repeat(np.repeat(pictures.toadstool(256), 8, 0), 8, 1))
    blender.ask(f"use({str(large)!r}, 128)")
    blender.ask(HOLD)
    blender.click("hi3dgen.generate")
    blender.wait("session().queue and session().queue[0].reading is not None")
    blender.point_at()
    blender.screen.press("g", "x", "2", "Return")
    blender.wait("bpy.data.objects['Cube'].location.x == 2.0")
    blender.shoot(shots / "reading the picture.png")
    assert blender.ask("job_state()") == "WAITING"
    blender.ask("gate.set()")
    blender.ask("setattr(reading, '_touched', touched)")
    blender.wait_for_job()
    blender.shoot(shots / "what a large picture became.png")
    assert blender.ask("bpy.context.view_layer.objects.active.name").startswith("large")
    assert blender.ask("[image.name for image in bpy.data.images if image.name.startswith('large picture')]") == []
