# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box of what the active mesh is like, and of what makes it ready to be used and printed."""

import bpy

from ..language.words import say
from ..scene import inspected
from .text import draw_sentence


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box, closed at first, for any mesh."""
    thing = context.object
    if thing is None or thing.type != "MESH":
        return
    header, body = layout.panel("hi3dgen_check", default_closed=True)
    header.label(text=say("Check, Print and Save"))
    if body is None:
        return
    settings = context.scene.hi3dgen
    row = body.row(align=True)
    row.use_property_split = False
    row.operator("hi3dgen.check_mesh", icon="VIEWZOOM")
    row.prop(settings, "wall", text=say("Wall"))
    _draw_findings(body, context, thing)
    body.operator("hi3dgen.make_stand", icon="TRIA_DOWN_BAR")
    row = body.row(align=True)
    row.use_property_split = False
    row.operator("hi3dgen.scale_to", icon="FULLSCREEN_ENTER")
    row.prop(settings, "longest_side", text="mm")
    row = body.row(align=True)
    row.use_property_split = False
    row.operator("hi3dgen.save_mesh", icon="EXPORT")
    row.prop(settings, "save_as", text="")


def _draw_findings(layout: bpy.types.UILayout, context: bpy.types.Context, thing: bpy.types.Object) -> None:
    known = inspected.checked(context.scene, thing)
    if many := inspected.running():
        row = layout.row()
        one = say("1 mesh is being measured.")
        draw_sentence(row, one if many == 1 else say("{count} meshes are being measured.", count=many), "TIME")
        row.operator("hi3dgen.cancel_check", text="", icon="X")
    if inspected.is_running(thing):
        return
    if known and known.found is None:
        draw_sentence(layout, say("It has no surface."), "ERROR")
    elif known:
        box = layout.column(align=True)
        for finding in known.findings:
            row = box.column()
            row.alert = finding.flaw
            draw_sentence(row, finding.sentence, "ERROR" if finding.flaw else "DOT")
