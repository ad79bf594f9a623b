# SPDX-License-Identifier: GPL-3.0-or-later
"""What helps to find out what went wrong: the whole log, and a report for the clipboard."""

import time

import bpy

from ..language.words import translated
from ..link import runtime, setup_timer
from ..link.process import log_file
from ..link.setup_timer import setup
from .report import report

_LOOK_SECONDS = 0.1
_COPIED = (
    "The report is in the clipboard. Paths and names that could be told were taken out: read it before you send it."
)


class HI3DGEN_OT_open_log(bpy.types.Operator):  # noqa: N801 - Blender's naming
    """Open the whole log of the backend in the system's program for text"""

    bl_idname = "hi3dgen.open_log"
    bl_label = "Open Log"
    bl_options = set()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Open it."""
        path = log_file(runtime.session().user_folder)
        if not path.exists():
            sentence = "The backend has not written a log yet. Press Generate, and try again."
            self.report({"ERROR"}, translated(sentence))
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(path))
        return {"FINISHED"}


class HI3DGEN_OT_copy_report(bpy.types.Operator):  # noqa: N801
    """Copy versions, devices, memory and the last errors, without the paths and names that can be told"""

    bl_idname = "hi3dgen.copy_report"
    bl_label = "Copy Report"
    bl_options = set()

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask what can run here now, and go on when it is known, which takes some seconds with PyTorch."""
        _ask()
        self._timer = context.window_manager.event_timer_add(_LOOK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Look whether the answer has come; all other events are the artist's."""
        if event.type != "TIMER" or setup().examining:
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        return self._copy(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask, wait for the answer, and copy it."""
        _ask()
        while setup().examining:
            setup().tick()
            time.sleep(_LOOK_SECONDS / 10)
        return self._copy(context)

    def _copy(self, context: bpy.types.Context) -> set[str]:
        """Copy it; without a window, print it."""
        if runtime.has_window():
            context.window_manager.clipboard = report()
            self.report({"INFO"}, translated(_COPIED))
        else:
            print(report(), end="")
        return {"FINISHED"}


CLASSES = (HI3DGEN_OT_open_log, HI3DGEN_OT_copy_report)


def _ask() -> None:
    if bpy.app.online_access or not runtime.computer():
        setup().ask_doctor(runtime.options().device)
    setup_timer.keep_ticking()
