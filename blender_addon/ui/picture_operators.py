# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that come from elsewhere into the panel's field: a file that is dropped on the panel, the clipboard's image.

A file that is dropped on the viewport itself becomes a reference image, which is Blender's own doing: it is selected,
so that a click means it.
"""
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..errors import AddonError
from ..language.words import translated
from ..link import runtime
from . import image_editors
from .panel import CATEGORY


class HI3DGEN_OT_open_picture(bpy.types.Operator):  # noqa: N801
    """Open a picture's file and make it the panel's picture"""

    bl_idname = "hi3dgen.open_picture"
    bl_label = "Open as Picture"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="File", description="The picture's file", subtype="FILE_PATH", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load it, if it is not in the file yet."""
        try:
            picture = _opened(bpy.path.abspath(self.filepath))
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        context.scene.hi3dgen.picture = picture
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_paste_picture(bpy.types.Operator):  # noqa: N801
    """Make the image in the clipboard the panel's picture. It is packed into the file"""

    bl_idname = "hi3dgen.paste_picture"
    bl_label = "Paste Picture"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only with a window: without one there is no clipboard."""
        return runtime.has_window()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Let an Image Editor paste it, and put back what that showed."""
        known = {image.session_uid for image in bpy.data.images}
        with image_editors.borrowed(context):
            if bpy.ops.image.clipboard_paste.poll():  # pyright: ignore[reportCallIssue] - its stub is that of the class
                bpy.ops.image.clipboard_paste()
        pasted = next((image for image in bpy.data.images if image.session_uid not in known), None)
        if pasted is None:
            self.report({"ERROR"}, translated("There is no image in the clipboard. Copy one first."))
            return {"CANCELLED"}
        pasted.pack()  # it is in no file
        context.scene.hi3dgen.picture = pasted
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_FH_picture(bpy.types.FileHandler):  # noqa: N801
    """Takes pictures that are dropped on the panel."""

    bl_idname = "HI3DGEN_FH_picture"
    bl_label = "Hi3DGen"
    bl_import_operator = "hi3dgen.open_picture"
    bl_file_extensions = ";".join(sorted(bpy.path.extensions_image | bpy.path.extensions_movie))

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Only on the panel: dropped elsewhere, a picture does what Blender does with it."""
        region = context.region
        return region is not None and region.type == "UI" and region.active_panel_category == CATEGORY


def _opened(path: str) -> bpy.types.Image:
    """The image of a file; one that is there already is used again. Raises `AddonError`."""
    if not Path(path).is_file():
        raise AddonError(f"There is no file “{path}”.", "Check the path.")
    try:
        return bpy.data.images.load(path, check_existing=True)
    except RuntimeError as error:
        raise AddonError(f"“{Path(path).name}” cannot be read as a picture.", "Save it as PNG or JPEG.") from error


CLASSES = (HI3DGEN_OT_open_picture, HI3DGEN_OT_paste_picture, HI3DGEN_FH_picture)
