# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box "Cut-out": the picture as the engine will see it, and what can be done if that is wrong."""

import bpy

from ..cutout import look, overlay
from ..cutout.request import can_give
from ..language.words import say, translated
from ..link import runtime
from ..link.job import JobState
from ..scene import masks
from ..scene.active import meant
from .cutout_operators import last_look
from .image_field import draw_image
from .properties import chosen_engine
from .text import draw_error, draw_sentence
from .thumbnails import icon_of

SCALE = 5.0


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box, if there is a picture and the engine shows its cut-out."""
    clicked, engine = meant(context), chosen_engine(context.scene)
    picture = clicked.image
    if picture is None or engine is None or not can_give(engine):
        return
    header, body = layout.panel("hi3dgen_cutout", default_closed=False)
    header.label(text=say("Cut-out"))
    if body is None:
        return
    row = body.row(align=True)
    row.operator("hi3dgen.preview_cutout", text=say("Preview"), icon="HIDE_OFF")
    row.operator("hi3dgen.draw_cutout", icon="GREASEPENCIL")
    if overlay.shown():
        draw_sentence(body, "Enter keeps the cut-out, Escape discards it.", "INFO")
    elif masks.can_have(picture) and masks.INPUT in engine.inputs:
        draw_image(body, picture, "hi3dgen_cutout", say("Mask"))
    if seen := last_look(context.scene, picture, clicked.frame):
        _draw_look(body, seen)


def _draw_look(body: bpy.types.UILayout, seen: look.Look) -> None:
    job = seen.job
    if seen.thumbnail and not (job and job.error):
        body.template_icon(icon_of(seen.thumbnail), scale=SCALE)
    if job and job.live:
        progress = job.progress
        text = translated(progress.label) if progress else say("Waiting")
        body.progress(factor=progress.done if progress else 0.0, text=text)
    elif job and job.state is JobState.FAILED and job.error and job.error is not runtime.session().error:
        draw_error(body, job.error)
    for note in seen.notes:
        draw_sentence(body, note, "INFO")
