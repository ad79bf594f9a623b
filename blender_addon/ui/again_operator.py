# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator Make Again: a mesh is made again by its recipe, with something changed, where it stands."""
# pyright: reportInvalidTypeForm=false

from contextlib import suppress

import bpy
from bpy.props import IntProperty

from ...backend.wire.limits import MAX_SEED, Scalar
from ...backend.wire.messages import EngineInfo
from ..errors import AddonError
from ..generate import submit, wait
from ..link import engines, runtime
from ..scene import viewing
from ..scene.again import inputs_of, picture_of
from ..scene.landing import recipe_of
from . import engine_settings

WIDTH = 340  # of the dialog, in pixels at 100 %


class MakeAgain:
    """What `made_operators` makes the operator of."""

    FIXED = ("seed",)  # no setting takes their place

    bl_idname = "hi3dgen.make_again"
    bl_label = "Make Again"
    bl_description = (
        "Make this mesh again from the same picture, with whatever you change. It stays where it is, with its parent, "
        "modifiers and materials"
    )
    bl_options = set()  # what is made is an undo step of its own when it is there

    seed: IntProperty(name="Seed", description="Else the mesh's own", min=0, max=MAX_SEED)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a generated mesh of this file, and its engine is there."""
        why = _why_not(context)
        if why:
            cls.poll_message_set(why)  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        return not why

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask what is to be changed, beginning with what the mesh was made with."""
        recipe = recipe_of(context.object) or {}
        self.seed = recipe["seed"]
        engine = engines.find(recipe["engine"], engines.known())
        for name, value in _settings_of(context.object, engine).items():
            with suppress(TypeError):  # an option that this version lacks: the default stays
                setattr(self, name, value)
        return context.window_manager.invoke_props_dialog(
            self, width=WIDTH, title=f"Make {context.object.name} Again", confirm_text="Make Again"
        )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the seed, if it means something, and the settings of the mesh's engine."""
        layout = self.layout  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        layout.use_property_split = True
        layout.use_property_decorate = False
        engine = engines.find((recipe_of(context.object) or {})["engine"], engines.known())
        column = layout.column()
        if engine.uses_seed:
            column.prop(self, "seed")
        listed = sorted(engine_settings.shown(engine), key=lambda setting: setting.advanced)
        for setting in listed:
            column.prop(self, setting.name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if it fails."""
        thing = context.object
        recipe = recipe_of(thing) or {}
        engine = engines.find(recipe["engine"], engines.known())
        try:
            picture = picture_of(thing)
            settings = _settings_of(thing, engine) | engine_settings.given(self, engine, self.FIXED)
            is_set = self.properties.is_property_set("seed")  # pyright: ignore[reportAttributeAccessIssue]
            job = submit(
                context.scene,
                picture,
                engine.name,
                self.seed if is_set else recipe["seed"],
                settings=settings,
                inputs=inputs_of(thing, picture),
                viewport=viewing.number_of(context),
                instead=thing,
            )
            if not runtime.has_window():
                wait(job)
                self.report({"INFO"}, f"{thing.name} was made again, where it stands.")  # pyright: ignore[reportAttributeAccessIssue]
        except AddonError as error:
            self.report({"ERROR"}, str(error))  # pyright: ignore[reportAttributeAccessIssue]
            return {"CANCELLED"}
        return {"FINISHED"}


def _settings_of(thing: bpy.types.Object, engine: EngineInfo) -> dict[str, Scalar]:
    """The settings that a mesh was made with, those that its engine still has."""
    kinds = {setting.name: type(setting.default) for setting in engine.settings}
    made_with = (recipe_of(thing) or {}).get("settings", {})
    return {name: kinds[name](value) for name, value in made_with.items() if name in kinds}


def _why_not(context: bpy.types.Context) -> str:
    """Why the active object cannot be made again now, as a sentence; empty if it can."""
    thing = context.object
    recipe = recipe_of(thing)
    if not recipe or thing.type != "MESH":
        return "The active object is no generated mesh"
    if any(data.library or data.override_library for data in (thing, thing.data)):
        return "It belongs to another file: make it local first (Object > Relations)"
    if thing.data.shape_keys:
        return "It has shape keys, which would be lost: remove or apply them first"
    if error := engines.why_unknown():
        return str(error)
    engine = engines.find(recipe["engine"], engines.known())
    if engine is None:
        return f"There is no engine “{recipe['engine']}” here, with which it was made"
    missing = runtime.session().why_missing(engine.name)
    return str(missing) if missing else ""
