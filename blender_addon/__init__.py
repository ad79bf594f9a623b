# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside Blender: numpy and the standard library; of the backend what CONTRIBUTING.md lists.

`link` keeps the backend process and the jobs, `scene` puts what they make into the scene, `ui` is what the artist sees.
`generate` ties them together. bpy is touched on the main thread only.
"""

import bpy

from . import command
from .cutout import look, overlay
from .language import catalogue
from .link import engines, runtime, setup_timer
from .scene import masks, material, normal_map, renders
from .ui import (
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
    properties,
    setup_operators,
    status_bar,
    support_operators,
    thumbnails,
    variation_operators,
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
    *variation_operators.CLASSES,
    *setup_operators.CLASSES,
    *support_operators.CLASSES,
    *panel.CLASSES,
    *picture_operators.CLASSES,
)
_PARTS = (
    catalogue,
    engines,
    properties,
    engine_settings,
    made_operators,
    material,
    thumbnails,
    masks,
    normal_map,
    renders,
    look,
    overlay,
    cutout_operators,
    menus,
    status_bar,
    job_operators,
    runtime,
    setup_timer,
    command,
)


def register() -> None:
    """Called when the extension is enabled."""
    for cls in _CLASSES:
        catalogue.keep_apart(cls)
        bpy.utils.register_class(cls)
    for part in _PARTS:
        part.register()


def unregister() -> None:
    """Called when the extension is disabled, and when Blender quits."""
    for part in reversed(_PARTS):
        part.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
