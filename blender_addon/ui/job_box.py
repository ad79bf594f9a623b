# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's boxes of jobs: how far one is, what it waits for, and the queue of those behind it."""

import bpy

from ..language.words import say, translated
from ..link.job import Job, JobState
from ..link.series import Series, parts_of
from ..link.session import Session
from .folder_box import draw_failed
from .text import draw_sentence, duration
from .thumbnails import icon_of

PREVIEW_SCALE = 5.0


def draw(layout: bpy.types.UILayout, job: Job, session: Session) -> None:
    """Draw a box for a job that has begun, or has results that are not in the scene."""
    box = layout.box()
    row = box.row()
    row.label(text=title(job), translate=False)
    if isinstance(job, Series) and job.saved and job.live:
        row = box.row(align=True)
        pause = row.row(align=True)
        pause.enabled = job.goes_on
        pause.operator("hi3dgen.pause_folder", icon="PAUSE").job = job.request.job
    row.operator("hi3dgen.cancel", text=say("Cancel") if job.live else say("Discard"), icon="X").job = job.request.job
    if isinstance(job, Series) and job.paused and job.turn:
        draw_sentence(box, say("It pauses when this picture is made."), "INFO")
    if job.preview and job.live:  # the button of one that is kept is to be in sight
        box.template_icon(icon_of(job.preview), scale=PREVIEW_SCALE)
    if job.state is JobState.KEPT and job.error:
        draw_sentence(box, job.error.sentence, "ERROR")
        draw_sentence(box, job.error.advice, "BLANK1")
        box.operator("hi3dgen.land_again", icon="IMPORT").job = job.request.job
    elif job.state is JobState.LANDING:
        draw_sentence(box, ready(job, session), "CHECKMARK")
    elif job.progress is None and not job.done:
        box.progress(factor=0.0, text=step_of(job, session))
    else:
        box.progress(factor=job.done, text=step_of(job, session))
        done = say("{percent} % done", percent=f"{100 * job.done:.0f}")
        if job.seconds_left is not None:
            done = f"{done}, {say('about {time} left', time=duration(job.seconds_left))}"
        box.label(text=done, translate=False)
    if isinstance(job, Series) and job.live:
        _draw_trouble(box, job)
    if job.state is JobState.RUNNING and session.hindrance and parts_of(job, session.jobs):
        draw_sentence(box, ready(job, session), "CHECKMARK")


def _draw_trouble(box: bpy.types.UILayout, series: Series) -> None:
    """What went wrong with many pictures while they are made."""
    if series.saved and series.saved.trouble:
        draw_sentence(box, series.saved.trouble, "ERROR")
    draw_failed(box, series.failed)


def draw_queue(layout: bpy.types.UILayout, session: Session) -> None:
    """Draw the jobs that wait for the backend and have no box, the next one on top, if there are any."""
    queue = without_box(session)
    if not queue:
        return
    box = layout.box()
    draw_sentence(box, waits_for(session), "SORTTIME")
    column = box.column(align=True)
    for place, job in enumerate(queue):
        row = column.row(align=True)
        row.label(text=job.name, translate=False)
        for icon, places, can_move in (("TRIA_UP", -1, place > 0), ("TRIA_DOWN", 1, place < len(queue) - 1)):
            button = row.row(align=True)
            button.enabled = can_move
            move = button.operator("hi3dgen.move_job", text="", icon=icon)
            move.job, move.places = job.request.job, places
        row.operator("hi3dgen.cancel", text="", icon="X").job = job.request.job


def title(job: Job) -> str:
    """What a job makes, and how many of it are made while it makes several of a picture."""
    if job.state is not JobState.RUNNING or job.request.count == 1:
        return job.name
    return f"{job.name}: {say('{done} of {of}', done=len(job.results), of=job.request.count)}"


def ready(job: Job, session: Session) -> str:
    """A sentence about results of a job that are not in the scene yet, and what they wait for."""
    made = sum(len(part.results) for part in parts_of(job, session.jobs) or [job])
    if session.hindrance and made == 1:
        return say("The result is ready. It comes when {reason}.", reason=session.hindrance)
    if session.hindrance:
        return say("{count} results are ready. They come when {reason}.", count=made, reason=session.hindrance)
    one = say("The result is ready. It comes now.")
    return one if made == 1 else say("{count} results are ready. They come now.", count=made)


def step_of(job: Job, session: Session) -> str:
    """What is being done to a job, or what it waits for."""
    if job.progress:
        return translated(job.progress.label)
    if job.is_reading:
        return say("Reading the picture")
    waits = session.pause and job is not session.running
    return say("Starts when {reason}", reason=session.pause) if waits else say("Starting")


def has_begun(job: Job) -> bool:
    """Whether a job has a box: also while one of its pictures is read, so that the box stays where it is."""
    return job.state is not JobState.WAITING or (isinstance(job, Series) and bool(job.turn or job.at))


def without_box(session: Session) -> list[Job]:
    """The jobs of the queue that have no box."""
    return [job for job in session.queue if not has_begun(job)]


def waits_for(session: Session) -> str:
    """What the queue waits for."""
    queue = without_box(session)
    many = len(queue)
    if queue[0].is_reading and not session.running:
        return say("Reading the picture:") if many == 1 else say("Reading the picture of the first:")
    if session.pause and many == 1:
        return say("1 job waits. It starts when {reason}:", reason=session.pause)
    if session.pause:
        return say("{count} jobs wait. They start when {reason}:", count=many, reason=session.pause)
    if session.running:
        one = say("1 job waits for the one before:")
        return one if many == 1 else say("{count} jobs wait for the one before:", count=many)
    one = say("1 job waits for the backend, which starts:")
    return one if many == 1 else say("{count} jobs wait for the backend, which starts:", count=many)
