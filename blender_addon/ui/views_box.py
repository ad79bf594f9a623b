# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box of views: a filmstrip of those of the active object, else of the latest, and what is done with them.

Thumbnails are Blender's own previews of the images, which it makes beside the panel.
"""

import bpy

from ..extension import PACKAGE
from ..language.words import say
from ..link import runtime
from ..scene import view_sets
from . import engine_settings, views_mesh_operator, views_operators
from .text import draw_sentence

_TILE = 3.3  # units: the width of a thumbnail with its borders
_THUMBNAIL = 2.8  # the same without them
_UNIT = 20  # pixels at scale 1
_FEWEST, _MOST = 2, 8  # thumbnails in a row


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box, if the scene has views."""
    cameras = view_sets.shown_set(context.scene, context.object)
    if not cameras:
        return
    header, body = layout.panel("hi3dgen_views")
    header.label(text=say("Views: {name}", name=view_sets.title_of(cameras)), icon="RENDERLAYERS", translate=False)
    if body is None:
        return
    row = body.row(align=True)
    where = view_sets.shown_where(cameras[0])
    for place, label, _ in views_operators.PLACES:
        row.operator("hi3dgen.show_views", text=say(label), depress=place == where).where = place
    row = body.row(align=True)
    row.operator("hi3dgen.contact_sheet", icon="IMAGE_DATA")
    row.operator("hi3dgen.remove_views", text="", icon="TRASH")
    _draw_filmstrip(body, context, cameras)
    _draw_mesh(body, context.scene)


def _draw_mesh(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """The button that makes a mesh of the views, with its settings; or what it lacks."""
    tool = views_mesh_operator.tool_of_views()
    group = engine_settings.group_of(scene, tool) if tool else None
    if tool is None or group is None:
        return
    column = layout.column()
    column.operator("hi3dgen.mesh_from_views", icon="MESH_ICOSPHERE")
    if missing := runtime.why_missing(tool):
        draw_sentence(layout, missing, "INFO")
        layout.operator("preferences.addon_show", text=say("Open Preferences"), icon="PREFERENCES").module = PACKAGE
        return
    for setting in engine_settings.shown(tool):
        column.prop(group, setting.name)


def _draw_filmstrip(layout: bpy.types.UILayout, context: bpy.types.Context, cameras: list[bpy.types.Object]) -> None:
    """A thumbnail for each view; the button below looks through its camera."""
    seen = views_operators.looked_through(context)
    unit = _TILE * _UNIT * context.preferences.system.ui_scale
    wide = context.region.width if context.region else _MOST * unit
    columns = min(max(int(wide / unit), _FEWEST), _MOST, len(cameras))
    grid = layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True, align=True)
    for thing in cameras:
        cell = grid.column(align=True)
        if picture := view_sets.view_of(thing):
            preview = picture.preview_ensure()
            cell.template_icon(icon_value=preview.icon_id if preview else 0, scale=_THUMBNAIL)
        text = f"{view_sets.azimuth_of(thing) % 359.5:.0f}°"  # 360 would be 0 again
        cell.operator("hi3dgen.look_from_view", text=text, depress=thing == seen, translate=False).camera = thing.name
