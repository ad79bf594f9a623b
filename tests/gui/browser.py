# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder is chosen in Blender's file browser, with a real mouse."""

from pathlib import Path

from tests.gui.blender import Blender

FOLDER = "hi3dgen.generate_folder("


def browse(blender: Blender, folder: Path, resolution: int) -> None:
    """Open the file browser by the panel's button, in the same window, and go to a folder."""
    blender.ask("bpy.context.preferences.view.filebrowser_display_type = 'SCREEN'")
    blender.ask(f"bpy.context.scene.hi3dgen_draft.resolution = {resolution}")
    blender.click(FOLDER)
    blender.wait("area('FILE_BROWSER').spaces.active.params")
    left, top, width, height = blender.ask("box('FILE_BROWSER')")
    blender.screen.click(left + width * 0.5, top + height * 0.3)
    blender.ask(f"bpy.context.window_manager.clipboard = {str(folder)!r}")
    blender.screen.press("ctrl+a", "ctrl+v", "Return")
    blender.wait(f"area('FILE_BROWSER').spaces.active.params.directory.decode().rstrip('/') == {str(folder)!r}")
    left, top, width, height = blender.ask("box('FILE_BROWSER', 'WINDOW')")
    blender.screen.click(left + width * 0.5, top + height * 0.9)  # in some Blenders the text is still being edited


def accept(blender: Blender) -> None:
    """Click the file browser's button, and wait until the job is there."""
    left, top, width, height = blender.ask("box('FILE_BROWSER', 'EXECUTE')")
    blender.screen.click(left + width * 0.92, top + height * 0.6)
    blender.wait("session().jobs")
