# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box of the active object, if it was made here: what it shows, what can be done with it, its notes."""

import bpy

from ..language.words import say
from ..scene.landing import recipe_of
from ..scene.switch import is_ours, positions_of, shown_by
from . import variation_operators
from .text import draw_sentence

TRUE_COLOURS = "Standard"  # the view transform that shows colours as they are


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box."""
    thing = context.object
    recipe = recipe_of(thing)
    if not recipe:
        return
    box = layout.box()
    icon = "MESH_DATA" if thing.type == "MESH" else "OUTLINER_OB_CAMERA"
    text = say("{name}: seed {seed}", name=thing.name, seed=recipe["seed"])
    box.label(text=text, icon=icon, translate=False)
    variation_operators.draw(box, context)
    if is_ours(thing.active_material):
        _draw_switch(box, context, thing.active_material)
    if thing.type == "MESH":
        column = box.column(align=True)
        row = column.row(align=True)
        row.operator("hi3dgen.unwrap")
        row.operator("hi3dgen.decimate")
        row.operator("hi3dgen.remesh")
        row = column.row(align=True)
        row.operator("hi3dgen.make_again", icon="FILE_REFRESH")
        row.operator("hi3dgen.mark_as_asset", icon="ASSET_MANAGER")
    for note in filter(None, recipe.get("notes", "").splitlines()):
        draw_sentence(box, note, "INFO")


def _draw_switch(box: bpy.types.UILayout, context: bpy.types.Context, material: bpy.types.Material) -> None:
    """What the material shows, and a button if the viewport shows something else: the switch would seem dead."""
    column = box.column()
    column.use_property_split = False
    grid = column.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    shows = shown_by(material)
    for name, label in positions_of(material):
        grid.operator("hi3dgen.show", text=say(label), depress=name == shows).shows = name
    shading = getattr(context.space_data, "shading", None)
    if shading is None:
        return
    if shading.type == "SOLID" and shows == "NORMAL_DETAIL":
        column.prop_enum(shading, "type", "MATERIAL", text=say("Show in Material Preview"))
    elif shading.type == "SOLID":
        wanted = "VERTEX" if shows == "COLOUR" else "TEXTURE"
        if shading.color_type != wanted:
            column.prop_enum(shading, "color_type", wanted, text=say("Show Colours in Solid View"))
    elif shading.type in {"MATERIAL", "RENDERED"} and shows == "NORMAL_MAP":
        view = context.scene.view_settings
        if view.view_transform not in {TRUE_COLOURS, "Raw"}:
            text = say("The view transform {name} changes these colours.", name=view.view_transform)
            draw_sentence(column, text, "INFO")
            column.prop_enum(view, "view_transform", TRUE_COLOURS, text=say("Show True Colours"))
