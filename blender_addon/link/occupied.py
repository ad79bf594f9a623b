# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender or the artist is in the middle of, and what a new object or a pressed key would spoil."""

import time

import bpy

from ..language.words import say

REST_SECONDS = 1.0

_JOBS = ("RENDER", "OBJECT_BAKE")
_VIEWPORT_RENDER = "RENDER_OT_opengl"  # renders an animation of the viewport without a job
_PAINTS = "PAINT_OT_"  # a stroke makes its undo step itself, and another one must not come in between


_busy_at = 0.0
_rested = True  # as `watch` said last


def until() -> str:
    """When what is made can come into the scene, as the end of “It comes when …”; empty if it can come now.

    A new object takes over as the active one, which would throw the artist out of the mode that they work in. It would
    pop up in the middle of an animation. And the undo step that comes with it would keep a half-done drag.
    """
    if ended := rendering_until():
        return ended
    windows = bpy.context.window_manager.windows
    for thing in [*(window.view_layer.objects.active for window in windows), bpy.context.view_layer.objects.active]:
        if thing and thing.mode != "OBJECT":
            return say("you leave {mode}", mode=_name_of_mode(thing))
    if bpy.context.mode != "OBJECT":
        return say("you are in Object Mode")
    return say("the drag has ended") if any(_drags(operator) for operator in _modal_operators()) else ""


def rendering_until() -> str:
    """When the render or bake that runs has ended, as the end of “It starts when …”; empty if none runs.

    Blender's own operator of a render is no sign of one: it stays until the mouse moves over the render's window.
    """
    renders, bakes = (bpy.app.is_job_running(job) for job in _JOBS)
    if renders or (not bakes and any(operator.bl_idname == _VIEWPORT_RENDER for operator in _modal_operators())):
        return say("the render has ended")
    return say("the bake has ended") if bakes else ""


def watch() -> bool:
    """Notice if the artist is in the middle of something; to be called again and again. Returns if `at_rest` is new."""
    global _busy_at, _rested  # noqa: PLW0603 - there is one artist
    if until() or any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows):
        _busy_at = time.monotonic()
    before, _rested = _rested, at_rest()
    return _rested != before


def at_rest() -> bool:
    """Whether the artist was not in the middle of anything lately, as `watch` saw it.

    Whoever presses Escape once too often, to end a drag or a playback, does not mean a job.
    """
    return time.monotonic() - _busy_at > REST_SECONDS


def _modal_operators() -> list[bpy.types.Operator]:
    return [operator for window in bpy.context.window_manager.windows for operator in window.modal_operators]


def _name_of_mode(thing: bpy.types.Object) -> str:
    """As Blender calls it in the artist's language."""
    name = thing.bl_rna.properties["mode"].enum_items[thing.mode].name
    return bpy.app.translations.pgettext_iface(name)


def _drags(operator: bpy.types.Operator) -> bool:
    """Whether it holds the mouse until the artist confirms a change; others may run as long as Blender does."""
    return "BLOCKING" in operator.bl_options and ("UNDO" in operator.bl_options or _PAINTS in operator.bl_idname)
