# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's windows, for what happens in no window: timers."""

from collections.abc import Generator
from contextlib import contextmanager

import bpy


@contextmanager
def in_window_of(scene: bpy.types.Scene) -> Generator[None]:
    """Within, the context is that of a window that shows the scene, if there is one."""
    window = next((window for window in bpy.context.window_manager.windows if window.scene == scene), None)
    with bpy.context.temp_override(**({"window": window} if window else {})):
        yield
