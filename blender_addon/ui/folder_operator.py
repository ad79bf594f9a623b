# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator Generate from Folder: Blender's file browser names a folder, or some of its pictures."""
# pyright: reportInvalidTypeForm=false

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty

from .. import folder
from ..errors import AddonError
from ..link import engines
from ..link.series import Series
from ..scene import viewing
from . import engine_settings, generate_operator
from .properties import chosen_engine, placing_of

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
        series = folder.submit(
            scene,
            place,
            folder.pictures_of(place, [file.name for file in self.files], below=self.below),
            engine.name,
            seed,
            settings=engine_settings.settings_of(scene, engine),
            inputs={name: image for name, image in further.items() if image},
            count=scene.hi3dgen.count,
            placing=placing_of(scene),
            viewport=self._viewport or viewing.number_of(context),
        )
        scene.hi3dgen.seed = seed
        return series


CLASSES = (HI3DGEN_OT_generate_folder,)
