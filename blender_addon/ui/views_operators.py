# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with views that are in the scene: each a click, and a line for a script."""
# pyright: reportInvalidTypeForm=false

from functools import partial

import bpy
from bpy.props import EnumProperty, StringProperty

from ..errors import AddonError
from ..generate import tell
from ..language.words import say, translated
from ..link import runtime
from ..scene import contact_sheet, view_sets, viewing
from ..scene.reading import Steps, finished
from ..scene.view_sets import BEFORE, BEHIND, HIDDEN
from . import image_editors

PLACES = (
    (BEHIND, "Behind", "Each camera shows its view behind the scene"),
    (BEFORE, "In Front", "Each camera shows its view before the scene, half transparent, to compare"),
    (HIDDEN, "Hidden", "No camera shows its view"),
)
"""Where views are shown, as Blender lists choices: name, label, tooltip."""


def looked_through(context: bpy.types.Context) -> bpy.types.Object | None:
    """The camera that the viewport looks through, or the one of the panel's views that the Image Editor shows.

    None if there is none.
    """
    space = context.space_data
    if isinstance(space, bpy.types.SpaceView3D):
        is_through = space.region_3d is not None and space.region_3d.view_perspective == "CAMERA"
        return space.camera if is_through else None
    if isinstance(space, bpy.types.SpaceImageEditor) and space.image:
        cameras = view_sets.shown_set(context.scene, context.object)
        return next((thing for thing in cameras if view_sets.view_of(thing) == space.image), None)
    return None


class HI3DGEN_OT_look_from_view(bpy.types.Operator):  # noqa: N801
    """Look through the camera of this view, or leave it. In an Image Editor, show the view"""

    bl_idname = "hi3dgen.look_from_view"
    bl_label = "Look from View"
    bl_options = set()

    camera: StringProperty(name="Camera", description="The name of the view's camera; without one, the first")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a viewport or an Image Editor, if the scene has views."""
        is_editor = context.area is not None and context.area.type in runtime.PANEL_AREAS
        return is_editor and bool(view_sets.shown_set(context.scene, context.object))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look through it, with the lens that the view was drawn with."""
        first = next(iter(view_sets.shown_set(context.scene, context.object)), None)
        thing = context.scene.objects.get(self.camera) if self.camera else first
        if thing is None or thing.type != "CAMERA":
            self.report({"ERROR"}, translated("The camera of this view is gone."))
            return {"CANCELLED"}
        if context.area.type == "VIEW_3D":
            shown = viewing.Viewport(context.window, context.area)
            if thing == looked_through(context):
                viewing.leave_camera(shown)
            else:
                view_sets.refit(context.scene, thing)
                viewing.look_through(shown, thing)
        elif picture := view_sets.view_of(thing):
            image_editors.show(context, picture)
        runtime.redraw()
        return {"FINISHED"}


class _OnViews:
    """What the operators on all views of one result have in common."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the scene has views, and they are of this file."""
        cameras = view_sets.shown_set(context.scene, context.object)
        why = "" if cameras else say("This scene has no views")
        if any(data.library or data.override_library for thing in cameras for data in (thing, thing.data)):
            why = say("It belongs to another file: make it local first (Object > Relations)")
        cls.poll_message_set(why)
        return not why


class HI3DGEN_OT_show_views(_OnViews, bpy.types.Operator):  # noqa: N801
    """Show the views as background images of their cameras"""

    bl_idname = "hi3dgen.show_views"
    bl_label = "Show Views"

    where: EnumProperty(
        name="Where",
        description="Where each camera shows its view",
        items=PLACES,
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What this button does."""
        items = cls.bl_rna.properties["where"].enum_items
        return bpy.app.translations.pgettext_tip(items[properties.where].description)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show them there."""
        for thing in view_sets.shown_set(context.scene, context.object):
            view_sets.refit(context.scene, thing)
            view_sets.show(thing, self.where)
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_contact_sheet(_OnViews, bpy.types.Operator):  # noqa: N801
    """Make one image of all views beside each other. It is shown if an Image Editor is open, and saved with the file"""

    bl_idname = "hi3dgen.contact_sheet"
    bl_label = "Contact Sheet"
    bl_options = set()  # what is made is an undo step of its own when it is there

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin the image. Without a window, make it, and raise if that fails."""
        cameras = view_sets.shown_set(context.scene, context.object)
        name = f"{view_sets.title_of(cameras)} contact sheet"
        try:
            steps = contact_sheet.make(name, view_sets.pictures_of(cameras))
            if runtime.has_window():
                bpy.app.timers.register(partial(_go_on, steps, name))
            else:
                self.report({"INFO"}, _made(finished(steps)))
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


class HI3DGEN_OT_remove_views(_OnViews, bpy.types.Operator):  # noqa: N801
    """Remove these views: their cameras, their images, and their collection"""

    bl_idname = "hi3dgen.remove_views"
    bl_label = "Remove Views"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove them."""
        cameras = view_sets.shown_set(context.scene, context.object)
        name = view_sets.title_of(cameras)
        view_sets.remove(cameras)
        self.report({"INFO"}, say("{name} and their images were removed.", name=name))
        runtime.redraw()
        return {"FINISHED"}


def _go_on(steps: Steps[bpy.types.Image], name: str) -> float | None:
    """Do the next step of making a contact sheet, and show it when it is made."""
    windows = bpy.context.window_manager.windows
    try:
        next(steps)
    except StopIteration as end:
        for window in windows:
            if any(area.ui_type == image_editors.EDITOR for area in window.screen.areas):
                with bpy.context.temp_override(window=window):
                    image_editors.show(bpy.context, end.value)
                break
        tell(None, _made(end.value), name)
    except AddonError as error:
        tell(None, translated(str(error)))
    else:
        return runtime.TICK_SECONDS
    return None


def _made(sheet: bpy.types.Image) -> str:
    return say("The contact sheet is the image “{name}”.", name=sheet.name)


CLASSES = (HI3DGEN_OT_look_from_view, HI3DGEN_OT_show_views, HI3DGEN_OT_contact_sheet, HI3DGEN_OT_remove_views)
