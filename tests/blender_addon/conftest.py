# SPDX-License-Identifier: GPL-3.0-or-later
"""The real extension in a real bpy: the checkout is linked into a fresh user folder and enabled as an extension."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
MODULE = "bl_ext.user_default.hi3dgen"

_resources = tempfile.TemporaryDirectory()
os.environ["BLENDER_USER_RESOURCES"] = _resources.name  # bpy reads it when it is imported
os.environ["HI3DGEN_USER_FOLDER"] = str(Path(_resources.name, "data"))

bpy = pytest.importorskip("bpy", reason="needs Blender as a module: python3 scripts/test.py installs it")


@pytest.fixture(scope="session")
def extension() -> Iterator[ModuleType]:
    """The enabled extension's module."""
    import addon_utils

    folder = Path(_resources.name, "extensions", "user_default")
    folder.mkdir(parents=True)
    (folder / "hi3dgen").symlink_to(CHECKOUT, target_is_directory=True)
    module = addon_utils.enable(MODULE, default_set=True)
    assert module is not None
    yield module
    addon_utils.disable(MODULE, default_set=True)


@pytest.fixture
def scene(extension: ModuleType) -> Iterator[Any]:
    """An empty scene of a fresh file, with the extension at rest and its preferences as at first.

    The backend goes on from test to test: its start costs more than most of its jobs. Factory settings would end it,
    because they disable extensions.
    """
    from importlib import import_module

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if not hasattr(bpy.types.Scene, "hi3dgen"):  # a test has read factory settings
        import addon_utils

        addon_utils.enable(MODULE, default_set=True)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    for name in type(preferences).__annotations__:
        preferences.property_unset(name)
    session = import_module(f"{MODULE}.blender_addon.link.runtime").session()
    session.try_again()
    session.deaths, session.error, session.notice = 0, None, ""
    bpy.context.scene.hi3dgen_draft.resolution = 64  # quick, and large enough to see everything
    bpy.context.scene.hi3dgen_draft.colours = "front"  # those of all sides take longer than all the rest
    yield bpy.context.scene
    for job in session.jobs:
        session.cancel(job)
    session.jobs.clear()


@pytest.fixture
def all_round(scene: Any) -> None:
    """The scene's meshes get colours all round, as they do for an artist."""
    scene.hi3dgen_draft.colours = "all_round"


@pytest.fixture
def session(scene: Any) -> Any:
    """The add-on's session."""
    from importlib import import_module

    return import_module(f"{MODULE}.blender_addon.link.runtime").session()


@pytest.fixture
def engines(scene: Any, session: Any) -> Iterator[ModuleType]:
    """The add-on's module of that name; it knows the real engines before and after."""
    from importlib import import_module

    module = import_module(f"{MODULE}.blender_addon.link.engines")
    messages = import_module(f"{MODULE}.backend.wire.messages")
    usual, tools, extension = module.known(), module.of_views(), session.extension
    yield module
    session.close()
    session.extension, session.capabilities = extension, None
    module.hear(messages.Capabilities("0.0.0", usual, tools), session.user_folder)
    module.learn()
    assert module.known() == usual


@pytest.fixture
def use_backend(session: Any, tmp_path: Path) -> Iterator[Callable[[Path, str], None]]:
    """Call it with a script that is run as the backend is, and the name of an engine that it has more than ours.

    The engines are as they were afterwards.
    """
    from importlib import import_module

    from tests.blender_addon.scripted import write_program
    from tests.blender_addon.support import tick_until

    engines = import_module(f"{MODULE}.blender_addon.link.engines")
    extension, name = session.extension, ""

    def use(script: Path, engine: str) -> None:
        nonlocal name
        name = engine
        session.close()
        program = f"""
import runpy, sys
del sys.modules["backend"]  # this folder's, which holds nothing else
runpy.run_path({str(script)!r}, run_name="__main__")
"""
        session.extension = write_program(tmp_path, program)
        session.start()
        tick_until(session, lambda: session.engine(name) is not None)
        engines.learn()

    yield use
    session.close()
    session.extension = extension
    session.start()
    tick_until(session, lambda: session.phase.name == "READY" and session.engine(name) is None)
    engines.learn()


@pytest.fixture
def command(scene: Any) -> Callable[[list[str]], int]:
    """The function of `blender --command hi3dgen`."""
    from importlib import import_module

    return import_module(f"{MODULE}.blender_addon.command").run


@pytest.fixture
def picture_file(tmp_path: Path) -> Path:
    """A PNG file of a disc."""
    from PIL import Image

    from tests.blender_addon.support import disc

    path = tmp_path / "apple.png"
    Image.fromarray(disc()).save(path)
    return path
