# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box of *Texture from Picture*: a picture's colours for the active mesh, whoever made it."""

import bpy

from ..language.words import say
from ..scene import ghost, view_sets
from . import texture_operators
from .text import draw_sentence


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw a button, and the rest if a picture lies over the active mesh."""
    thing = texture_operators.painted(context)
    if thing is None:
        return
    if view_sets.shown_set(context.scene, thing):
        layout.operator("hi3dgen.texture_from_views", icon="RENDERLAYERS")
    lies = ghost.ghost_of(context.scene, thing)
    if lies is None:
        layout.operator("hi3dgen.texture_from_picture", icon="TEXTURE")
        return
    body = layout.box()
    body.label(text=say("Texture from Picture"), icon="TEXTURE")
    body.operator("hi3dgen.texture_from_picture", text=say("Find the Camera Again"), icon="VIEW_CAMERA")
    for note in filter(None, lies.get(ghost.NOTES, "").splitlines()):
        draw_sentence(body, note, "INFO")
    view, settings = context.space_data, context.scene.hi3dgen
    column = body.column(align=True)
    column.operator("hi3dgen.look_through", icon="HIDE_OFF")
    if isinstance(view, bpy.types.SpaceView3D):
        row = column.row(align=True)
        row.use_property_split = False  # its name lies on the button
        row.prop(view, "lock_camera", toggle=True, icon="VIEW_PAN")
    if shown := next(iter(lies.data.background_images), None):
        row = column.row(align=True)
        row.prop(lies.data, "show_background_images", text="", icon="IMAGE_DATA")
        row.prop(shown, "alpha", text=say("Picture"), slider=True)
    if lies.data.type == "PERSP":
        column.prop(lies.data, "lens")
    column = body.column()
    column.prop(settings, "paint_keep_uv")
    column.prop(settings, "paint_remove_light")
    column.operator("hi3dgen.paint_from_camera", icon="BRUSH_DATA")
