# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines' settings as Blender's properties: in the panel, and as the operator's arguments."""

from typing import Any

from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from ...backend.wire.messages import Scalar, Setting
from ...backend.wire.settings import SETTINGS

BY_NAME = {setting.name: setting for settings in SETTINGS.values() for setting in settings}


def _property(setting: Setting) -> Any:  # noqa: ANN401 - what Blender makes of an annotation
    told: dict[str, Any] = {"name": setting.label, "description": setting.description, "default": setting.default}
    if isinstance(setting.default, bool):
        return BoolProperty(**told)
    if isinstance(setting.default, str):
        return EnumProperty(**told, items=[(item.name, item.label, item.description) for item in setting.choices])
    limits = {"min": setting.minimum, "max": setting.maximum}
    return IntProperty(**told, **limits) if isinstance(setting.default, int) else FloatProperty(**told, **limits)


class EngineSettings:
    """Gives whoever inherits from it every engine's settings as properties."""

    __annotations__ = {name: _property(setting) for name, setting in BY_NAME.items()}


def value_of(owner: Any, name: str) -> Scalar:  # noqa: ANN401 - anything of Blender's with `EngineSettings`
    """A setting as it was typed: Blender keeps 32 bits of a number, in which 0.3 lies beyond 0.3."""
    value = getattr(owner, name)
    return float(f"{value:.7g}") if isinstance(value, float) else value
