# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a mesh can be used and printed, and what makes it so: checked, cut so that it stands, scaled, saved."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import EnumProperty, FloatProperty

from ...backend.inspection.foot import SAFE
from ..errors import AddonError
from ..language.words import joined, say, translated
from ..link import runtime
from ..scene import inspected
from ..scene.foot import make_stand
from ..scene.saving import FORMATS, save
from ..scene.scaling import scale_to, topmost
from .on_meshes import OnMeshes, meshes, why_not
from .properties import LONGEST_SIDE, WALL


class HI3DGEN_OT_check_mesh(bpy.types.Operator):  # noqa: N801
    """Measure the selected meshes: size, parts, holes, walls that are too thin, what hangs over, whether it stands"""

    bl_idname = "hi3dgen.check_mesh"
    bl_label = "Check"
    bl_options = set()

    wall: FloatProperty(**{**WALL, "default": 0.0, "min": 0.0}, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a mesh, and Blender is in Object Mode."""
        why = _why_not_to_read(context)
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Measure them; in a window, one after the other beside the artist's work."""
        wall = self.wall or context.scene.hi3dgen.wall
        for thing in meshes(context):
            if runtime.has_window():
                inspected.start(context.scene, thing, wall, _tell)
                continue
            told = " ".join(each.sentence for each in inspected.check(context, thing, wall).findings)
            self.report({"INFO"}, f"{thing.name}: {translated(told) or say('It has no surface.')}")
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_cancel_check(bpy.types.Operator):  # noqa: N801
    """Measure no more meshes. What is known of others stays"""

    bl_idname = "hi3dgen.cancel_check"
    bl_label = "Cancel"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a mesh is being measured."""
        return inspected.running() > 0

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Cancel."""
        inspected.cancel()
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_make_stand(OnMeshes, bpy.types.Operator):  # noqa: N801
    """Cut it flat below, as little as makes it stand. What is cut off is a tenth of the height at the most"""

    bl_idname = "hi3dgen.make_stand"
    bl_label = "Make It Stand"
    ONLY_GENERATED = False

    tilt: FloatProperty(
        name="Tilt",
        description="By how many degrees it may be tilted at least before it tips over",
        default=SAFE,
        min=1.0,
        max=40.0,
    )

    def change(self, context: bpy.types.Context, things: list[bpy.types.Object]) -> str:
        """Cut them. One that cannot be cut does not keep the others from it."""
        told, errors = list[str](), list[AddonError]()
        for thing in things:
            try:
                tilt, is_cut = make_stand(thing, self.tilt)
            except AddonError as error:
                errors.append(error)
                continue
            stands = say("{name} stands, even if it is tilted by {tilt}°.", name=thing.name, tilt=f"{tilt:.0f}")
            told.append(joined(stands, "" if is_cut else say("It stood safely already.")))
        if errors and not told:
            raise errors[0]
        for error in errors:
            self.report({"WARNING"}, translated(str(error)))
        context.view_layer.update()
        return joined(*told)


class HI3DGEN_OT_scale_to(bpy.types.Operator):  # noqa: N801
    """Scale it so that its longest side has so many millimetres, as the scene's units count. It stays on its floor"""

    bl_idname = "hi3dgen.scale_to"
    bl_label = "Scale"
    bl_options = {"REGISTER", "UNDO"}

    # Without a minimum: Blender would silently take that in place of a script's number below it.
    millimetres: FloatProperty(
        name=LONGEST_SIDE["name"],
        description=LONGEST_SIDE["description"],
        default=LONGEST_SIDE["default"],
        soft_min=LONGEST_SIDE["min"],
        soft_max=LONGEST_SIDE["soft_max"],
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a mesh of this file, and Blender is in Object Mode."""
        why = why_not(context, meshes(context), generated=False)
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Scale objects, each by itself: their meshes stay as they are."""
        if not self.properties.is_property_set("millimetres"):
            self.millimetres = context.scene.hi3dgen.longest_side
        things = topmost(meshes(context))
        try:
            scale_to(context, things, self.millimetres)
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        size = f"{self.millimetres:g}"
        self.report({"INFO"}, say("{name} is {size} mm long at its longest side.", name=things[0].name, size=size))
        return {"FINISHED"}


class HI3DGEN_OT_save_mesh(bpy.types.Operator):  # noqa: N801
    """Save the selected meshes beside the .blend file, each as a file of its own. None is written over"""

    bl_idname = "hi3dgen.save_mesh"
    bl_label = "Save"
    bl_options = set()

    save_as: EnumProperty(
        name="Format",
        description="The kind of file that is written; without one, the panel's",
        items=FORMATS,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a mesh, and Blender is in Object Mode."""
        why = _why_not_to_read(context)
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Save them."""
        kind = self.save_as if self.properties.is_property_set("save_as") else context.scene.hi3dgen.save_as
        names, errors = list[str](), list[AddonError]()
        for thing in meshes(context):  # one that cannot be saved does not keep the others from it
            try:
                names.append(save(context, thing, kind).name)
            except AddonError as error:
                errors.append(error)
        if names:
            self.report({"INFO"}, say("Saved: {names}", names=", ".join(names)))
        for error in errors:
            self.report({"WARNING" if names else "ERROR"}, translated(str(error)))
        return {"FINISHED" if names else "CANCELLED"}


def _tell(sentence: str) -> None:
    """Show that a mesh is measured, or why it is not."""
    if sentence:
        runtime.session().notice = sentence
    runtime.redraw()


def _why_not_to_read(context: bpy.types.Context) -> str:
    """Why meshes cannot be read now, as a sentence; empty if they can. They may be of another file."""
    things = meshes(context)
    if not things or things[0] != context.object:
        return say("The active object is no mesh")
    return "" if context.mode == "OBJECT" else say("Leave the current mode first")


CLASSES = (
    HI3DGEN_OT_check_mesh,
    HI3DGEN_OT_cancel_check,
    HI3DGEN_OT_make_stand,
    HI3DGEN_OT_scale_to,
    HI3DGEN_OT_save_mesh,
)
