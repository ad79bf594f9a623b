# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box of worlds: the latest ones, each with a button that makes it the scene's, and what that one needs."""

import bpy

from ..language.words import say
from ..scene import worlds
from ..scene.landing import recipe_of
from .text import draw_sentence

_MOST = 4  # that are shown
_THUMBNAIL = 5.0  # units


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box, if worlds were made in this file."""
    made = worlds.made_here()
    if not made:
        return
    header, body = layout.panel("hi3dgen_world")
    header.label(text=say("Worlds"), icon="WORLD")
    if body is None:
        return
    own = context.scene.world if context.scene.world in made else None
    shown = made[:_MOST]
    if own and own not in shown:  # what is below is about it
        shown[-1] = own
    grid = body.grid_flow(row_major=True, columns=min(2, len(shown)), even_columns=True, align=True)
    for world in shown:
        cell = grid.column(align=True)
        image = worlds.image_of(world)
        preview = image.preview_ensure() if image else None
        cell.template_icon(icon_value=preview.icon_id if preview else 0, scale=_THUMBNAIL)
        used = world == own
        cell.operator("hi3dgen.use_world", text=world.name, depress=used, translate=False).world = world.name
    if own is None:
        body.operator("hi3dgen.use_world", icon="WORLD").world = made[0].name
    else:
        column = body.column(align=True)
        turn, strength = worlds.handles_of(own)
        if turn:
            column.prop(turn, "default_value", index=2, text=say("Turn"))
        if strength:
            column.prop(strength, "default_value", text=say("Strength"))
    body.operator("hi3dgen.save_world", icon="EXPORT").world = (own or made[0]).name
    recipe = recipe_of(own or made[0]) or {}
    for note in filter(None, recipe.get("notes", "").splitlines()):
        draw_sentence(body, note, "INFO")
