# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside Blender: numpy and the standard library; of the backend what CONTRIBUTING.md lists.

`link` keeps the backend process and the jobs, `scene` puts what they make into the scene, `ui` is what the artist sees.
`generate` ties them together. bpy is touched on the main thread only.
"""

import bpy

from . import folder, save_new
from .cutout import look, overlay
from .language import catalogue
from .link import engines, runtime, setup_timer
from .scene import inspected, lasting, masks, normal_map, renders, sides, switch
from .ui import (
    check_operators,
    cutout_operators,
    engine_settings,
    folder_operator,
    job_operators,
    made_operators,
    menus,
    normal_map_operators,
    object_operators,
    operators,
    panel,
    picture_operators,
    preferences,
    preset_box,
    preset_operators,
    properties,
    setup_operators,
    status_bar,
    support_operators,
    texture_operators,
    thumbnails,
    variation_operators,
    views_operators,
    world_operators,
)

_CLASSES = (
    *preferences.CLASSES,
    *properties.CLASSES,
    *operators.CLASSES,
    *job_operators.CLASSES,
    *folder_operator.CLASSES,
    *cutout_operators.CLASSES,
    *normal_map_operators.CLASSES,
    *object_operators.CLASSES,
    *check_operators.CLASSES,
    *texture_operators.CLASSES,
    *variation_operators.CLASSES,
    *views_operators.CLASSES,
    *world_operators.CLASSES,
    *setup_operators.CLASSES,
    *support_operators.CLASSES,
    *preset_operators.CLASSES,
    *preset_box.CLASSES,
    *panel.CLASSES,
    *picture_operators.CLASSES,
)
_PARTS = (
    catalogue,
    engines,
    properties,
    engine_settings,
    made_operators,
    switch,
    thumbnails,
    masks,
    normal_map,
    sides,
    renders,
    lasting,
    inspected,
    look,
    overlay,
    cutout_operators,
    menus,
    status_bar,
    job_operators,
    folder,
    save_new,
    runtime,
    setup_timer,
)

_command: object = None


def register() -> None:
    """Called when the extension is enabled."""
    global _command  # noqa: PLW0603 - Blender wants the handle back
    for cls in _CLASSES:
        catalogue.keep_apart(cls)
        bpy.utils.register_class(cls)
    for part in _PARTS:
        part.register()
    _command = bpy.utils.register_cli_command("hi3dgen", _run_command)


def unregister() -> None:
    """Called when the extension is disabled, and when Blender quits."""
    bpy.utils.unregister_cli_command(_command)
    for part in reversed(_PARTS):
        part.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)


def _run_command(arguments: list[str]) -> int:
    """`blender --command hi3dgen`. What it needs is a good part of the extension, and is imported when it is run."""
    from . import command

    return command.run(arguments)
