# SPDX-License-Identifier: GPL-3.0-or-later
"""New meshes are saved as files if the artist's preferences say so: one a turn of Blender's, after they have come."""

import logging
from collections import deque
from collections.abc import Iterable

import bpy

from .errors import AddonError
from .link import occupied, runtime
from .scene import saving
from .scene.held import held
from .scene.windows import in_window_of

TICK_SECONDS = 0.05
REST_SECONDS = 0.5  # while the artist is in the middle of something

log = logging.getLogger(__name__)

_due: deque[tuple[int, int, str]] = deque()  # the session UIDs of an object and of its scene, and the format


def soon(scene: bpy.types.Scene, things: Iterable[bpy.types.Object]) -> None:
    """Save those objects that are meshes, if the preferences say so; without a window, now.

    If one is not saved, the panel says why. One that is gone by then is not.
    """
    kind = runtime.saves_new()
    if kind is None:
        return
    _due.extend((thing.session_uid, scene.session_uid, kind) for thing in things if thing.type == "MESH")
    if not runtime.has_window():
        while _due:
            _save(*_due.popleft())
    elif not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)


def register() -> None:
    """Begin with nothing to save."""
    _due.clear()


def unregister() -> None:
    """Save no more."""
    _due.clear()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def _tick() -> float | None:
    if _due and occupied.until():  # exporters change what is selected, and leave the mode
        return REST_SECONDS
    if _due:
        _save(*_due.popleft())
        runtime.redraw()
    return TICK_SECONDS if _due else None


def _save(uid: int, scene_uid: int, kind: str) -> None:
    """Save one object; the panel says if that fails."""
    thing, scene = held(bpy.data.objects, uid), held(bpy.data.scenes, scene_uid)
    if thing is None or scene is None:
        return
    try:
        with in_window_of(scene):
            saving.save(bpy.context, thing, kind)
    except AddonError as error:
        runtime.session().notice = str(error)
    except Exception:  # else Blender would drop the timer, and the other meshes with it
        log.exception("a new mesh was not saved")
        runtime.session().notice = "A new mesh was not saved. Use File > Export instead."
