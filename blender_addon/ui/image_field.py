# SPDX-License-Identifier: GPL-3.0-or-later
"""A field of a panel to choose an image in, or to open one."""

import bpy


def draw_image(
    column: bpy.types.UILayout, owner: bpy.types.ID | bpy.types.PropertyGroup, name: str, label: str
) -> None:
    """Draw the field of an owner's property: a template beside a label leaves no room for the image's name."""
    if getattr(owner, name):
        column.prop(owner, name, text=label)
    else:
        column.template_ID(owner, name, open="image.open", text=label)
