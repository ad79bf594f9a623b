# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator Generate. `made_operators` gives it the settings of all engines as arguments."""
# pyright: reportInvalidTypeForm=false

import random
from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import IntProperty, StringProperty

from ...backend.wire.limits import MAX_SEED, Scalar
from ...backend.wire.messages import EngineInfo
from ..cutout import overlay
from ..errors import AddonError
from ..generate import own_inputs, submit, wait
from ..language.words import say, translated
from ..link import engines, runtime
from ..link.job import Job
from ..scene import masks, normal_map, photograph, sides, viewing
from ..scene.active import RULE, meant
from ..scene.collection import whereabouts
from ..scene.frames import frame_of
from ..scene.held import all_held
from . import engine_settings
from .properties import COUNT, chosen_engine, placing_of

BUTTON = "hi3dgen_button"  # what the panel's button has in its context


class Generate:
    """What `made_operators` makes the operator of."""

    FIXED = ("filepath", "image", "cutout", "normal_map", *sides.INPUTS, "engine", "seed", "count")  # no settings

    bl_idname = "hi3dgen.generate"
    bl_label = "Generate"
    bl_description = f"Turn the picture into a mesh. {RULE}"
    bl_options = set()  # what is made is an undo step of its own when it is there

    filepath: StringProperty(
        name="File", description="The picture's file; without one, the active image", subtype="FILE_PATH"
    )
    image: StringProperty(name="Image", description="The name of an image in this file; without one, the active image")
    cutout: StringProperty(name="Cut-out", description="The name of an image, a mask; without one, the picture's own")
    normal_map: StringProperty(
        name="Normal Map", description="The name of an image; without one, the picture's own if it is to be used"
    )
    back: StringProperty(
        name="Back", description="The name of an image of the object from behind; without one, the picture's own"
    )
    left: StringProperty(
        name="Left", description="The name of an image of the object from the left; without one, the picture's own"
    )
    right: StringProperty(
        name="Right", description="The name of an image of the object from the right; without one, the picture's own"
    )
    engine: StringProperty(name="Engine", description="The name of an engine; without one, the panel's choice")
    seed: IntProperty(
        name="Seed", description="Decides what the picture does not show; without one, the panel's", min=0, max=MAX_SEED
    )
    count: IntProperty(**COUNT)

    @staticmethod
    def takes() -> engines.Engines:
        """The engines whose settings are its arguments."""
        return engines.known()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the engines are known: a caller's settings would be refused as unknown arguments.

        The panel's button, which gives no arguments, is grey as well without what it needs.
        """
        error = engines.why_unknown()
        why = translated(str(error)) if error else why_grey(context) if hasattr(context, BUTTON) else ""
        if why:
            cls.poll_message_set(why)  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if it fails."""
        return begin(context, self._submit, self.report)

    def _submit(self, context: bpy.types.Context) -> Job:
        """Request what the caller's arguments say; the panel has the rest."""
        panel = context.scene.hi3dgen
        seed = self.seed if self._is_set("seed") else next_seed(context.scene)
        known = engines.require()
        engine = engines.find(self.engine, known) if self.engine else chosen_engine(context.scene) or known[0]
        picture, frame = self._picture(context)
        job = submit(
            context.scene,
            picture,
            self.engine or engine.name,
            seed,
            frame=frame,
            settings=photograph.with_lens(self._settings(context.scene, engine), engine, picture),
            inputs=self._inputs(context.scene, engine, picture),
            count=self.count if self._is_set("count") else panel.count,
            placing=placing_of(context.scene),
            viewport=viewing.number_of(context),
        )
        panel.seed = seed
        return job

    def _is_set(self, name: str) -> bool:
        return self.properties.is_property_set(name)

    def _settings(self, scene: bpy.types.Scene, engine: EngineInfo | None) -> dict[str, Scalar]:
        """The panel's settings of the engine, and the caller's. The engine refuses those that are not its own."""
        settings = engine_settings.settings_of(scene, engine) if engine else {}
        return settings | engine_settings.given(self, engine)

    def _inputs(
        self, scene: bpy.types.Scene, engine: EngineInfo | None, picture: bpy.types.Image | Path
    ) -> dict[str, bpy.types.Image]:
        """The pictures beside the picture: those that the caller named, and the panel's if the engine takes them."""
        inputs: dict[str, bpy.types.Image | None] = {}
        if engine:
            inputs = further_inputs(scene, engine)
            inputs |= {name: image for name, image in own_inputs(picture).items() if name in engine.inputs}
        if self.cutout:
            inputs[masks.INPUT] = _image(self.cutout)
        if self.normal_map:
            inputs[normal_map.INPUT] = _image(self.normal_map)
        inputs |= {side: _image(named) for side in sides.INPUTS if (named := getattr(self, side))}
        names = {name for each in engines.known() for name in engine_settings.further_inputs(each)}
        for name in names.difference(self.FIXED, engine_settings.names(engines.known())):
            if self._is_set(name):
                inputs[name] = _image(getattr(self, name))
        return {name: image for name, image in inputs.items() if image}

    def _picture(self, context: bpy.types.Context) -> tuple[bpy.types.Image | Path, int]:
        """The picture, and which frame of it."""
        if self.filepath:
            return Path(bpy.path.abspath(self.filepath)), 0
        clicked = meant(context)
        if self.image:
            picture = _image(self.image)
            return picture, clicked.frame if picture == clicked.image else frame_of(picture, None, context.scene)
        if clicked.image is None:
            raise AddonError("There is no picture.", "Open one in the panel or in an Image Editor.")
        return clicked.image, clicked.frame


def begin(
    context: bpy.types.Context, submit: Callable[[bpy.types.Context], Job], report: Callable[[set[str], str], object]
) -> set[str]:
    """What an operator's `execute` does, and returns, that queues a job and without a window waits for it.

    report: the operator's, which gets what came of it.
    """
    scene = context.scene
    try:
        job = submit(context)
        if not runtime.has_window():
            wait(job)
            report({"INFO"}, whereabouts(scene, job.title, all_held(scene.objects, job.landed)))
    except AddonError as error:
        report({"ERROR"}, translated(str(error)))
        return {"CANCELLED"}
    return {"FINISHED"}


def next_seed(scene: bpy.types.Scene) -> int:
    """The seed of the next job: the panel's, or a random one if the artist wants that."""
    settings = scene.hi3dgen
    return random.SystemRandom().randint(0, MAX_SEED) if settings.random_seed else settings.seed


def further_inputs(scene: bpy.types.Scene, engine: EngineInfo) -> dict[str, bpy.types.Image | None]:
    """The images in the panel that an engine takes beside the picture."""
    group = engine_settings.group_of(scene, engine)
    return {name: getattr(group, name) for name in engine_settings.further_inputs(engine) if group}


def why_grey(context: bpy.types.Context) -> str:
    """Why nothing can be generated from what the panel shows; empty if it can."""
    if why := why_nothing(context):
        return why
    return "" if meant(context).image else say("There is no picture yet: open one above, or in an Image Editor.")


def why_nothing(context: bpy.types.Context) -> str:
    """Why nothing can be generated, whatever the picture is; empty if it can."""
    engine = chosen_engine(context.scene)
    error = engines.why_unknown() or (runtime.session().why_missing(engine.name) if engine else None)
    if error:
        return translated(str(error))
    return say("A cut-out is being drawn: Enter keeps it, Escape discards it.") if overlay.shown() else ""


def _image(name: str) -> bpy.types.Image:
    image = bpy.data.images.get(name)
    if image is None:
        raise AddonError(f"There is no image “{name}” in this file.", "Check the name.")
    return image
