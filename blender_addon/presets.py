# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the presets are that artists save: among Blender's own, in a folder for each engine."""

import bpy

from ..backend.flow.presets import SUFFIX, shipped
from ..backend.wire.messages import EngineInfo


def folder_of(engine: EngineInfo) -> str:
    """Where the presets of an engine are, below Blender's own."""
    return f"hi3dgen/{engine.name}"


def named(engine: EngineInfo, name: str) -> str:
    """The file of the preset that was saved by that name; the name itself if one ships under it, or if it is a path.

    One that ships has its name and its label, whoever saved another by them, as on the command line.
    """
    if shipped(engine, name) is not None:
        return name
    return bpy.utils.preset_find(name, folder_of(engine), display_name=True, ext=SUFFIX) or name
