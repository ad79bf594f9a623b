# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF files hold the picture: they know no colours of a normal map, and another kind of normal map.

Blender's exporter calls both functions, by the names that the extension's entry gives them.
"""

import bpy

from .held import held
from .switch import best_of, is_ours

_ONLY_HERE = ("NORMAL_MAP", "NORMAL_DETAIL")  # what is for Blender alone

_shown: dict[int, str] = {}  # by a material's session UID: what it showed before the export


def before() -> None:
    """Let materials that show what a file cannot hold show their colours all round, else the picture."""
    after()  # of an export that failed, if no timer has come in between
    if not bpy.app.background:
        bpy.app.timers.register(after)  # the exporter tells nothing of an export that fails
    for material in bpy.data.materials:
        if is_ours(material) and material.hi3dgen_shows in _ONLY_HERE:
            _shown[material.session_uid] = material.hi3dgen_shows
            material.hi3dgen_shows = best_of(material)


def after() -> None:
    """Let them show what they did before."""
    for uid, shows in _shown.items():
        if material := held(bpy.data.materials, uid):
            material.hi3dgen_shows = shows
    _shown.clear()
