# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator Make Again: a mesh is made again by its recipe, with something changed, where it stands."""
# pyright: reportInvalidTypeForm=false

from contextlib import suppress

import bpy
from bpy.props import IntProperty

from ...backend.wire.limits import MAX_SEED, Scalar
from ...backend.wire.messages import EngineInfo
from .. import views_mesh
from ..errors import AddonError
from ..generate import submit, wait
from ..language.words import say, translated
from ..link import engines, runtime
from ..link.job import Job
from ..scene import viewing
from ..scene.again import inputs_of, lost, picture_of
from ..scene.engine_frame import affine_now
from ..scene.held import held
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
        "modifiers and materials; what was done to the mesh itself by hand is lost"
    )
    bl_options = set()  # what is made is an undo step of its own when it is there

    _thing = 0  # the session UID of the mesh that the dialog is about; 0 without a dialog
    _lost: list[str]

    seed: IntProperty(
        name="Seed",
        description="Decides what the picture does not show; it begins as the mesh's own",
        min=0,
        max=MAX_SEED,
    )

    @staticmethod
    def takes() -> engines.Engines:
        """The engines and tools whose settings are its arguments."""
        return (*engines.known(), *engines.of_views())

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a generated mesh of this file, and its engine is there."""
        why = _why_not(context)
        if why:
            cls.poll_message_set(why)  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        return not why

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask what is to be changed, beginning with what the mesh was made with."""
        thing = context.object
        self._thing = thing.session_uid  # another mesh may land, and be the active one, before OK is pressed
        self._lost = lost(thing)  # here, as it reads images
        recipe = recipe_of(thing) or {}
        self.seed = recipe["seed"]
        for name, value in _settings_of(thing, _engine_of(thing)).items():
            with suppress(TypeError):  # an option that this version lacks: the default stays
                setattr(self, name, value)
        return context.window_manager.invoke_props_dialog(
            self, width=WIDTH, title=say("Make {name} Again", name=thing.name), confirm_text=say("Make Again")
        )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the seed, if it means something, the settings of the mesh's engine, and what will be lost."""
        layout: bpy.types.UILayout = self.layout  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        layout.use_property_split = True
        layout.use_property_decorate = False
        thing = held(context.scene.objects, self._thing)
        engine = _engine_of(thing) if thing else None
        if thing is None or engine is None:
            layout.label(text=say("The mesh is not in the scene any more"), icon="ERROR")
            return
        column = layout.column()
        if engine.uses_seed:
            column.prop(self, "seed")
        for setting in sorted(engine_settings.shown(engine), key=lambda setting: setting.advanced):
            column.prop(self, setting.name)
        if self._lost:
            layout.label(text=say("Lost: {parts}", parts=", ".join(self._lost)), icon="INFO", translate=False)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if it fails."""
        report = self.report  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        thing = held(context.scene.objects, self._thing) if self._thing else context.object
        try:
            job = self._submit(context, thing)
            if not runtime.has_window():
                wait(job)
                report({"INFO"}, say("{name} was made again, where it stands.", name=thing.name))
        except AddonError as error:
            report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _submit(self, context: bpy.types.Context, thing: bpy.types.Object | None) -> Job:
        engine = _engine_of(thing) if thing else None
        if thing is None or engine is None:
            raise AddonError("The mesh is not in the scene any more.", "Generate from its picture.")
        affine_now(thing)  # so that what cannot be done is said before the work
        recipe = recipe_of(thing) or {}
        is_set = self.properties.is_property_set("seed")  # pyright: ignore[reportAttributeAccessIssue]
        seed = self.seed if is_set else recipe["seed"]
        settings = _settings_of(thing, engine) | engine_settings.given(self, engine)
        viewport = viewing.number_of(context)
        if engine in engines.of_views():
            cameras = views_mesh.views_of(context.scene, thing)
            return views_mesh.make(
                context.scene, cameras, engine.name, settings, seed=seed, viewport=viewport, instead=thing
            )
        picture = picture_of(thing)
        group = engine_settings.group_of(context.scene, engine)
        others = {name: getattr(group, name, None) for name in engine_settings.further_inputs(engine)}
        return submit(
            context.scene,
            picture,
            engine.name,
            seed,
            settings=settings,
            inputs=inputs_of(thing, picture, {name: image for name, image in others.items() if image}),
            viewport=viewport,
            instead=thing,
        )


def _engine_of(thing: bpy.types.Object) -> EngineInfo | None:
    """The engine that a mesh was made with; None if it is not here."""
    return engines.find((recipe_of(thing) or {}).get("engine", ""), MakeAgain.takes())


def _settings_of(thing: bpy.types.Object, engine: EngineInfo | None) -> dict[str, Scalar]:
    """The settings that a mesh was made with, those that its engine still has."""
    kinds = {setting.name: type(setting.default) for setting in (engine.settings if engine else ())}
    made_with = (recipe_of(thing) or {}).get("settings", {})
    return {name: kinds[name](value) for name, value in made_with.items() if name in kinds}


def _why_not(context: bpy.types.Context) -> str:
    """Why the active object cannot be made again now, as a sentence; empty if it can."""
    thing = context.object
    if not recipe_of(thing) or thing.type != "MESH":
        return say("The active object is no generated mesh")
    if context.mode != "OBJECT":
        return say("Leave the current mode first")
    if any(data.library or data.override_library for data in (thing, thing.data)):
        return say("It belongs to another file: make it local first (Object > Relations)")
    if thing.data.shape_keys:
        return say("It has shape keys, which would be lost: remove or apply them first")
    return _why_without_engine(thing)


def _why_without_engine(thing: bpy.types.Object) -> str:
    """Why the engine that a mesh was made with cannot make another; empty if it can."""
    if error := engines.why_unknown():
        return translated(str(error))
    engine = _engine_of(thing)
    if engine is None:
        name = (recipe_of(thing) or {})["engine"]
        return say("There is no engine “{name}” here, with which it was made", name=name)
    missing = runtime.session().why_missing(engine.name)
    return translated(str(missing)) if missing else ""
