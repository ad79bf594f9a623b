# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box "Normal Map": what the mesh is made from, which the artist may change first."""

import bpy

from ..generate import active_picture
from ..language.words import say
from ..scene import masks, normal_map
from .image_field import draw_image
from .normal_map_operators import product_of
from .properties import chosen_engine

SCALE = 5.0


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box, if there is a picture and the engine gives or takes a normal map of it."""
    picture, engine = active_picture(context), chosen_engine(context.scene)
    if picture is None or engine is None or not masks.can_have(picture):
        return
    if not product_of(engine) and normal_map.INPUT not in engine.inputs:
        return
    header, body = layout.panel("hi3dgen_normal_map", default_closed=True)
    header.label(text=say("Normal Map"))
    if body is None:
        return
    body.operator("hi3dgen.make_normal_map", icon="NORMALS_FACE")
    draw_image(body, picture, "hi3dgen_normal_map", say("Map"))
    if shown := normal_map.map_of(picture):
        if icon := shown.preview_ensure():
            body.template_icon(icon.icon_id, scale=SCALE)
        row = body.row(align=True)
        row.use_property_split = False
        row.operator("hi3dgen.edit_normal_map", text=say("Edit"), icon="BRUSH_DATA")
        if normal_map.INPUT in engine.inputs:
            row.prop(picture, "hi3dgen_uses_normal_map", toggle=True)
