# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences, in Edit > Preferences > Add-ons."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

PACKAGE = (__package__ or "").rpartition(".")[0]
IDLE_MINUTES = 15
BUILDS = (  # a part of what `python -m backend install --torch` takes
    ("auto", "Automatic", "What fits the GPU and its driver"),
    ("cuda", "NVIDIA", "For NVIDIA's GPUs, by CUDA"),
    ("rocm", "AMD", "For AMD's GPUs on Linux, by ROCm"),
    ("cpu", "CPU", "For the processor, on which a mesh takes very long"),
)
PYTHON = "A Python 3.11 to 3.13 that makes the engine's environment, where Blender's own cannot"


def _ask_again(preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    from . import setup_operators  # noqa: PLC0415 - as in draw

    setup_operators.ask(preferences.torch, preferences.python)


class Hi3DGenPreferences(bpy.types.AddonPreferences):
    """What belongs to the machine rather than to a scene."""

    bl_idname = PACKAGE

    idle_minutes: IntProperty(
        name="End Backend After (min)",
        description="Minutes without a job after which the backend process ends and gives its memory back; 0 for never",
        default=IDLE_MINUTES,
        min=0,
        max=24 * 60,
    )
    free_when_rendering: BoolProperty(
        name="Free Memory When Rendering",
        description="Give back the memory that the backend holds when a render begins, so that it gets the whole card",
        default=True,
    )

    torch: EnumProperty(name="PyTorch", description="The build to install", items=BUILDS, update=_ask_again)
    python: StringProperty(name="Python", description=PYTHON, subtype="FILE_PATH", update=_ask_again)
    agree: BoolProperty(
        name="I agree to these licences and downloads",
        description="Nothing is downloaded before this is ticked and a button is pressed",
        options={"SKIP_SAVE"},
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        from . import engine_box  # noqa: PLC0415 - it needs the runtime, which reads these preferences

        engine_box.draw(self.layout, self, context.region.width)
        self.layout.use_property_split = True
        self.layout.prop(self, "idle_minutes")
        self.layout.prop(self, "free_when_rendering")
        self.layout.operator("hi3dgen.show_log", icon="TEXT")


def idle_seconds() -> float:
    """How long the backend lives without a job, 0 for ever."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    return 60.0 * (addon.preferences.idle_minutes if addon else IDLE_MINUTES)


def free_when_rendering() -> bool:
    """Whether a render makes the backend give its memory back."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    return addon.preferences.free_when_rendering if addon else True


CLASSES = (Hi3DGenPreferences,)
