# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of the engine's settings, with a real mouse in a real window."""

from pathlib import Path

import pytest

from tests.gui.blender import NOWHERE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

BUTTON = 0.85  # of the sidebar's width: the icon beside the engine
GAME_ASSET = 128  # pixels below it, in what it opens
PLUS = (1.15, 166)  # of the sidebar's width, and pixels below: beside the name of a new one
SAVED = "len(bpy.utils.preset_paths('hi3dgen/draft')) == 1"


def test_one_is_chosen_and_one_is_saved_with_the_mouse(blender: Blender, shots: Path) -> None:
    blender.ask("setattr(bpy.context.scene.hi3dgen, 'engine', 'draft')")
    left, _, width, _ = blender.ask("box('VIEW_3D')")
    _, row = blender.find("hi3dgen.engine")

    def shown(name: str) -> None:
        blender.screen.press("Escape")  # what was open stays open for another click
        blender.screen.point(*NOWHERE)
        blender.ask("redraw()")
        blender.screen.click(left + width * BUTTON, row)
        blender.shoot(shots / f"{name}.png")

    shown("presets")
    blender.screen.click(left + width * BUTTON, row + GAME_ASSET)
    blender.wait("bpy.context.scene.hi3dgen_draft.faces == 5000")
    shown("none saved")
    blender.screen.click(left + width * PLUS[0], row + PLUS[1])
    blender.wait(SAVED)
    shown("one saved")
    blender.screen.press("Escape")
    blender.screen.point(*NOWHERE)
