# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators. They work from the panel, from search (F3) and from scripts."""
# pyright: reportInvalidTypeForm=false

import random
from pathlib import Path

import bpy
from bpy.props import IntProperty, StringProperty

from ...backend.wire.messages import MAX_SEED, Scalar
from ...backend.wire.settings import SETTINGS
from ..errors import AddonError
from ..generate import Order, active_picture, submit, wait
from ..link import runtime
from ..link.process import log_tail
from ..link.session import JobState, Phase
from .properties import COUNT
from .settings import BY_NAME, EngineSettings, value_of
from .text import lines

LOG_LINES = 24
LOG_WIDTH, LOG_MARGIN = 900, 30


class HI3DGEN_OT_generate(EngineSettings, bpy.types.Operator):  # noqa: N801 - Blender's naming
    """Turn the picture into a mesh"""

    bl_idname = "hi3dgen.generate"
    bl_label = "Generate"
    bl_options = set()  # the mesh makes its own undo step when it is there

    filepath: StringProperty(name="File", description="The picture's file; else the active image", subtype="FILE_PATH")
    image: StringProperty(name="Image", description="The name of an image in this file; else the active image")
    normal_map: StringProperty(name="Normal Map", description="The name of an image; else the panel's choice")
    engine: StringProperty(name="Engine", description="The name of an engine; else the panel's choice")
    seed: IntProperty(name="Seed", description="Else the panel's choice", min=0, max=MAX_SEED)
    count: IntProperty(**COUNT)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise where it fails."""
        try:
            order = self._order(context)
            job = submit(context.scene, order)
            context.scene.hi3dgen.seed = order.seed
            if not runtime.has_window():
                wait(job)
        except AddonError as error:
            self.report({"ERROR"}, f"{error.sentence} {error.advice}")
            return {"CANCELLED"}
        return {"FINISHED"}

    def _order(self, context: bpy.types.Context) -> Order:
        """What the caller said, and the panel where the caller said nothing."""
        panel = context.scene.hi3dgen
        seed = panel.seed
        if self.properties.is_property_set("seed"):
            seed = self.seed
        elif panel.random_seed:
            seed = random.SystemRandom().randint(0, MAX_SEED)
        engine = self.engine or panel.engine
        count = self.count if self.properties.is_property_set("count") else panel.count
        normal_map = _image(self.normal_map) if self.normal_map else panel.normal_map
        return Order(self._picture(context), engine, seed, self._settings(panel, engine), normal_map, count)

    def _settings(self, panel: bpy.types.PropertyGroup, engine: str) -> dict[str, Scalar]:
        """The engine's settings, and what the caller said beyond them: the engine refuses that."""
        said = {name for name in BY_NAME if self.properties.is_property_set(name)}
        names = [setting.name for setting in SETTINGS.get(engine, ())]
        return {name: value_of(self if name in said else panel, name) for name in [*names, *sorted(said - {*names})]}

    def _picture(self, context: bpy.types.Context) -> bpy.types.Image | Path:
        if self.filepath:
            return Path(bpy.path.abspath(self.filepath))
        if self.image:
            return _image(self.image)
        picture = active_picture(context)
        if picture is None:
            raise AddonError("There is no picture.", "Open one in the panel or in an Image Editor.")
        return picture


class HI3DGEN_OT_cancel(bpy.types.Operator):  # noqa: N801
    """End the job. The meshes that it has made come into the scene; those that already wait for it are dropped"""

    bl_idname = "hi3dgen.cancel"
    bl_label = "Cancel"
    bl_options = set()

    job: StringProperty(name="Job", description="The job's name; every job if empty", options={"SKIP_SAVE"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stop one job or all."""
        for job in runtime.session().jobs:
            if self.job in ("", job.request.job):
                runtime.session().stop(job)
        runtime.redraw_panels()
        return {"FINISHED"}


class HI3DGEN_OT_land_again(bpy.types.Operator):  # noqa: N801
    """Try again to put into the scene what it did not take"""

    bl_idname = "hi3dgen.land_again"
    bl_label = "Land Again"
    bl_options = set()

    job: StringProperty(name="Job", description="The job's name; every job if empty", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a job has kept results."""
        return any(job.state is JobState.KEPT for job in runtime.session().jobs)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Offer the results again; without a window, raise if the scene refuses them again."""
        session = runtime.session()
        jobs = [job for job in session.jobs if job.state is JobState.KEPT and self.job in ("", job.request.job)]
        for job in jobs:
            session.land_again(job)
        runtime.keep_ticking()
        try:
            for job in [] if runtime.has_window() else jobs:
                wait(job)
        except AddonError as error:
            self.report({"ERROR"}, f"{error.sentence} {error.advice}")
            return {"CANCELLED"}
        return {"FINISHED"}


class HI3DGEN_OT_unload(bpy.types.Operator):  # noqa: N801
    """Give back the memory that the backend holds, the graphics card's too. The next mesh takes longer to begin"""

    bl_idname = "hi3dgen.unload"
    bl_label = "Free Memory"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only where a backend is there to hold any."""
        ready = runtime.session().phase is Phase.READY
        if not ready:
            cls.poll_message_set("The backend is not running, so it holds no memory")
        return ready

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the backend. Its answer comes when its job is done, in the panel; without a window, it is reported."""
        session = runtime.session()
        session.unload()
        runtime.keep_ticking()
        if not runtime.has_window():
            try:
                session.wait_for_memory()
            except AddonError as error:
                self.report({"ERROR"}, f"{error.sentence} {error.advice}")
                return {"CANCELLED"}
            self.report({"INFO"}, session.notice)
        return {"FINISHED"}


class HI3DGEN_OT_try_again(bpy.types.Operator):  # noqa: N801
    """Start the backend again, after it ended three times in a row"""

    bl_idname = "hi3dgen.try_again"
    bl_label = "Try Again"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only where the backend is given up."""
        return runtime.session().phase is Phase.BROKEN

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Close the circuit breaker and start."""
        runtime.session().try_again()
        runtime.session().start()
        runtime.keep_ticking()
        runtime.redraw_panels()
        return {"FINISHED"}


class HI3DGEN_OT_show_log(bpy.types.Operator):  # noqa: N801
    """Show the end of the backend's log"""

    bl_idname = "hi3dgen.show_log"
    bl_label = "Show Log"
    bl_options = set()

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Show it in a popup."""
        return context.window_manager.invoke_popup(self, width=LOG_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the popup."""
        width = (LOG_WIDTH - LOG_MARGIN) * context.preferences.system.ui_scale
        self.layout.label(text=f"The end of the backend's log, in {runtime.session().user_folder}", icon="TEXT")
        column = self.layout.column(align=True)
        column.scale_y = 0.7
        for entry in _log_lines():
            for line in lines(entry, width):
                column.label(text=line, translate=False)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Print it, where a script asks."""
        print("\n".join(_log_lines()))
        return {"FINISHED"}


def _log_lines() -> list[str]:
    return log_tail(runtime.session().user_folder, LOG_LINES) or ["The backend has written nothing yet."]


def _image(name: str) -> bpy.types.Image:
    image = bpy.data.images.get(name)
    if image is None:
        raise AddonError(f"There is no image “{name}” in this file.", "Check the name.")
    return image


CLASSES = (
    HI3DGEN_OT_generate,
    HI3DGEN_OT_cancel,
    HI3DGEN_OT_land_again,
    HI3DGEN_OT_unload,
    HI3DGEN_OT_try_again,
    HI3DGEN_OT_show_log,
)
