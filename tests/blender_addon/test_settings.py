# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel offers is what the engines take."""

from importlib import import_module
from typing import Any

import bpy

from backend.engines import ENGINES
from tests.blender_addon.support import MODULE


def test_the_panels_settings_are_the_engines(scene: Any) -> None:
    names = import_module(f"{MODULE}.blender_addon.settings").NAMES
    offered = {item.identifier: item for item in scene.hi3dgen.bl_rna.properties}
    settings = {setting.name: setting for engine in ENGINES.values() for setting in engine.settings}
    assert set(settings) == set(names)
    for name, setting in settings.items():
        shown = offered[name]
        assert (shown.name, shown.description) == (setting.label, setting.description)
        limits = (shown.default, shown.hard_min, shown.hard_max)
        wanted = (setting.default, setting.minimum, setting.maximum)
        assert [round(value, 6) for value in limits] == [round(value, 6) for value in wanted]
        assert (shown.type == "INT") == isinstance(setting.default, int)


def test_the_operators_settings_are_the_panels(scene: Any) -> None:
    names = import_module(f"{MODULE}.blender_addon.settings").NAMES
    operator = bpy.ops.hi3dgen.generate.get_rna_type().properties
    for name in names:
        assert operator[name].description == scene.hi3dgen.bl_rna.properties[name].description
