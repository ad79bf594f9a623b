# SPDX-License-Identifier: GPL-3.0-or-later
"""A Blender window on a screen of its own, with the extension that the checkout builds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui import pictures
from tests.gui.blender import Blender, install, running_blender
from tests.gui.screen import Screen, Tool, new_screen


@pytest.fixture(scope="session")
def resources(real_blender: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blender's user folder, fresh but for the installed extension."""
    return install(real_blender, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="session")
def screen(real_blender: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    """A virtual screen for the whole run: one Blender at a time."""
    with new_screen(real_blender, tmp_path_factory.mktemp("screen")) as found:
        yield found


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots go. Look at them."""
    return tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="session")
def toadstool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG file of an object on nothing."""
    return pictures.write(tmp_path_factory.mktemp("pictures") / "toadstool.png", pictures.toadstool())


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG file without an object."""
    return pictures.write(tmp_path_factory.mktemp("pictures") / "noise.png", pictures.noise())


@pytest.fixture(scope="module")
def running(
    screen: Screen, real_blender: Tool, resources: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Blender]:
    """One Blender for all tests of a module."""
    with running_blender(screen, real_blender, resources, tmp_path_factory.mktemp("blender")) as blender:
        yield blender


@pytest.fixture
def blender(running: Blender) -> Iterator[Blender]:
    """The module's Blender at rest in a new file, the extension's tab open; its console must stay clean."""
    running.wait("hasattr(bpy.types.Scene, 'hi3dgen_draft')")  # the backend may still be asked which engines there are
    running.ask("rest()")
    running.open_tab()
    said = len(running.console)
    yield running
    assert not [line for line in running.console[said:].splitlines() if "Error" in line or "Traceback" in line]
