# SPDX-License-Identifier: GPL-3.0-or-later
"""Re-rolls, and the one that is kept, with a real mouse in a real window."""

from pathlib import Path

import pytest

from tests.gui.blender import NOWHERE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

QUICK = 128
SEED = "bpy.context.object['hi3dgen']['seed']"
SEEN = "sorted(o['hi3dgen']['seed'] for o in bpy.context.scene.objects if 'hi3dgen' in o and o.visible_get())"
LEFT, RIGHT = 0.08, 0.84  # the icons at the ends of a row, in widths of the sidebar


def test_another_roll_stands_beside_and_the_one_that_is_kept_parks_it(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.click("hi3dgen.generate(")
    blender.wait(f"{SEEN} == [0]")
    blender.click("hi3dgen.reroll(", across=RIGHT)
    blender.wait(f"{SEEN} == [0, 1]")
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "rolled.png")
    blender.click("hi3dgen.keep_variation(", across=0.45)
    blender.wait(f"{SEEN} == [1]")
    blender.click("hi3dgen.step_variation(", across=LEFT)
    blender.wait(f"{SEEN} == [0] and {SEED} == 0")
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "the other one.png")
    blender.point_at()
    blender.screen.press("ctrl+z")
    blender.wait(f"{SEEN} == [1]")
