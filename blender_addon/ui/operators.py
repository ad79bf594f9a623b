# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators beside Generate. They work from the panel, from search (F3) and from scripts."""
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..errors import AddonError
from ..generate import wait
from ..language.words import say, translated
from ..link import runtime
from ..link.job import JobState
from ..link.phase import Phase
from ..link.process import log_file, log_tail, tail
from ..link.setup import LOG as SETUP_LOG
from ..link.waiting import wait_for_memory
from .properties import JOB
from .text import lines

EVENT_SECONDS = 0.01
LOG_LINES = 24
LOGS = [
    ("BACKEND", "Backend", "The log of what makes the meshes"),
    ("SETUP", "Setup", "The log of what installs the engine and downloads its weights"),
]
NO_LOG = "Nothing is written there yet."
LOG_WIDTH, LOG_MARGIN = 900, 30


class HI3DGEN_OT_cancel(bpy.types.Operator):  # noqa: N801
    """Stop. Meshes that are finished are added to the scene; those that only waited to be added are dropped"""

    bl_idname = "hi3dgen.cancel"
    bl_label = "Cancel"
    bl_options = set()

    job: StringProperty(**JOB)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stop one job or all."""
        for job in [*runtime.session().jobs]:  # one that is stopped may leave others behind, which are to land
            if self.job in ("", job.request.job):
                runtime.session().stop(job)
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_land_again(bpy.types.Operator):  # noqa: N801
    """Try again to add the meshes that could not be added to the scene"""

    bl_idname = "hi3dgen.land_again"
    bl_label = "Add to Scene"
    bl_options = set()

    job: StringProperty(**JOB)

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a job has kept results."""
        return any(job.state is JobState.KEPT for job in runtime.session().jobs)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Offer the results again; without a window, raise if the scene refuses them again."""
        session = runtime.session()
        jobs = [job for job in session.jobs if job.state is JobState.KEPT and self.job in ("", job.request.job)]
        for job in jobs:
            session.land_again(job)
        runtime.keep_ticking()
        if not runtime.has_window():
            try:
                for job in jobs:
                    wait(job)
            except AddonError as error:
                self.report({"ERROR"}, translated(str(error)))
                return {"CANCELLED"}
        return {"FINISHED"}


class HI3DGEN_OT_report(bpy.types.Operator):  # noqa: N801
    """Report a sentence in the status bar, as an operator does that an event has called: no other way leads there"""

    bl_idname = "hi3dgen.report"
    bl_label = "Report"
    bl_options = {"INTERNAL"}

    sentence: StringProperty(name="Sentence", description="What is reported", options={"SKIP_SAVE"})
    warning: BoolProperty(name="Warning", description="Whether it is no good news", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Wait for an event."""
        self._timer = context.window_manager.event_timer_add(EVENT_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Report at the timer's event; all others are the artist's."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        return self.execute(context)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Report."""
        self.report({"WARNING" if self.warning else "INFO"}, self.sentence)
        return {"FINISHED"}


class HI3DGEN_OT_unload(bpy.types.Operator):  # noqa: N801
    """Give back the memory that the backend holds, the graphics card's too. The next mesh takes longer to begin"""

    bl_idname = "hi3dgen.unload"
    bl_label = "Free Memory"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a backend runs."""
        ready = runtime.session().phase is Phase.READY
        if not ready:
            cls.poll_message_set(say("The backend is not running, so it holds no memory"))
        return ready

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the backend. Its answer comes when its job is done, in the panel; without a window, it is reported."""
        session = runtime.session()
        session.unload()
        runtime.keep_ticking()
        if not runtime.has_window():
            try:
                wait_for_memory(session)
            except AddonError as error:
                self.report({"ERROR"}, translated(str(error)))
                return {"CANCELLED"}
            self.report({"INFO"}, translated(session.notice))
        return {"FINISHED"}


class HI3DGEN_OT_restart_backend(bpy.types.Operator):  # noqa: N801
    """End the backend at once, if it hangs or goes astray, and start another. What it was making begins again"""

    bl_idname = "hi3dgen.restart_backend"
    bl_label = "Restart Backend"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a backend runs, or is being started."""
        running = runtime.session().phase in (Phase.STARTING, Phase.READY)
        if not running:
            cls.poll_message_set(say("The backend is not running. The next Generate starts it"))
        return running

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Restart it."""
        runtime.session().restart()
        runtime.keep_ticking()
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_end_backend(bpy.types.Operator):  # noqa: N801
    """End the backend, which gives all of its memory back. The next Generate starts a new one"""

    bl_idname = "hi3dgen.end_backend"
    bl_label = "End Backend"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a backend runs and no job would be lost."""
        session = runtime.session()
        if session.phase is not Phase.READY:
            cls.poll_message_set(say("The backend is not running"))
        elif any(job.live for job in session.jobs):
            cls.poll_message_set(say("A mesh is being made"))
        else:
            return True
        return False

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End it; its memory is free then."""
        runtime.session().close()
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_try_again(bpy.types.Operator):  # noqa: N801
    """Start the backend again, after it ended three times in a row"""

    bl_idname = "hi3dgen.try_again"
    bl_label = "Try Again"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if the backend is given up."""
        return runtime.session().phase is Phase.BROKEN

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Close the circuit breaker and start."""
        runtime.session().try_again()
        runtime.session().start()
        runtime.keep_ticking()
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_show_log(bpy.types.Operator):  # noqa: N801
    """Show the end of a log"""

    bl_idname = "hi3dgen.show_log"
    bl_label = "Show Log"
    bl_options = set()

    of: EnumProperty(name="Of", description="Whose log", items=LOGS, options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Show it in a popup."""
        return context.window_manager.invoke_popup(self, width=LOG_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the popup."""
        width = (LOG_WIDTH - LOG_MARGIN) * context.preferences.system.ui_scale
        self.layout.label(text=say("The end of “{path}”", path=_log_path(self.of)), icon="TEXT", translate=False)
        column = self.layout.column(align=True)
        column.scale_y = 0.7
        for entry in _log_lines(self.of) or [say(NO_LOG)]:
            for line in lines(entry, width):
                column.label(text=line, translate=False)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Print it, for a script."""
        print("\n".join(_log_lines(self.of) or [NO_LOG]))
        return {"FINISHED"}


def _log_path(of: str) -> Path:
    folder = runtime.session().user_folder
    return log_file(folder) if of == "BACKEND" else folder / SETUP_LOG


def _log_lines(of: str = "BACKEND") -> list[str]:
    folder = runtime.session().user_folder
    return log_tail(folder, LOG_LINES) if of == "BACKEND" else tail(_log_path(of), LOG_LINES)


CLASSES = (
    HI3DGEN_OT_cancel,
    HI3DGEN_OT_land_again,
    HI3DGEN_OT_report,
    HI3DGEN_OT_unload,
    HI3DGEN_OT_restart_backend,
    HI3DGEN_OT_end_backend,
    HI3DGEN_OT_try_again,
    HI3DGEN_OT_show_log,
)
