# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate and Generate from Folder in the menus, without which search (F3) would not find it."""

import bpy

from ..language.words import say

_MENUS = ("VIEW3D_MT_add", "IMAGE_MT_image")


def _draw(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.operator("hi3dgen.generate", text=say("Generate Mesh with Hi3DGen"), icon="MESH_MONKEY")
    menu.layout.operator("hi3dgen.generate_folder", text=say("Generate from Folder with Hi3DGen…"), icon="FILE_FOLDER")


def register() -> None:
    """Extend the menus."""
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw)


def unregister() -> None:
    """Take the entries back."""
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw)
