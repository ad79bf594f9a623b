# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of an engine's settings, those that ship with it and those that artists save, in Blender's own popover."""

import bpy
from bl_ui.utils import PresetPanel  # pyright: ignore[reportMissingImports]

from ...backend.flow.presets import SUFFIX
from ..language.words import say
from ..presets import folder_of
from .preset_operators import PANEL
from .properties import chosen_engine


class HI3DGEN_PT_presets(PresetPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming
    """The presets of the chosen engine, and a field for the name of a new one."""

    bl_idname = PANEL
    bl_label = "Presets"
    bl_options = {"HIDE_HEADER"}  # noqa: RUF012 - Blender's
    preset_operator = "hi3dgen.apply_preset"
    preset_add_operator = "hi3dgen.add_preset"
    preset_extensions = frozenset({SUFFIX})

    @property
    def preset_subdir(self) -> str:
        """Where Blender looks for those that were saved."""
        engine = chosen_engine(bpy.context.scene)
        return folder_of(engine) if engine else ""

    def draw(self, context: bpy.types.Context) -> None:
        """Draw those that ship, then those that were saved."""
        engine = chosen_engine(context.scene)
        if engine is None:
            return
        self.layout.operator_context = "EXEC_DEFAULT"  # else saving asks for the name again
        self.layout.label(text=say("Presets"))
        column = self.layout.column(align=True)
        column.emboss = "PULLDOWN_MENU"
        for preset in engine.presets:
            column.operator("hi3dgen.apply_preset", text=say(preset.label)).preset = preset.name
        self.layout.separator()
        if bpy.utils.preset_paths(folder_of(engine)):
            super().draw(context)
        else:  # Blender would say that paths are missing
            row = self.layout.row()
            row.prop(context.window_manager, "preset_name", text="")
            row.operator(self.preset_add_operator, text="", icon="ADD").name = context.window_manager.preset_name


def draw(layout: bpy.types.UILayout) -> None:
    """Draw the button that opens them."""
    layout.popover(PANEL, text="", icon="PRESET")


CLASSES = (HI3DGEN_PT_presets,)
