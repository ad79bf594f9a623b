# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives an engine's settings the values of a preset, and saves them as one, in Blender's own way."""
# pyright: reportInvalidTypeForm=false

import bpy
from bl_operators.presets import AddPresetBase  # pyright: ignore[reportMissingImports]
from bpy.props import StringProperty

from ...backend.errors import UserError
from ...backend.flow.presets import owner_of, settings_of
from ...backend.flow.settings import checked
from ..language.words import say, translated
from ..presets import folder_of, named
from .engine_settings import group_of, shown
from .properties import chosen_engine

PANEL = "HI3DGEN_PT_presets"


class HI3DGEN_OT_apply_preset(bpy.types.Operator):  # noqa: N801
    """Give the engine's settings the values of a preset; those that it does not name get their defaults"""

    bl_idname = "hi3dgen.apply_preset"
    bl_label = "Apply Preset"
    bl_options = {"UNDO"}

    preset: StringProperty(name="Preset", description="The name of a preset", options={"SKIP_SAVE"})
    filepath: StringProperty(
        name="File", description="The file of a saved preset, instead of a name", options={"SKIP_SAVE"}
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What the preset is for."""
        engine = chosen_engine(context.scene)
        found = [preset for preset in engine.presets if preset.name == properties.preset] if engine else []
        return say(found[0].description) if found else translated(cls.__doc__ or "")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set all of the engine's settings, or none."""
        engine = chosen_engine(context.scene)
        group = group_of(context.scene, engine) if engine else None
        if engine is None or group is None:
            self.report({"ERROR"}, say("No engine is known yet"))
            return {"CANCELLED"}
        try:
            wanted = settings_of(engine, self.filepath or named(engine, self.preset))
            values = checked(engine.label, engine.settings, wanted)
        except UserError as error:
            self.report({"ERROR"}, translated(f"{error.sentence} {error.advice}"))
            return {"CANCELLED"}
        for setting in shown(engine):
            setattr(group, setting.name, values[setting.name])
        return {"FINISHED"}


class HI3DGEN_OT_add_preset(AddPresetBase, bpy.types.Operator):  # noqa: N801
    """Save the engine's settings as they are now under a name, or remove what was saved"""

    bl_idname = "hi3dgen.add_preset"
    bl_label = "Add Preset"
    preset_menu = PANEL

    @property
    def preset_subdir(self) -> str:
        """Where it is saved."""
        engine = chosen_engine(bpy.context.scene)
        return folder_of(engine) if engine else ""

    @property
    def preset_defines(self) -> list[str]:
        """The file's first line: whose settings they are."""
        engine = chosen_engine(bpy.context.scene)
        return [f"settings = bpy.context.scene.{owner_of(engine.name)}"] if engine else []

    @property
    def preset_values(self) -> list[str]:
        """The file's other lines: all settings of the engine."""
        engine = chosen_engine(bpy.context.scene)
        return [f"settings.{setting.name}" for setting in shown(engine)] if engine else []


CLASSES = (HI3DGEN_OT_apply_preset, HI3DGEN_OT_add_preset)
