# SPDX-License-Identifier: GPL-3.0-or-later
"""One line in the status bar: how far the job is that is being made, wherever it was started."""

import bpy

from ..language.words import say
from ..link import occupied, runtime
from ..link.job import Job, JobState
from ..link.session import Session
from .job_box import ready, step_of
from .text import duration

_UNITS = 14.0  # the width of the progress bar, in those of a button's height


def _draw(header: bpy.types.Header, _context: bpy.types.Context) -> None:
    session = runtime.session()
    waits = next((job for job in session.jobs if job.state is JobState.LANDING and job.is_shown), None)
    row = header.layout.row(align=True)
    if session.silent_seconds:
        row.alert = True
        row.label(text=say("Hi3DGen's backend does not answer"), icon="ERROR")
        row.operator("hi3dgen.restart_backend", text=say("Restart"))
    elif job := session.current:
        _draw_progress(row, job, session)
    elif waits:
        row.label(text=f"{waits.name}: {ready(waits, session)}", icon="CHECKMARK", translate=False)


def _draw_progress(row: bpy.types.UILayout, job: Job, session: Session) -> None:
    bar = row.row(align=True)
    bar.ui_units_x = _UNITS
    text = f"{job.name}: {step_of(job, session)}"
    if job.seconds_left is not None:
        text = f"{text}, {say('{time} left', time=duration(job.seconds_left))}"
    bar.progress(factor=job.done, text=text, translate=False)
    behind = len([other for other in session.queue if other is not job])
    if behind:
        row.label(text=f"+ {behind}", translate=False)
    row.operator("hi3dgen.cancel_current", text=say("Cancel (Esc)") if occupied.at_rest() else say("Cancel"), icon="X")


def register() -> None:
    """Add the line to Blender's own."""
    bpy.types.STATUSBAR_HT_header.append(_draw)


def unregister() -> None:
    """Take it away."""
    bpy.types.STATUSBAR_HT_header.remove(_draw)
