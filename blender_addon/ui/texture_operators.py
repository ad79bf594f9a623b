# SPDX-License-Identifier: GPL-3.0-or-later
"""*Texture from Picture*: a mesh that is there gets a picture's colours, by a camera that is found and nudged."""
# pyright: reportInvalidTypeForm=false

from math import degrees
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ...backend.wire.limits import Scalar
from ..errors import AddonError
from ..generate import wait
from ..language.words import say, translated
from ..link import runtime
from ..link.job import Job
from ..scene import ghost, lens, view_sets, viewing
from ..scene.active import RULE, meant
from ..scene.again import picture_of
from ..scene.frames import frame_of
from ..scene.landing import picture_hash_of
from ..texture import Meant, find_camera, paint, paint_views
from .properties import KEEP_UV, REMOVE_LIGHT


def painted(context: bpy.types.Context) -> bpy.types.Object | None:
    """The mesh that a click means: the active one, or that over which the active camera lays a picture."""
    active = context.object
    thing = ghost.seen_by(active, context.scene) or active
    return thing if thing and thing.type == "MESH" else None


class _Paints:
    """An operator that can paint: by the settings that its caller gives, else by the panel's."""

    bl_options = set()  # what comes of it is an undo step of its own when it is there

    keep_uv: BoolProperty(**KEEP_UV)
    remove_light: BoolProperty(**REMOVE_LIGHT)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if it fails."""
        try:
            job = self._submit(context)
            if not runtime.has_window():
                wait(job)
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _settings(self, scene: bpy.types.Scene) -> dict[str, Scalar]:
        return {
            name: getattr(self, name)
            if self.properties.is_property_set(name)
            else getattr(scene.hi3dgen, f"paint_{name}")
            for name in ("keep_uv", "remove_light")
        }


class HI3DGEN_OT_texture_from_picture(_Paints, bpy.types.Operator):  # noqa: N801
    """Find the camera that took the picture of the active mesh, and lay the picture over it."""

    bl_idname = "hi3dgen.texture_from_picture"
    bl_label = "Texture from Picture"
    bl_description = (
        "Find the camera that took the picture of the active mesh, and lay the picture over it, to be nudged and "
        f"painted. {RULE}. The mesh's own textures are passed over"
    )

    filepath: StringProperty(
        name="File", description="The picture's file; without one, the active image", subtype="FILE_PATH"
    )
    paint: BoolProperty(name="Paint", description="Paint at once, if a camera is found that fits")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a mesh of this file, in Object Mode."""
        return _asked(cls, why_not(context))

    def _submit(self, context: bpy.types.Context) -> Job:
        thing = painted(context)
        clicked = meant(context, thing)
        picture = Path(bpy.path.abspath(self.filepath)) if self.filepath else clicked.image
        if picture is None:
            raise AddonError("There is no picture.", "Open one in the panel or in an Image Editor.")
        what = Meant(context.scene, thing, picture, 0 if self.filepath else clicked.frame)
        if self.paint:
            return paint(what, None, self._settings(context.scene))
        return find_camera(what, viewing.number_of(context))


class HI3DGEN_OT_paint_from_camera(_Paints, bpy.types.Operator):  # noqa: N801
    """Paint the mesh with the picture that lies over it, as the camera sees it now. What it does not see is filled"""

    bl_idname = "hi3dgen.paint_from_camera"
    bl_label = "Paint"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if a picture lies over the active mesh."""
        why = why_not(context)
        thing = painted(context)
        lies = ghost.ghost_of(context.scene, thing) if thing else None
        if not why and (lies is None or ghost.picture_of(lies) is None):
            why = say("No picture lies over this mesh: use Texture from Picture first")
        return _asked(cls, why)

    def _submit(self, context: bpy.types.Context) -> Job:
        scene, thing = context.scene, painted(context)
        lies = ghost.ghost_of(scene, thing)
        picture = ghost.picture_of(lies)
        what = Meant(scene, thing, picture, frame_of(picture, None, scene))
        return paint(what, _sight(scene, lies, picture), self._settings(scene))


class HI3DGEN_OT_texture_from_views(_Paints, bpy.types.Operator):  # noqa: N801
    """Give the active mesh the colours of a picture, and behind it those of the views that were drawn from it"""

    bl_idname = "hi3dgen.texture_from_views"
    bl_label = "Texture from Views"
    bl_description = (
        "Give the active mesh the colours of the picture that the views in the panel were drawn from and, where that "
        "does not see it, those of the views. Their cameras move to the mesh"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a mesh of this file, in Object Mode, and there are views."""
        why = why_not(context)
        if not why and not view_sets.shown_set(context.scene, painted(context)):
            why = say("This scene has no views")
        return _asked(cls, why)

    def _submit(self, context: bpy.types.Context) -> Job:
        scene, thing = context.scene, painted(context)
        cameras = view_sets.shown_set(scene, thing)
        picture = self._picture(context, cameras[0])
        lies = ghost.ghost_of(scene, thing)
        sight = _sight(scene, lies, picture) if lies and ghost.picture_of(lies) == picture else None
        near: dict[str, Scalar] = {}
        if picture_hash_of(thing) and picture_hash_of(thing) == picture_hash_of(cameras[0]):
            turn = degrees(thing.matrix_world.to_euler().z)  # it was made facing the picture's camera
            near = {"search": "near", "azimuth": turn, "elevation": 0.0}
        return paint_views(Meant(scene, thing, picture), sight, cameras, {**self._settings(scene), **near})

    def _picture(self, context: bpy.types.Context, camera: bpy.types.Object) -> bpy.types.Image:
        """The picture that views were drawn from; if it is not in this file any more, the one that a click means."""
        try:
            return picture_of(camera)
        except AddonError:
            if picture := meant(context, painted(context)).image:
                return picture
            raise


class HI3DGEN_OT_look_through(bpy.types.Operator):  # noqa: N801
    """Look through the camera that lays the picture over this mesh, or leave it"""

    bl_idname = "hi3dgen.look_through"
    bl_label = "Look Through"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in a viewport, and if a picture lies over the active mesh."""
        thing = painted(context)
        return (
            context.area is not None
            and context.area.type == "VIEW_3D"
            and bool(thing and ghost.ghost_of(context.scene, thing))
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look through it, with the picture shown."""
        lies = ghost.ghost_of(context.scene, painted(context))
        lies.data.show_background_images = True
        viewing.look_through(viewing.Viewport(context.window, context.area), lies)
        return {"FINISHED"}


def why_not(context: bpy.types.Context) -> str:
    """Why the active object cannot be painted now, as a sentence; empty if it can."""
    thing = painted(context)
    if thing is None:
        return say("The active object is no mesh")
    if context.mode != "OBJECT":
        return say("Leave the current mode first")
    if any(data.library or data.override_library for data in (thing, thing.data)):
        return say("It belongs to another file: make it local first (Object > Relations)")
    return ""


def _sight(scene: bpy.types.Scene, lies: bpy.types.Object, picture: bpy.types.Image) -> lens.Sight | None:
    """How a picture lies over its mesh; None if nobody moved it since it did not fit, so that it is looked for."""
    return None if ghost.is_doubted(scene, lies) else lens.sight_of(scene, lies, picture)


def _asked(cls: type, why: str) -> bool:
    cls.poll_message_set(why)  # pyright: ignore[reportAttributeAccessIssue] - an operator's
    return not why


CLASSES = (
    HI3DGEN_OT_texture_from_picture,
    HI3DGEN_OT_paint_from_camera,
    HI3DGEN_OT_texture_from_views,
    HI3DGEN_OT_look_through,
)
