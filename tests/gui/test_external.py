# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that is a program of the artist's own, with a real mouse in a real window."""

from pathlib import Path

import pytest

from tests.backend.engines.external.describing import PROGRAM, describe
from tests.gui.blender import NOWHERE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]


def test_its_terms_and_settings_are_seen_and_a_click_makes_its_mesh(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    user = Path(blender.ask("os.environ['HI3DGEN_USER_FOLDER']"))
    user.mkdir(exist_ok=True)
    python = blender.ask("sys.executable")
    described = describe(user, command=[python, str(PROGRAM)])
    blender.ask(f"use({str(toadstool)!r}, 64)")
    blender.ask("bpy.ops.hi3dgen.restart_backend()")
    blender.wait("session().engine('box') is not None and hasattr(bpy.types.Scene, 'hi3dgen_box')")
    blender.ask("setattr(bpy.context.scene.hi3dgen, 'engine', 'box')")
    blender.ask("setattr(bpy.context.scene.hi3dgen_box, 'resolution', 64)")
    blender.find("wm.url_open")  # fails if it is not there
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "external engine.png")
    blender.click("hi3dgen.generate")
    blender.wait("session().jobs")
    blender.wait_for_job()
    assert blender.ask("bpy.context.object['hi3dgen']['engine']") == "box"
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "external mesh.png")
    described.unlink()
