# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with worlds that were made here: each a click, and a line for a script."""
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ..errors import AddonError
from ..language.words import say, translated
from ..link import runtime
from ..scene import worlds

SUFFIX = ".hdr"


class _OnWorld:
    """What the operators on one world have in common."""

    world: StringProperty(name="World", description="The name of a world that was made here; without one, the latest")

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a world was made in this file."""
        made = worlds.made_here()
        if not made:
            cls.poll_message_set(say("No world was made in this file"))
        return bool(made)

    def _meant(self) -> bpy.types.World:
        """The world. Raises `AddonError` if there is none of that name."""
        made = worlds.made_here()
        found = next((world for world in made if self.world in ("", world.name)), None)
        if found is None:
            raise AddonError(f"No world “{self.world}” was made in this file.", "Check the name.")
        return found


class HI3DGEN_OT_use_world(_OnWorld, bpy.types.Operator):  # noqa: N801
    """Light the scene by this world. The former one stays in the file"""

    bl_idname = "hi3dgen.use_world"
    bl_label = "Use as World"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it the scene's."""
        try:
            worlds.use(context.scene, self._meant())
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_save_world(_OnWorld, bpy.types.Operator):  # noqa: N801
    """Save the light of this world as a Radiance HDR file, which other programs read, too"""

    bl_idname = "hi3dgen.save_world"
    bl_label = "Save World…"
    bl_options = {"REGISTER"}

    filepath: StringProperty(name="File", description="Where the file is to be", subtype="FILE_PATH")
    filter_glob: StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask where."""
        folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
        try:
            name = self._meant().name
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        self.filepath = str(folder / f"{bpy.path.clean_name(name)}{SUFFIX}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Write it."""
        try:
            path = self._save()
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        self.report({"INFO"}, say("The light is in {file}.", file=str(path)))
        return {"FINISHED"}

    def _save(self) -> Path:
        if not self.filepath:
            raise AddonError("No file was named.", "Give its path.")
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), SUFFIX))
        worlds.save(self._meant(), path)
        return path


CLASSES = (HI3DGEN_OT_use_world, HI3DGEN_OT_save_world)
