# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on another computer, over a real sshd: what the preferences, the panel's errors and the scene get of it."""

from collections.abc import Generator
from importlib import import_module
from typing import Any

import bpy
import pytest

from tests.blender_addon.support import MODULE, disc, image_of, tick_until
from tests.other_computer import NAME, OtherComputer, wait_until
from tests.other_computer import other_computer as other_computer  # noqa: PLC0414 - a fixture


@pytest.fixture
def far(other_computer: OtherComputer, scene: Any, monkeypatch: pytest.MonkeyPatch) -> Generator[OtherComputer]:
    """The other computer, which the preferences name, after `scene` has reset them."""
    monkeypatch.setenv("PATH", other_computer.path)
    system = bpy.context.preferences.system
    was_online, system.use_online_access = system.use_online_access, True
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.ssh_name, preferences.computer = NAME, "SSH"
    yield other_computer
    preferences.computer, preferences.ssh_name = "THIS", ""
    system.use_online_access = was_online


def generate(scene: Any, resolution: int = 64) -> Any:
    image = bpy.data.images.get("plum") or image_of(disc(), "plum")
    submit = import_module(f"{MODULE}.blender_addon.generate").submit
    return submit(scene, image, "draft", 0, settings={"resolution": resolution})


def test_it_is_set_up_makes_meshes_is_lost_and_found(far: OtherComputer, scene: Any, session: Any) -> None:
    job = generate(scene)
    tick_until(session, lambda: not job.live)
    assert job.error.code == "computer-not-set-up"
    assert "Set it up" in job.error.advice

    assert bpy.ops.hi3dgen.copy_to_computer() == {"FINISHED"}
    objects = len(bpy.data.objects)
    job = generate(scene)
    tick_until(session, lambda: not job.live)
    assert job.error is None
    assert len(bpy.data.objects) == objects + 1
    assert len(far.backends()) == 1

    cut = generate(scene, 1024)
    tick_until(session, lambda: cut.progress is not None)
    far.cut()
    tick_until(session, lambda: not cut.live)
    assert "connection to “far” was lost" in cut.error.sentence
    job = generate(scene)
    tick_until(session, lambda: not job.live)
    assert job.error is None, "the next click connects anew"
    assert len(bpy.data.objects) == objects + 2

    killed = generate(scene, 1024)
    tick_until(session, lambda: killed.progress is not None)
    far.backends()[0].kill()
    tick_until(session, lambda: not killed.live)
    assert "the backend there ended in the middle of its work" in killed.error.sentence
    job = generate(scene)
    tick_until(session, lambda: not job.live)
    assert job.error is None, "the next click starts it anew there"

    session.close()
    wait_until(lambda: not far.backends())


@pytest.mark.usefixtures("far")
def test_blender_that_must_stay_offline_reaches_no_other_computer(scene: Any, session: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    session.close()
    job = generate(scene)
    tick_until(session, lambda: not job.live)
    assert "not allowed to go online" in job.error.sentence
    with pytest.raises(RuntimeError, match="not allowed to go online"):
        bpy.ops.hi3dgen.copy_to_computer()
    session.error, session.deaths = None, 0
