# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with generated meshes that are in the scene: each a click, an undo step, and a line for a script."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..errors import AddonError
from ..extension import PACKAGE
from ..language.words import joined, say
from ..link import runtime
from ..scene import asset, rework
from ..scene.switch import ITEMS, is_ours, positions_of
from . import engine_settings
from .on_meshes import OnMeshes, generated, why_not
from .properties import chosen_engine

FEWEST = 4  # faces of a closed mesh
MOST_UV_MAPS = 8  # of Blender's


class HI3DGEN_OT_show(bpy.types.Operator):  # noqa: N801
    """Choose what this mesh is coloured with, and every other generated mesh that is selected"""

    bl_idname = "hi3dgen.show"
    bl_label = "Show"
    bl_options = {"REGISTER", "UNDO"}

    shows: EnumProperty(name="Show", description="What the meshes are coloured with", items=ITEMS)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a generated mesh whose material is of this file."""
        things = generated(context)
        why = "" if things[:1] == [context.object] else say("The active object is no generated mesh")
        if any(each.library or each.override_library for each in _materials_of(things[:1])):
            why = say("It belongs to another file: make it local first (Object > Relations)")
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch the materials that have what is asked for; the others stay as they are."""
        materials = _materials_of(generated(context))
        able = [each for each in materials if self.shows in dict(positions_of(each)) and not each.library]
        for each in able:
            each.hi3dgen_shows = self.shows
        runtime.redraw()
        return {"FINISHED"} if able else {"CANCELLED"}


class HI3DGEN_OT_unwrap(OnMeshes, bpy.types.Operator):  # noqa: N801
    """Add a UV map “Unwrapped” without overlaps, by Smart UV Project. The one that projects the picture stays"""

    bl_idname = "hi3dgen.unwrap"
    bl_label = "Unwrap"

    def change(self, context: bpy.types.Context, things: list[bpy.types.Object]) -> str:
        """Unwrap them."""
        for thing in things:
            if rework.UNWRAPPED not in thing.data.uv_layers and len(thing.data.uv_layers) >= MOST_UV_MAPS:
                raise AddonError(f"{thing.name} has as many UV maps as Blender allows.", "Remove one first.")
        for thing in things:
            rework.unwrap(context, thing)
        return say("The UV map “{name}” is beside the picture's, in Object Data > UV Maps.", name=rework.UNWRAPPED)


class HI3DGEN_OT_decimate(OnMeshes, bpy.types.Operator):  # noqa: N801
    """Halve the triangles, or take the panel's Faces if that is less, by a Decimate modifier. The picture stays"""

    bl_idname = "hi3dgen.decimate"
    bl_label = "Decimate"

    faces: IntProperty(
        name="Faces",
        description="About how many triangles are left; 0 for the panel's number if that is less, else for half",
        min=0,
        soft_max=1_000_000,
        options={"SKIP_SAVE"},
    )

    def change(self, context: bpy.types.Context, things: list[bpy.types.Object]) -> str:
        """Decimate them."""
        wanted = [self.faces or _fewer(context, rework.faces_of(context, thing)) for thing in things]
        for thing, faces in zip(things, wanted, strict=True):
            rework.decimate(context, thing, faces)
        self.faces = wanted[0] if len(things) == 1 else self.faces  # what the redo panel starts from
        left = {
            "name": things[0].name,
            "count": f"{rework.faces_of(context, things[0]):,}",
            "modifier": rework.DECIMATE,
        }
        return say("{name} has {count} triangles. The modifier “{modifier}” can be changed, or removed.", **left)


class HI3DGEN_OT_remesh(OnMeshes, bpy.types.Operator):  # noqa: N801
    """Make the surface anew of even quads, by Blender's voxel remesh. The picture stays"""

    bl_idname = "hi3dgen.remesh"
    bl_label = "Remesh"

    faces: IntProperty(
        name="Faces",
        description="About how many quads each is made of; 0 for half as many as it has triangles",
        min=0,
        soft_max=1_000_000,
        options={"SKIP_SAVE"},
    )

    def change(self, context: bpy.types.Context, things: list[bpy.types.Object]) -> str:
        """Remesh them."""
        for thing in things:
            if thing.data.shape_keys:
                raise AddonError(f"“{thing.name}” has shape keys, which would be lost.", "Remove or apply them first.")
        wanted = [self.faces or (len(thing.data.loops) - 2 * len(thing.data.polygons)) // 2 for thing in things]
        lost = {
            name
            for thing, faces in zip(things, wanted, strict=True)
            for name in rework.remesh(context, thing, max(faces, FEWEST))
        }
        self.faces = wanted[0] if len(things) == 1 else self.faces  # what the redo panel starts from
        made = [say("{name} has {count} faces.", name=things[0].name, count=f"{len(things[0].data.polygons):,}")]
        if rework.UNWRAPPED in lost:
            made.append(say("Unwrap again: the old unwrapping does not fit."))
        if rework.ATLAS in lost:
            made.append(say("It shows the picture: its colours all round do not fit any more."))
        return joined(*made)


class HI3DGEN_OT_mark_as_asset(bpy.types.Operator):  # noqa: N801
    """Make it an asset, with a preview and its recipe, and the author and licence of the extension's preferences"""

    bl_idname = "hi3dgen.mark_as_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    author: StringProperty(name="Author", description="Who made it; that of the preferences if empty")
    licence: StringProperty(name="Licence", description="How it may be used; that of the preferences if empty")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the active object is a generated mesh of this file."""
        why = why_not(context, generated(context))
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mark them."""
        chosen = context.preferences.addons[PACKAGE].preferences
        author, licence = self.author or chosen.asset_author, self.licence or chosen.asset_licence
        things = generated(context)
        for thing in things:
            asset.mark(thing, author, licence)
        one = say("{name} is an asset.", name=things[0].name)
        named = one if len(things) == 1 else say("{count} objects are assets.", count=len(things))
        advice = say("Save the file in an asset library to find it in the Asset Browser.")
        self.report({"INFO"}, joined(named, advice))
        return {"FINISHED"}


def _materials_of(things: list[bpy.types.Object]) -> set[bpy.types.Material]:
    """The materials of theirs that can be switched."""
    shown = {slot.material for thing in things for slot in thing.material_slots}
    return {each for each in shown if each and is_ours(each)}


def _fewer(context: bpy.types.Context, faces: int) -> int:
    """The panel's number of faces if that is less than there are, else half of them."""
    engine = chosen_engine(context.scene)
    group = engine_settings.group_of(context.scene, engine) if engine else None
    wanted = getattr(group, "faces", 0)
    return wanted if isinstance(wanted, int) and 0 < wanted < faces else max(faces // 2, FEWEST)


CLASSES = (HI3DGEN_OT_show, HI3DGEN_OT_unwrap, HI3DGEN_OT_decimate, HI3DGEN_OT_remesh, HI3DGEN_OT_mark_as_asset)
