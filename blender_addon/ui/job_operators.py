# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators for the queue of jobs, and the key that cancels."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import IntProperty, StringProperty

from ..language.words import say
from ..link import occupied, runtime
from ..link.job import JobState
from ..link.phase import Phase

KEY = "ESC"
KEY_MAP = "Screen"  # comes after the keys of editors and modes, of modal operators, menus and text fields
_EDITORS = {"VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR", "PROPERTIES", "OUTLINER", "STATUSBAR", "TOPBAR"}

_key: tuple[bpy.types.KeyMap, bpy.types.KeyMapItem] | None = None


class HI3DGEN_OT_move_job(bpy.types.Operator):  # noqa: N801 - Blender's naming
    """Let a job that waits be made sooner or later"""

    bl_idname = "hi3dgen.move_job"
    bl_label = "Move Job"
    bl_options = set()

    job: StringProperty(name="Job", description="The job's name", options={"SKIP_SAVE"})
    places: IntProperty(name="Places", description="How many places later; sooner if negative", default=-1)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Let it change places."""
        session = runtime.session()
        for job in session.queue:
            if job.request.job == self.job:
                session.move(job, self.places)
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_cancel_current(bpy.types.Operator):  # noqa: N801
    """Stop the job that is being made. Its meshes that are finished are added to the scene"""

    bl_idname = "hi3dgen.cancel_current"
    bl_label = "Cancel Hi3DGen's Job"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if something is being made. What is ready and waits for the scene is no key's to drop."""
        return runtime.session().current is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Leave the key to the artist's other work."""
        given_up = runtime.session().phase is Phase.BROKEN  # nothing is being made, and nobody watches what is at rest
        mine = not given_up and key_is_free(context)
        return {"PASS_THROUGH"} if event.type == KEY and not mine else self.execute(context)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stop it, and say so."""
        session = runtime.session()
        job = session.current
        session.stop(job)
        runtime.redraw()
        finished = job.state is JobState.LANDING
        said = say("{job}: cancelled. What is finished comes into the scene", job=job.name)
        self.report({"INFO"}, said if finished else say("{job}: cancelled", job=job.name))
        return {"FINISHED"}


def key_is_free(context: bpy.types.Context) -> bool:
    """Whether the key means nothing else where the mouse is: no mode, drag, render or playback, no full-screen view."""
    in_editor = context.area is not None and context.area.type in _EDITORS
    return in_editor and not context.screen.is_temporary and not _shows_render(context) and occupied.at_rest()


def _shows_render(context: bpy.types.Context) -> bool:
    """Whether the editor shows a render: there the key leads back to where the artist was."""
    image = getattr(context.space_data, "image", None)
    return image is not None and image.type in {"RENDER_RESULT", "COMPOSITING"}


CLASSES = (HI3DGEN_OT_move_job, HI3DGEN_OT_cancel_current)


def register() -> None:
    """Map the key; an artist may map another one in the preferences."""
    global _key  # noqa: PLW0603 - as global as Blender's key maps
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration:  # there is none without a window
        keys = configuration.keymaps.new(name=KEY_MAP, space_type="EMPTY")
        _key = keys, keys.keymap_items.new("hi3dgen.cancel_current", KEY, "PRESS")


def unregister() -> None:
    """Give the key back."""
    global _key  # noqa: PLW0603
    if _key:
        keys, item = _key
        keys.keymap_items.remove(item)
        _key = None
