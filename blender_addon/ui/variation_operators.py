# SPDX-License-Identifier: GPL-3.0-or-later
"""Re-rolls as a craft: another seed is another click, and of all that came of a picture one is kept."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import IntProperty

from ...backend.wire.limits import seeds_from
from ..language.words import reported, say, translated
from ..link import runtime
from ..scene.active import Meant, meant
from ..scene.landing import picture_hash_of, recipe_of
from ..scene.lasting import content_now, copy_name, known_content, title_of
from ..scene.pictures import count_of
from ..scene.reading import AT_ONCE
from ..scene.variations import is_parked, keep, seed_of, show, takes_part, variations
from . import generate_operator
from .properties import chosen_engine


class HI3DGEN_OT_reroll(bpy.types.Operator):  # noqa: N801
    """Make another mesh of the picture: with the next seed that the scene has no mesh of, or a random one if chosen"""

    bl_idname = "hi3dgen.reroll"
    bl_label = "Re-roll"
    bl_options = set()  # what is made is an undo step of its own when it is there

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if there is a picture, and an engine to which the seed means something."""
        engine = chosen_engine(context.scene)
        why = generate_operator.why_grey(context)
        why = why or ("" if engine and engine.uses_seed else say("To this engine the seed means nothing"))
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Generate with the seed. Without a window, wait for the mesh, and raise if that fails."""
        random = context.scene.hi3dgen.random_seed
        seed = {} if random else {"seed": _next_seed(context.scene, meant(context))}
        try:
            return bpy.ops.hi3dgen.generate(**seed)
        except RuntimeError as error:  # as Generate reports what is wrong
            self.report({"ERROR"}, reported(error))
            return {"CANCELLED"}


class _OnVariations:
    """What the operators that choose between the meshes of one picture have in common."""

    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a generated mesh."""
        why = _why_not(context)
        cls.poll_message_set(why)
        return not why


class HI3DGEN_OT_keep_variation(_OnVariations, bpy.types.Operator):  # noqa: N801
    """Keep this mesh, and park the others of the same picture in a hidden collection"""

    bl_idname = "hi3dgen.keep_variation"
    bl_label = "Keep This One"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Park the others."""
        if why := _why_alone(context):
            self.report({"ERROR"}, why)
            return {"CANCELLED"}
        parked = keep(context.scene, context.object)
        if not parked:
            self.report({"INFO"}, say("The others are parked already."))
            return {"CANCELLED"}
        sentence = say("{count} parked in a hidden collection. The arrows bring them back.", count=len(parked))
        self.report({"INFO"}, sentence)
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_step_variation(_OnVariations, bpy.types.Operator):  # noqa: N801
    """Go to another mesh of the same picture, and take its seed. One that is parked takes the place of this one"""

    bl_idname = "hi3dgen.step_variation"
    bl_label = "Other Variation"

    step: IntProperty(name="Step", description="How many further by seed; backwards if negative", default=1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it the active object, the only one that is selected."""
        if why := _why_alone(context):
            self.report({"ERROR"}, why)
            return {"CANCELLED"}
        thing = context.object
        found = variations(context.scene, thing)
        other = found[(found.index(thing) + self.step) % len(found)]
        if is_parked(other):
            show(context.scene, thing, other)
        context.view_layer.update()
        if other.name not in context.view_layer.objects:
            sentence = f"{other.name} is not in this view layer. Tick its collection in the Outliner."
            self.report({"ERROR"}, translated(sentence))
            return {"CANCELLED"}
        for selected in context.view_layer.objects:
            selected.select_set(selected == other)
        context.view_layer.objects.active = other
        context.scene.hi3dgen.seed = seed_of(other)
        runtime.redraw()
        return {"FINISHED"}


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw which of its picture's meshes the active object is, and the arrows to the others; nothing if it is alone."""
    thing = context.object
    found = variations(context.scene, thing)
    if len(found) < 2 or thing.type != "MESH":
        return
    keep_this = say("Keep This One ({number} of {count})", number=found.index(thing) + 1, count=len(found))
    row = layout.row(align=True)
    row.operator("hi3dgen.step_variation", text="", icon="TRIA_LEFT").step = -1
    row.operator("hi3dgen.keep_variation", text=keep_this)
    row.operator("hi3dgen.step_variation", text="", icon="TRIA_RIGHT").step = 1


def _why_not(context: bpy.types.Context) -> str:
    """Why no other mesh can be chosen now, as a sentence; empty if it can."""
    thing = context.object
    if thing is None or not recipe_of(thing) or thing.type != "MESH":
        return say("The active object is no generated mesh")
    if context.mode != "OBJECT":
        return say("Leave the current mode first")
    return ""


def _why_alone(context: bpy.types.Context) -> str:
    """The same by a look at the whole scene, which no redraw should wait for."""
    if not takes_part(context.object):
        return say("It belongs to another file: make it local first (Object > Relations).")
    several = len(variations(context.scene, context.object)) > 1
    return "" if several else say("The scene has no other mesh of the same picture.")


def _next_seed(scene: bpy.types.Scene, clicked: Meant) -> int:
    """The first seed from the panel's on that begins a row of which neither the scene nor a job has any.

    Meshes are of the same picture if its pixels are the same, as `variations` has it: it may have another name now. A
    large one whose pixels are not known is told by its name, as Blender would stand still while it is read.
    """
    image, title = clicked.image, title_of(clicked.image.name)
    content = known_content(image) or (content_now(image, clicked.frame) if count_of(image) <= AT_ONCE else "")
    if content:
        used = {seed_of(thing) for thing in scene.objects if picture_hash_of(thing) == content}
    else:
        names = {image.name, copy_name(title)}
        recipes = [recipe for thing in scene.objects if (recipe := recipe_of(thing))]
        used = {recipe["seed"] for recipe in recipes if recipe["picture"] in names}
    jobs = [job for job in runtime.session().jobs if job.holds_results and job.title == title]
    used |= {seed for job in jobs for seed in seeds_from(job.request.seed, job.request.count)}
    seed = scene.hi3dgen.seed
    while used.intersection(seeds_from(seed, scene.hi3dgen.count)):
        seed = seeds_from(seed, 2)[1]
    return seed


CLASSES = (HI3DGEN_OT_reroll, HI3DGEN_OT_keep_variation, HI3DGEN_OT_step_variation)
