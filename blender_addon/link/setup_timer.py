# SPDX-License-Identifier: GPL-3.0-or-later
"""What ties the setup of the engine “Networks” to Blender: the timer that ticks it, and its one instance."""

import bpy

from . import data_folder, runtime
from .setup import Setup

TICK_SECONDS = 0.1

_setup: Setup | None = None


def setup() -> Setup:
    """The setup, made when it is first asked for."""
    global _setup  # noqa: PLW0603 - Blender calls functions, and they need to find it
    if _setup is None:
        session = runtime.session()
        _setup = Setup(session.extension, session.user_folder, runtime.computer)
    return _setup


def why_they_stay() -> str:
    """Why environment or weights lie in the folder that Blender deletes, and what to do; empty if none do."""
    user_folder = setup().user_folder
    stays = data_folder.lasting_folder(user_folder)
    return data_folder.chosen_inside(user_folder) or ((runtime.not_moved() or data_folder.LATER) if stays else "")


def find_out(build: str, python: str) -> None:
    """Ask soon, if it has not been asked, what is there and what would be installed; callable from a draw.

    Asking starts processes, which takes too long for a draw.
    """

    def ask_once() -> None:  # several draws may come before it
        if _setup is not None and not _setup.asked:
            ask(build, python)

    if runtime.has_window() and not setup().asked:
        bpy.app.timers.register(ask_once, first_interval=0)


def ask(build: str, python: str) -> None:
    """Ask again what is there and what would be installed; without a window nobody sees the answer."""
    if runtime.has_window() and (bpy.app.online_access or not runtime.computer()):
        setup().ask(build, bpy.path.abspath(python), runtime.options().device)
        keep_ticking()


def ask_another_computer(build: str, python: str) -> None:
    """Forget what was known, as it was of another computer, ask again, and let the backend start there."""
    setup().forget()
    ask(build, python)
    runtime.computer_changed()


def keep_ticking() -> None:
    """Tick the setup by a timer until it has nothing to wait for."""
    if runtime.has_window() and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, persistent=True)


def start_backend_anew() -> None:
    """Start another backend if the engine has changed and no job runs, so that the panel shows what can run now."""
    session = runtime.session()
    if setup().renewed and not any(job.live for job in session.jobs):
        setup().renewed = False
        session.close()
        session.try_again()
        session.capabilities, session.deaths = None, 0
        session.start()
        runtime.keep_ticking()


def register() -> None:
    """Nothing is begun before it is asked for."""


def unregister() -> None:
    """End what is going on and leave no timer behind."""
    global _setup  # noqa: PLW0603
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if _setup is not None:
        _setup.close()
        _setup = None


def _tick() -> float | None:
    setup().tick()
    start_backend_anew()
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
    return TICK_SECONDS if setup().live or setup().renewed else None
