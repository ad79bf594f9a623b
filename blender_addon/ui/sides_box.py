# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's box "More Pictures": of the same object, from other sides."""

import bpy

from ..generate import active_picture
from ..language.words import say
from ..scene import masks, sides
from .image_field import draw_image
from .properties import chosen_engine


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the box, if there is a picture and the engine can use more."""
    picture, engine = active_picture(context), chosen_engine(context.scene)
    if picture is None or engine is None or not masks.can_have(picture):
        return
    taken = [side for side in sides.INPUTS if side in engine.inputs]
    if not taken:
        return
    header, body = layout.panel("hi3dgen_sides", default_closed=True)
    count = len(sides.sides_of(picture))
    header.label(text=say("More Pictures ({count})", count=count) if count else say("More Pictures"))
    if body is None:
        return
    labels = {"back": say("Back"), "left": say("Left"), "right": say("Right")}
    for side in taken:
        draw_image(body, picture, sides.attribute_of(side), labels[side])
