# SPDX-License-Identifier: GPL-3.0-or-later
"""The box "Computer" in the preferences: which one does the work, and how another one comes to."""

import bpy

from ..language.words import say, translated
from ..link import runtime
from .text import draw_lines, lines

_ABOUT = (
    "Hi3DGen is copied there, about 16 MB, and runs as your user. Nothing listens but on each computer's own address "
    "127.0.0.1. The boxes below are about that computer then."
)
_UNNAMED = "Until a computer is named, this one does the work."
_MARGIN = 80  # pixels beside a label


def draw(layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, width: float) -> None:
    """Draw the box. width: of the region, in pixels."""
    pixels = width - _MARGIN * bpy.context.preferences.system.ui_scale
    box = layout.box()
    box.label(text=say("Computer"))
    box.row().prop(preferences, "computer", expand=True)
    if preferences.computer == runtime.THIS_COMPUTER:
        return
    box.prop(preferences, "ssh_name")
    if not runtime.computer():
        draw_lines(box, lines(say(_UNNAMED), pixels), "INFO")
        return
    draw_lines(box, lines(say(_ABOUT), pixels), "INFO")
    if not bpy.app.online_access:
        box.prop(bpy.context.preferences.system, "use_online_access")
    error = runtime.session().error
    if error and error.code.startswith("computer-"):
        draw_lines(box, lines(translated(str(error)), pixels), "ERROR")
    box.operator("hi3dgen.copy_to_computer", icon="IMPORT")
