# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator Mesh from Views. `made_operators` gives it the settings of the tool as arguments."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import IntProperty

from ...backend.wire.limits import MAX_SEED
from ...backend.wire.messages import EngineInfo
from ..language.words import say, translated
from ..link import engines, runtime
from ..link.job import Job
from ..scene import view_sets, viewing
from ..views_mesh import make
from . import engine_settings
from .generate_operator import begin
from .properties import placing_of


class MeshFromViews:
    """What `made_operators` makes the operator of."""

    FIXED = ("seed",)  # no setting takes its place

    bl_idname = "hi3dgen.mesh_from_views"
    bl_label = "Mesh from Views"
    bl_description = (
        "Make a mesh of the views in the panel, in their colours: the shape that all of them show. Their cameras move "
        "to the mesh"
    )
    bl_options = set()  # what is made is an undo step of its own when it is there

    seed: IntProperty(name="Seed", description="Decides the order in which pixels are looked at", min=0, max=MAX_SEED)

    @staticmethod
    def takes() -> engines.Engines:
        """The tools whose settings are its arguments."""
        return engines.of_views()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the scene has views, and the tool can run."""
        why = _why_not(context)
        if why:
            cls.poll_message_set(why)  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if it fails."""
        report = self.report  # pyright: ignore[reportAttributeAccessIssue] - the operator's
        return begin(context, self._submit, report)

    def _submit(self, context: bpy.types.Context) -> Job:
        scene, tool = context.scene, tool_of_views()
        assert tool is not None  # noqa: S101 - see `poll`
        return make(
            scene,
            view_sets.shown_set(scene, context.object),
            tool.name,
            engine_settings.settings_of(scene, tool) | engine_settings.given(self, tool),
            seed=self.seed,
            placing=placing_of(scene),
            viewport=viewing.number_of(context),
        )


def tool_of_views() -> EngineInfo | None:
    """The tool that makes a mesh of views; None while none is known."""
    return next(iter(engines.of_views()), None)


def _why_not(context: bpy.types.Context) -> str:
    """Why no mesh can be made of views now, as a sentence; empty if one can."""
    if error := engines.why_unknown():
        return translated(str(error))
    if not view_sets.shown_set(context.scene, context.object):
        return say("This scene has no views")
    tool = tool_of_views()
    if tool is None:
        return say("This backend makes no mesh of views")
    missing = runtime.session().why_missing(tool.name)
    return translated(str(missing)) if missing else ""
