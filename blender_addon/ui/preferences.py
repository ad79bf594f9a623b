# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences, in Edit > Preferences > Add-ons."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..extension import PACKAGE
from ..link import setup_timer
from ..link.runtime import BY_PATH, IDLE_MINUTES
from . import engine_box
from .setup_operators import BUILDS, PYTHON


def _ask_again(preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    setup_timer.ask(preferences.torch, preferences.python)


class Hi3DGenPreferences(bpy.types.AddonPreferences):
    """What belongs to the machine rather than to a scene."""

    bl_idname = PACKAGE

    idle_minutes: IntProperty(
        name="End Backend After (min)",
        description="Minutes without a job after which the backend process ends and gives its memory back; 0 for never",
        default=IDLE_MINUTES,
        min=0,
        max=24 * 60,
    )
    free_when_rendering: BoolProperty(
        name="Free Memory When Rendering",
        description="Give back the memory that the backend holds when a render begins, so that it gets the whole card",
        default=True,
    )

    asset_author: StringProperty(name="Author of Assets", description="What Mark as Asset names as the author")
    asset_licence: StringProperty(name="Licence of Assets", description="What Mark as Asset names as the licence")
    keep_pictures: EnumProperty(
        name="Keep Pictures",
        description="Where a mesh's material takes the picture from. A picture that is in no file, or looks different "
        "there, is packed in any case: a frame, a render, unsaved painting",
        items=[
            (
                BY_PATH,
                "By Path",
                "The material shows the picture's own file, as long as that has the pixels that were sent",
            ),
            ("PACKED", "Packed", "The pixels that were sent are packed into this file, and need no other one"),
        ],
    )

    torch: EnumProperty(name="PyTorch", description="The build to install", items=BUILDS, update=_ask_again)
    python: StringProperty(name="Python", description=PYTHON, subtype="FILE_PATH", update=_ask_again)
    agree: BoolProperty(
        name="I agree to these licences and downloads",
        description="Nothing is downloaded before this is ticked and a button is pressed",
        options={"SKIP_SAVE"},
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        engine_box.draw(self.layout, self, context.region.width)
        self.layout.use_property_split = True
        self.layout.prop(self, "idle_minutes")
        self.layout.prop(self, "free_when_rendering")
        self.layout.prop(self, "asset_author")
        self.layout.prop(self, "asset_licence")
        self.layout.prop(self, "keep_pictures")
        self.layout.operator("hi3dgen.show_log", icon="TEXT")


CLASSES = (Hi3DGenPreferences,)
