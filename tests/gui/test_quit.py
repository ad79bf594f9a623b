# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender ends in the middle of a job: so does the backend, and nothing complains."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.gui.blender import Blender, running_blender
from tests.gui.screen import Screen, Tool, wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow]


@pytest.fixture
def own_blender(screen: Screen, real_blender: Tool, resources: Path, tmp_path: Path) -> Iterator[Blender]:
    """A Blender of this test alone, whose temporary files lie in `tmp_path`."""
    with running_blender(screen, real_blender, resources, tmp_path) as blender:
        blender.open_tab()
        yield blender


def quit_by_key(blender: Blender) -> None:
    blender.point_at()
    blender.screen.press("ctrl+q")


def kill(blender: Blender) -> None:
    blender.process.kill()


@pytest.mark.parametrize(("leave", "exit_code"), [(quit_by_key, 0), (kill, -signal.SIGKILL)])
@pytest.mark.parametrize("frozen", [False, True])
def test_the_backend_ends_with_blender(
    own_blender: Blender,
    toadstool: Path,
    tmp_path: Path,
    leave: Callable[[Blender], None],
    exit_code: int,
    frozen: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    blender = own_blender
    blender.ask("diary.stop_at = 'geometry'")
    blender.ask(f"use({str(toadstool)!r}, 1024)")
    blender.click("hi3dgen.generate(")
    blender.wait("not diary.stop_at")
    backend = psutil.Process(blender.ask("session().pid"))
    if not frozen:
        backend.resume()
    leave(blender)
    assert blender.process.wait(60) == exit_code, blender.console
    with contextlib.suppress(psutil.NoSuchProcess):  # quitting ends a frozen backend by force
        backend.resume()
    wait_until(lambda: not backend.is_running(), "the backend has ended", seconds=20)
    assert not list(tmp_path.glob("*crash*"))
