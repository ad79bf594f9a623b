# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators for jobs of many pictures: begun by Blender's file browser, paused, gone on with, forgotten."""
# pyright: reportInvalidTypeForm=false

from collections import Counter
from functools import partial
from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty

from .. import folder
from ..errors import AddonError
from ..language.words import say
from ..link import engines, runtime
from ..link.saved_jobs import SavedJob
from ..link.series import Series
from ..link.setup_timer import setup
from ..scene import viewing
from . import engine_settings, generate_operator
from .properties import JOB, chosen_engine, placing_of

_SAVED = {**JOB, "description": "The name of its folder; every job if empty"}
_BROWSER = {"options": {"HIDDEN", "SKIP_SAVE"}}


class HI3DGEN_OT_generate_folder(bpy.types.Operator):  # noqa: N801
    """Make a mesh of every picture in a folder, or of those that you select there, by the panel's settings: one job"""

    bl_idname = "hi3dgen.generate_folder"
    bl_label = "Generate from Folder"
    bl_options = set()  # each mesh is an undo step of its own when it is there

    directory: StringProperty(name="Folder", description="The folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement,
        name="Files",
        description="Pictures and folders in it; all of it if there are none",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    below: BoolProperty(name="Subfolders", description="Take the pictures in the folders below it, too")
    filter_folder: BoolProperty(name="Show Folders", description="In the file browser", default=True, **_BROWSER)
    filter_image: BoolProperty(name="Show Images", description="In the file browser", default=True, **_BROWSER)

    _viewport = 0  # the number of the one that was clicked in

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if the chosen engine can run."""
        why = generate_operator.why_nothing(context)
        cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Let the artist choose in the file browser."""
        self._viewport = viewing.number_of(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue the job. Without a window, wait for it, and raise if a picture was left out."""
        return generate_operator.begin(context, self._submit, self.report)

    def _submit(self, context: bpy.types.Context) -> Series:
        if not self.directory:  # a script gave none, and it would be the working folder
            raise AddonError("No folder was chosen.", "Choose one.")
        scene = context.scene
        engine = chosen_engine(scene) or engines.require()[0]
        place = Path(bpy.path.abspath(self.directory))
        further = generate_operator.further_inputs(scene, engine)
        seed = generate_operator.next_seed(scene)
        passed_over: Counter[str] = Counter()
        pictures = folder.pictures_of(place, [file.name for file in self.files], passed_over, below=self.below)
        series = folder.submit(
            scene,
            place,
            pictures,
            engine.name,
            seed,
            settings=engine_settings.settings_of(scene, engine),
            inputs={name: image for name, image in further.items() if image},
            count=scene.hi3dgen.count,
            placing=placing_of(scene),
            viewport=self._viewport or viewing.number_of(context),
            passed_over=passed_over,
        )
        scene.hi3dgen.seed = seed
        return series


class HI3DGEN_OT_pause_folder(bpy.types.Operator):  # noqa: N801
    """Finish the picture that is being made, then pause. What is made stays, also if Blender is closed meanwhile"""

    bl_idname = "hi3dgen.pause_folder"
    bl_label = "Pause"
    bl_options = set()

    job: StringProperty(**JOB)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Pause one job or all."""
        for series in _going():
            if self.job in ("", series.request.job):
                series.pause()
        runtime.keep_ticking()
        runtime.redraw()
        return {"FINISHED"}


class HI3DGEN_OT_go_on_folder(bpy.types.Operator):  # noqa: N801
    """Go on with the pictures of a folder. What is made already and not in this file comes without being made again"""

    bl_idname = "hi3dgen.go_on_folder"
    bl_label = "Go On"
    bl_options = set()

    job: StringProperty(**_SAVED)

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if a job can be gone on with."""
        return _some(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queue one job or all. Without a window, wait for each, and raise if a picture was left out."""
        ended = [
            generate_operator.begin(context, partial(_go_on, saved=saved), self.report) for saved in _named(self.job)
        ]
        return {"FINISHED"} if all(each == {"FINISHED"} for each in ended) else {"CANCELLED"}


class HI3DGEN_OT_forget_folder(bpy.types.Operator):  # noqa: N801
    """Make no more of these pictures. What is made and not in this file is deleted; what is in it stays"""

    bl_idname = "hi3dgen.forget_folder"
    bl_label = "Forget"
    bl_options = set()

    job: StringProperty(**_SAVED)

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if there is such a job."""
        return bool(runtime.saved_jobs().unreadable()) or _some(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first if that deletes something."""
        count = sum(len(saved.made.intersection(folder.left(saved))) for saved in _named(self.job))
        count += sum(len(saved.made) for saved in _unreadable(self.job))
        if not count:
            return self.execute(context)
        one = say("The result of 1 picture is not in this file yet. It will be deleted.")
        many = say("The results of {count} pictures are not in this file yet. They will be deleted.", count=count)
        told = one if count == 1 else many
        return context.window_manager.invoke_confirm(self, event, message=told, icon="WARNING", translate=False)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Forget one job or all."""
        for saved in (*_named(self.job), *_unreadable(self.job)):
            saved.forget()
        if setup().places:
            setup().count_here()
        runtime.redraw()
        return {"FINISHED"}


def _go_on(context: bpy.types.Context, saved: SavedJob) -> Series:
    return folder.go_on(context.scene, saved, viewing.number_of(context))


def _going() -> list[Series]:
    """The jobs of many pictures that go on by themselves, and that can be gone on with when they are paused."""
    return [job for job in runtime.session().jobs if isinstance(job, Series) and job.live and job.saved]


def _named(name: str) -> list[SavedJob]:
    """The job of that name among those that can be gone on with, as the disk has them now; all if it is empty."""
    runtime.saved_jobs().all(anew=True)
    return [saved for saved in folder.waiting() if name in ("", saved.name)]


def _unreadable(name: str) -> list[SavedJob]:
    """The job of that name among those of other versions; all if it is empty."""
    return [saved for saved in runtime.saved_jobs().unreadable() if name in ("", saved.name)]


def _some(cls: type[bpy.types.Operator]) -> bool:
    """Whether a job can be gone on with; if not, the button says so."""
    some = bool(folder.waiting())
    if not some:
        cls.poll_message_set(say("There is nothing to go on with"))
    return some


CLASSES = (
    HI3DGEN_OT_generate_folder,
    HI3DGEN_OT_pause_folder,
    HI3DGEN_OT_go_on_folder,
    HI3DGEN_OT_forget_folder,
)
