# SPDX-License-Identifier: GPL-3.0-or-later
"""The last render. Blender has an image for it before anything is rendered, which does not say that it is empty."""

import bpy
from bpy.app.handlers import persistent

_rendered = False  # since the file was opened


def last_render() -> bpy.types.Image | None:
    """The image of what was rendered last; None if nothing was rendered since the file was opened."""
    return next((image for image in bpy.data.images if image.type == "RENDER_RESULT"), None) if _rendered else None


def register() -> None:
    """Watch for renders, and for other files."""
    bpy.app.handlers.render_post.append(_after_rendering)
    bpy.app.handlers.load_pre.append(_before_other_file)


def unregister() -> None:
    """Watch no more."""
    bpy.app.handlers.render_post.remove(_after_rendering)
    bpy.app.handlers.load_pre.remove(_before_other_file)
    _before_other_file()


@persistent
def _after_rendering(*_: object) -> None:
    global _rendered  # noqa: PLW0603 - Blender calls it, perhaps in the render's own thread
    _rendered = True


@persistent
def _before_other_file(*_: object) -> None:
    global _rendered  # noqa: PLW0603
    _rendered = False
