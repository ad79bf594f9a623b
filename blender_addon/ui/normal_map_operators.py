# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop at Normal Map, and paint on it before a mesh is made from it."""

import bpy

from ...backend.wire.messages import EngineInfo
from ..errors import AddonError
from ..generate import active_picture, submit, wait
from ..language.words import say, translated
from ..link import engines, runtime
from ..scene import masks, normal_map
from ..scene.active import meant
from . import engine_settings, image_editors
from .properties import chosen_engine


def product_of(engine: EngineInfo | None) -> str:
    """The name of the engine's normal map; empty if it gives none."""
    products = engine.products if engine else {}
    return next((name for name, kind in products.items() if kind == normal_map.KIND), "")


class HI3DGEN_OT_make_normal_map(bpy.types.Operator):  # noqa: N801
    """Estimate the picture's normals and go no further, to look at them and to paint on them before a mesh is made"""

    bl_idname = "hi3dgen.make_normal_map"
    bl_label = "Stop at Normal Map"
    bl_options = set()  # what is made is an undo step of its own when it is there

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if there is a picture that can keep it, and an engine that gives it."""
        why = _why_not(context)
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if it fails."""
        clicked, engine = meant(context), chosen_engine(context.scene)
        picture = clicked.image
        mask = masks.mask_of(picture) if masks.INPUT in engine.inputs else None
        try:
            job = submit(
                context.scene,
                picture,
                engine.name,
                context.scene.hi3dgen.seed,
                frame=clicked.frame,
                settings=engine_settings.settings_of(context.scene, engine),
                inputs={masks.INPUT: mask} if mask else {},
                gives=(product_of(engine),),
            )
            if not runtime.has_window():
                wait(job)
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


class HI3DGEN_OT_edit_normal_map(bpy.types.Operator):  # noqa: N801
    """Paint on the normal map in an Image Editor. The next mesh is made from it; meshes that are there keep theirs"""

    bl_idname = "hi3dgen.edit_normal_map"
    bl_label = "Edit Normal Map"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a window, and if the picture has a normal map."""
        picture = active_picture(context)
        why = say("There is no window to paint in") if not runtime.has_window() else ""
        why = why or (say("The picture has no normal map") if picture is None or not normal_map.map_of(picture) else "")
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it, ready to be painted on."""
        picture = active_picture(context)
        former = normal_map.map_of(picture)
        editable = normal_map.editable(picture)
        image_editors.show_instead(former, editable)
        area, _ = image_editors.show(context, editable)
        area.spaces.active.ui_mode = "PAINT"
        runtime.redraw()
        return {"FINISHED"}


def _why_not(context: bpy.types.Context) -> str:
    """Why no normal map can be made now, as a sentence; empty if it can."""
    picture, engine = active_picture(context), chosen_engine(context.scene)
    if picture is None:
        return say("There is no picture")
    if error := runtime.session().why_missing(engine.name) if engine else engines.why_unknown():
        return translated(str(error))
    if not product_of(engine):
        return say("The engine does not give its normal map")
    return masks.why_none(picture)


CLASSES = (HI3DGEN_OT_make_normal_map, HI3DGEN_OT_edit_normal_map)
