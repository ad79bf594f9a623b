# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators have in common that change meshes in the scene: which ones a click means, and when it cannot."""

from typing import ClassVar

import bpy

from ..errors import AddonError
from ..language.words import reported, say, translated
from ..link import runtime
from ..scene.landing import recipe_of


def generated(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The generated meshes that a click means: the active object, and what is selected with it."""
    return [thing for thing in meshes(context) if recipe_of(thing)]


def meshes(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The same of all meshes, whoever made them."""
    things = [context.object, *(thing for thing in context.selected_objects if thing != context.object)]
    return [thing for thing in things if thing and thing.type == "MESH"]


def why_not(context: bpy.types.Context, things: list[bpy.types.Object], *, generated: bool = True) -> str:
    """Why nothing can be done with them now, as a sentence; empty if it can. generated: only those are meant."""
    if not things or things[0] != context.object:
        return say("The active object is no generated mesh" if generated else "The active object is no mesh")
    if context.mode != "OBJECT":
        return say("Leave the current mode first")
    if any(thing.library or thing.override_library for thing in things):
        return say("It belongs to another file: make it local first (Object > Relations)")
    return ""


def why_no_mesh(context: bpy.types.Context, things: list[bpy.types.Object], *, generated: bool = True) -> str:
    """The same, for what changes the mesh."""
    if why := why_not(context, things, generated=generated):
        return why
    if any(thing.data.library or thing.data.override_library for thing in things):
        return say("Its mesh belongs to another file: make it local first (Object > Relations)")
    return "" if all(thing.visible_get() for thing in things) else say("It is hidden: show it first")


class OnMeshes:
    """What the operators that change meshes have in common. ONLY_GENERATED: others they leave alone."""

    bl_options: ClassVar = {"REGISTER", "UNDO"}
    ONLY_GENERATED = True

    @classmethod
    def meant(cls, context: bpy.types.Context) -> list[bpy.types.Object]:
        """The objects that a click means."""
        return generated(context) if cls.ONLY_GENERATED else meshes(context)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a mesh that can be changed."""
        why = why_no_mesh(context, cls.meant(context), generated=cls.ONLY_GENERATED)
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, and tell what became of it."""
        try:
            sentence = self.change(context, by_mesh(self.meant(context)))
        except RuntimeError as error:  # as an operator of Blender's refuses
            sentence = f"{reported(error)} Look at the mesh in Edit Mode."
            self.report({"ERROR"}, translated(sentence))
            return {"CANCELLED"}
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        self.report({"INFO"}, sentence)
        runtime.redraw()
        return {"FINISHED"}


def by_mesh(things: list[bpy.types.Object]) -> list[bpy.types.Object]:
    """The first object of each mesh: those that share one are changed together."""
    return list({thing.data.name: thing for thing in reversed(things)}.values())[::-1]
