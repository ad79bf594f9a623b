# SPDX-License-Identifier: GPL-3.0-or-later
"""Hi3DGen: one picture becomes a mesh, inside Blender, on the artist's own machine.

Blender imports this file as the extension. It imports nothing by itself, so that tests and tools
can import the tree where there is no Blender.
"""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import blender_addon

    blender_addon.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled, and when Blender quits."""
    from . import blender_addon

    blender_addon.unregister()


def glTF2_pre_export_callback(_settings: object) -> None:  # noqa: N802 - Blender's name
    """Called by Blender's glTF exporter before it looks at the scene."""
    from .blender_addon.scene import exporting

    exporting.before()


def glTF2_post_export_callback(_settings: object) -> None:  # noqa: N802
    """Called by Blender's glTF exporter when it has looked at the scene."""
    from .blender_addon.scene import exporting

    exporting.after()
