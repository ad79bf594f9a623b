# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences, in Edit > Preferences > Add-ons."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..extension import PACKAGE
from ..language.words import say
from ..link import runtime, setup_timer
from ..link.runtime import BY_PATH, CACHE_MEGABYTES, IDLE_MINUTES, NEVER, OVER_SSH, THIS_COMPUTER
from ..scene.saving import FORMATS
from . import computer_box, engine_box, storage_box
from .setup_operators import BUILDS, PYTHON


def _ask_again(preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    setup_timer.ask(preferences.torch, preferences.python)


def _options_changed(_preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    runtime.options_changed()


def _computer_changed(preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    setup_timer.ask_another_computer(preferences.torch, preferences.python)


class Hi3DGenPreferences(bpy.types.AddonPreferences):
    """What belongs to the machine rather than to a scene."""

    bl_idname = PACKAGE

    idle_minutes: IntProperty(
        name="End Backend After (min)",
        description="Minutes without a job after which the backend process ends and gives its memory back; 0 for never",
        default=IDLE_MINUTES,
        min=0,
        max=24 * 60,
        update=_options_changed,
    )
    cache_megabytes: IntProperty(
        name="Results in Memory (MB)",
        description="The memory at most of what the backend remembers of pictures, so that another seed or an edited "
        "normal map does not begin at the picture; 0 for nothing",
        default=CACHE_MEGABYTES,
        min=0,
        max=64 * 1024,
        update=_options_changed,
    )
    log_level: EnumProperty(
        name="Log",
        description="How much the backend writes into its log",
        items=[
            ("warning", "Problems", "What went wrong alone"),
            ("info", "Jobs", "Jobs as well"),
            ("debug", "Everything", "Each stage of each job, and what libraries say"),
        ],
        default="info",
        update=_options_changed,
    )
    device: StringProperty(
        name="Device",
        description="PyTorch's name of what the engine computes on, such as cuda:1 or cpu; empty for what "
        "HI3DGEN_DEVICE names, else the best",
        update=_options_changed,
    )
    upscaler: StringProperty(
        name="Upscaler",
        description="The model file of an AI upscaler of yours, for Upscale Picture: .pth or .safetensors, such as "
        "Real-ESRGAN's. Empty for what HI3DGEN_UPSCALER names; without one, pictures are enlarged without new detail",
        subtype="FILE_PATH",
        update=_options_changed,
    )
    free_when_rendering: BoolProperty(
        name="Free Memory When Rendering",
        description="Give back the memory that the backend holds when a render begins, so that it gets the whole card",
        default=True,
    )

    save_new: EnumProperty(
        name="Save New Meshes",
        description="Whether each mesh that comes into the scene is saved at once, beside the .blend file",
        items=[(NEVER, "Never", "Save in the panel does it"), *FORMATS],
    )
    asset_author: StringProperty(name="Author of Assets", description="What Mark as Asset names as the author")
    asset_licence: StringProperty(name="Licence of Assets", description="What Mark as Asset names as the licence")
    keep_pictures: EnumProperty(
        name="Keep Pictures",
        description="Where a mesh's material takes the picture from. A picture that is in no file, or looks different "
        "there, is packed in any case: a frame, a render, unsaved painting",
        items=[
            (
                BY_PATH,
                "By Path",
                "The material shows the picture's own file, as long as that has the pixels that were sent",
            ),
            ("PACKED", "Packed", "The pixels that were sent are packed into this file, and need no other one"),
        ],
    )

    computer: EnumProperty(
        name="Computer",
        description="Where the engines compute",
        items=[
            (THIS_COMPUTER, "This One", "The backend is a process on this computer"),
            (OVER_SSH, "Over SSH", "The backend runs on a computer that the system's ssh logs in to with your keys"),
        ],
        update=_computer_changed,
    )
    ssh_name: StringProperty(
        name="Name for SSH",
        description="What you would type behind ssh: user@host, or a name in your configuration of ssh",
        update=_computer_changed,
    )

    torch: EnumProperty(name="PyTorch", description="The build to install", items=BUILDS, update=_ask_again)
    python: StringProperty(name="Python", description=PYTHON, subtype="FILE_PATH", update=_ask_again)
    agree: BoolProperty(
        name="I agree to these licences and downloads",
        description="Nothing is downloaded before this is ticked and a button is pressed",
        options={"SKIP_SAVE"},
    )

    further: BoolProperty(
        name="Further Weights",
        description="Show the weights that other engines and settings use, each of which is downloaded alone",
        options={"SKIP_SAVE"},
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        computer_box.draw(self.layout, self, context.region.width)
        engine_box.draw(self.layout, self, context.region.width)
        storage_box.draw(self.layout, context.region.width)
        backend = self.layout.box()
        backend.label(text=say("Backend"))
        backend.use_property_split = True
        for name in ("upscaler", "idle_minutes", "cache_megabytes", "free_when_rendering", "log_level"):
            backend.prop(self, name)
        row = backend.row()
        row.operator("hi3dgen.open_log", icon="TEXT")
        row.operator("hi3dgen.copy_report", icon="COPYDOWN")
        scene = self.layout.column()
        scene.use_property_split = True
        for name in ("keep_pictures", "save_new", "asset_author", "asset_licence"):
            scene.prop(self, name)


CLASSES = (Hi3DGenPreferences,)
