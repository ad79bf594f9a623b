# SPDX-License-Identifier: GPL-3.0-or-later
"""What ties the session to Blender: the timer that ticks it, the handlers that protect it, and its one instance."""

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ...backend.wire.messages import Capabilities, EngineInfo
from .. import extension
from ..language.words import translated
from . import engines, occupied
from .data_folder import move_out
from .phase import Phase
from .process import Options
from .saved_jobs import SavedJobs
from .series import is_on_disk
from .session import Session

IDLE_MINUTES = 15
CACHE_MEGABYTES = 512
CHANGE_SECONDS = 1.0  # a number that is dragged changes many times
STATUS_SECONDS = 2.0
TICK_SECONDS = 0.05
REST_SECONDS = 1.0  # between looks whether there is something to wait for again
QUIT_SECONDS = 5.0
BY_PATH = "PATH"  # see the preferences
NEVER = "NEVER"
THIS_COMPUTER, OVER_SSH = "THIS", "SSH"
GET_AGAIN = "Generate again with the same seed to get the same."
PANEL_AREAS = {"VIEW_3D", "IMAGE_EDITOR"}

log = logging.getLogger(__name__)

_session: Session | None = None
_saved_jobs: SavedJobs | None = None
_not_moved = ""


def session() -> Session:
    """The session, made when it is first asked for."""
    global _session, _not_moved  # noqa: PLW0603 - Blender calls functions, and they need to find it
    if _session is None:
        folder = extension.user_folder()
        _not_moved = move_out(folder)

        def hear(capabilities: Capabilities) -> None:
            engines.hear(capabilities, folder, keep=not computer())

        _session = Session(extension.FOLDER, folder, occupied.until, options, hear, occupied.rendering_until)
    return _session


def why_missing(engine: EngineInfo | None) -> str:
    """Why an engine or tool cannot run, as the running backend reports; empty if it can, and if no backend runs."""
    info = session().engine(engine.name) if engine else None
    return info.missing if info else ""


def saved_jobs() -> SavedJobs:
    """The jobs of many pictures that are on the disk."""
    global _saved_jobs  # noqa: PLW0603 - as above
    if _saved_jobs is None:
        _saved_jobs = SavedJobs(session().user_folder)
    return _saved_jobs


def not_moved() -> str:
    """Why environment or weights could not be moved out of the extension's user folder, and what to do; else empty."""
    return _not_moved


def options() -> Options:
    """What the artist's preferences tell a backend when it starts."""
    usual = Options()
    return Options(
        idle_seconds=60.0 * _preference("idle_minutes", default=IDLE_MINUTES),
        cache_bytes=1_000_000 * _preference("cache_megabytes", default=CACHE_MEGABYTES),
        log_level=_preference("log_level", default=usual.log_level),
        device=_preference("device", default=usual.device).strip() or inherited_device(),
        upscaler=bpy.path.abspath(_preference("upscaler", default=usual.upscaler).strip()),
        computer=computer(),
        online=bpy.app.online_access,
    )


def computer() -> str:
    """What ssh calls the computer that does the work; empty for this one."""
    is_there = _preference("computer", default=THIS_COMPUTER) == OVER_SSH
    return _preference("ssh_name", default="").strip() if is_there else ""


def inherited_device() -> str:
    """The device that a terminal has chosen for what is started in it; empty for the best, as on another computer."""
    return "" if computer() else os.environ.get("HI3DGEN_DEVICE", "")


def options_changed() -> None:
    """Let the backend, which takes its options when it starts, start anew as soon as no job runs."""
    if not has_window():
        _start_anew()
        return
    if bpy.app.timers.is_registered(_start_anew):
        bpy.app.timers.unregister(_start_anew)
    bpy.app.timers.register(_start_anew, first_interval=CHANGE_SECONDS, persistent=True)


def computer_changed() -> None:
    """Let the backend start on another computer, also if that was given up on the one before."""
    session().try_again()
    session().capabilities, session().deaths = None, 0
    options_changed()


def ask_status() -> None:
    """Ask the backend soon what it holds, if it was not asked just now; callable from a draw."""
    if has_window() and session().phase is Phase.READY and not bpy.app.timers.is_registered(_ask_status):
        bpy.app.timers.register(_ask_status, first_interval=STATUS_SECONDS)


def keeps_by_path() -> bool:
    """Whether a material may show a picture from the picture's own file."""
    return _preference("keep_pictures", default=BY_PATH) == BY_PATH


def saves_new() -> str | None:
    """The format in which meshes that come are saved at once; None if they are not."""
    kind = _preference("save_new", default=NEVER)
    return None if kind == NEVER else kind


def has_window() -> bool:
    """Whether timers fire: they do not in `blender -b` and in the bpy module."""
    return not bpy.app.background


def keep_ticking() -> None:
    """Tick the session by a timer until it has nothing to wait for."""
    if has_window() and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, persistent=True)


def warm_up() -> None:
    """Start the backend soon, so that the first click finds it ready. Callable from a panel's draw."""
    untried = session().capabilities is None and session().deaths == 0 and session().error is None
    if has_window() and untried and not bpy.app.timers.is_registered(_warm_up):
        bpy.app.timers.register(_warm_up)


def redraw() -> None:
    """Show what is new, in the panels and in the status bars."""
    manager = bpy.context.window_manager
    manager.extensions_updates = manager.extensions_updates  # the same number: any write draws the status bars
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type in PANEL_AREAS:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
            elif area.type == "PREFERENCES":
                area.tag_redraw()


def register() -> None:
    """Watch for other files being opened, and for renders."""
    _survive_broken_pipes()
    if bpy.app.background:
        atexit.register(_before_python_ends)
    bpy.app.handlers.load_pre.append(_before_other_file)
    bpy.app.handlers.render_init.append(_before_rendering)


def unregister() -> None:
    """End the backend and leave no timer behind."""
    global _session, _saved_jobs  # noqa: PLW0603
    atexit.unregister(_before_python_ends)
    bpy.app.handlers.load_pre.remove(_before_other_file)
    bpy.app.handlers.render_init.remove(_before_rendering)
    for timer in (_tick, _look, _warm_up, _start_anew, _ask_status):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    if _session is not None:
        _session.close()
        _session = None
    if _saved_jobs is not None:
        _saved_jobs.close()
        _saved_jobs = None


def _survive_broken_pipes() -> None:
    """Let writing to a backend that is gone raise an error, as it does in every other Python.

    Blender starts its Python without that, and the signal would end Blender. It stays so when the extension is
    disabled: its threads may write on for a moment.
    """
    if hasattr(signal, "SIGPIPE") and signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL:  # Windows has none
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _before_python_ends() -> None:
    """End the backend and the threads that listen to it: one that still runs makes the bpy module hang as it goes."""
    if _session is not None:
        _session.close()
    deadline = time.monotonic() + QUIT_SECONDS
    for thread in threading.enumerate():
        if thread.name.startswith("hi3dgen "):
            thread.join(max(deadline - time.monotonic(), 0.0))


def _tick() -> float | None:
    new = occupied.watch()
    live = [job for job in session().jobs if job.live and job.is_shown]
    new |= session().tick()
    for job in live:
        if not job.live and job.error:
            try:
                _say(f"{job.title}: {translated(str(job.error))}")
            except Exception:  # else Blender would drop the timer, and all jobs would stand still
                log.exception("Blender did not show an error")
    if engines.learn() or new:
        redraw()
    if session().live:
        return TICK_SECONDS
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=REST_SECONDS, persistent=True)
    return None


def _look() -> float | None:
    """Let ticks go on if a render, whose thread may start no timer, has asked the backend for something."""
    if session().live:
        keep_ticking()
        return None
    return REST_SECONDS if session().phase is Phase.READY else None


def _say(sentence: str) -> None:
    """Report that something went wrong, in the status bar: a job may have been started where no panel is seen."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.hi3dgen.report("INVOKE_DEFAULT", sentence=sentence, warning=True)


def _warm_up() -> None:
    if session().phase is Phase.STOPPED and session().capabilities is None:
        session().start()
        keep_ticking()


def _start_anew() -> float | None:
    if _session is not None and _session.phase in (Phase.STARTING, Phase.READY):
        if any(job.live for job in _session.jobs):
            return CHANGE_SECONDS
        _session.close()
        if has_window():
            _session.start()
            keep_ticking()
    return None


def _ask_status() -> None:
    session().ask_status()
    keep_ticking()


@persistent
def _before_other_file(*_: object) -> None:
    """What was asked for in one file must not land in another, nor be complained of there.

    What was finished and waited to land is named: the artist saw it offered, and it is gone. What a job of many
    pictures has made is on the disk.
    """
    waited = [job.name for job in session().jobs if job.is_finished and not job.aside and not is_on_disk(job)]
    for job in session().jobs:
        session().cancel(job)
    if session().phase is not Phase.BROKEN:
        session().error = None
    if waited:
        session().notice = _dropped(waited)


def _dropped(names: Sequence[str]) -> str:
    """That what was finished has not come into the file that it was made for, and what to do."""
    if len(names) == 1:
        return f"{names[0]}: this was finished, and was dropped because a file was opened before it came. {GET_AGAIN}"
    listed = ", ".join(names)
    return f"{listed}: these were finished, and were dropped because a file was opened before they came. {GET_AGAIN}"


@persistent
def _before_rendering(*_: object) -> None:
    """Cycles wants the graphics card. Called in the render's own thread: it makes no session, and changes no bpy data.

    The answer is read when `_look` has noticed that it is waited for.
    """
    if _session is not None and _preference("free_when_rendering", default=True):
        _session.unload()


def _preference(name: str, *, default: Any) -> Any:  # noqa: ANN401 - of any kind
    """What the artist chose in the extension's preferences; `default` while Blender knows none of it."""
    addon = bpy.context.preferences.addons.get(extension.PACKAGE)
    return getattr(addon.preferences, name, default) if addon else default
